"""Streams of rows in and out of files, by format: what `score` needs where the base install cannot read or write.

The base install reads and writes CSV and JSON lines itself; every other format is registered here by name and imported
when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from shiplap.core.registry import Registry

__all__ = ["BatchWriter", "Columns", "format_of", "readers", "writers"]

Columns = dict[str, list[Any]]
"""Some rows, column by column; all lists are of one length."""

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".data": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".duckdb": "database",
    ".ddb": "database",
    ".db": "database",
    ".sqlite": "database",
    ".sqlite3": "database",
}
_COMPRESSED = (".gz", ".zst")


class BatchWriter(Protocol):
    """Writes rows to one file; the file appears under its name only when all of them are written."""

    def write(self, batch: Columns) -> None:
        """Append rows; every batch has the columns of the first one."""
        ...

    def __enter__(self) -> BatchWriter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


readers: Registry[Callable[[Path, tuple[str, ...], int], Iterator[Columns]]] = Registry(
    "reader", group="shiplap.readers"
)
"""Functions ``(path, columns, rows) -> iterator of Columns`` by format; all columns when none are named."""
writers: Registry[Callable[[Path], BatchWriter]] = Registry("writer", group="shiplap.writers")
"""Functions ``(path) -> BatchWriter`` by format."""

for _format in ("parquet", "csv", "jsonl", "json", "database"):
    readers.add_lazy(_format, "shiplap.adapters.frames.stream:open_batches", extra="lab")
for _format in ("parquet", "csv", "jsonl"):
    writers.add_lazy(_format, "shiplap.adapters.frames.write:writer", extra="lab")


def format_of(path: Path) -> str:
    """Return the format a file name stands for; ``""`` when its suffix is not one that Shiplap knows.

    Examples
    --------
    >>> format_of(Path("rows.csv.gz")), format_of(Path("rows.pq")), format_of(Path("shop.db::orders"))
    ('csv', 'parquet', 'database')
    >>> format_of(Path("rows.xlsx"))
    ''
    """
    name = Path(path.name.partition("::")[0].lower())
    if name.suffix in _COMPRESSED:
        name = name.with_suffix("")
    return _SUFFIXES.get(name.suffix, "")
