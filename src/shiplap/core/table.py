"""`Table`: rows from anywhere, with a schema and a content hash, read lazily."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from shiplap.core.schema import Schema

__all__ = ["Frame", "Table"]


class Frame(Protocol):
    """What a frames adapter gives a table: queries over its rows, run where the rows live.

    Every query speaks of the relation ``rows``: the columns of the schema under their own names, cast to the kind's
    type (number ``DOUBLE``, boolean ``BOOLEAN``, date ``TIMESTAMP``, everything else ``VARCHAR``), missing markers
    already turned into NULL, moments with an offset in UTC, and a ``rowid`` (no part of ``*``) that keeps the order
    of the source.
    """

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small (aggregates, samples) and return its rows."""
        ...

    def pandas(self, sql: str) -> Any:
        """Run a query and return a pandas ``DataFrame``.

        Numbers and booleans are float64 (NaN missing), dates datetime64[us] (NaT missing), everything else object
        with ``str`` values and None.
        """
        ...

    def batches(self, sql: str, *, rows: int = 65_536) -> Iterator[Any]:
        """Run a query and yield ``pyarrow.RecordBatch``es of at most `rows` rows, in constant memory."""
        ...


@dataclass(frozen=True, eq=False)
class Table:
    """Rows and what is known about them.

    Parameters
    ----------
    name : str
        Short name, from the file or given.
    source : str
        Where the rows came from, for lineage: a path, a query, ``"pandas.DataFrame"`` ...
    schema : Schema
        The columns.
    digest : str
        SHA-256 of the content and of how it is read (64 hexadecimal digits).
    n_rows : int
        Number of rows.
    frame : Frame
        The adapter that reads the rows.
    folder : Path or None
        Where its file lies, from which names of files in its columns start; None where rows lie in no one
        folder: in memory, on a server, in the answer of a query.
    """

    name: str
    source: str
    schema: Schema
    digest: str
    n_rows: int
    frame: Frame
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self.n_rows:,} rows x {len(self.schema)} columns, {self.digest[:12]})"
