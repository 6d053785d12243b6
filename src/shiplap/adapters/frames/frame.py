"""`DuckFrame`: the rows of a table, answering queries from DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from shiplap.adapters.frames.session import Session, refused
from shiplap.core.registry import Registry

__all__ = ["DuckFrame", "to_pandas", "told"]

_outputs: Registry[Callable[[pa.Table], Any]] = Registry("output", group="shiplap.outputs")
_outputs.add_lazy("pandas", "shiplap.adapters.frames.topandas:to_pandas", extra="lab")


class DuckFrame:
    """Implements `shiplap.core.table.Frame` over the table ``rows`` of a session.

    Parameters
    ----------
    session : Session
        A sealed session that holds ``rows``.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small and return its rows; raises ``TableError`` when it cannot be run."""
        with told():
            rows: list[tuple[Any, ...]] = self._session.ask(sql).fetchall()
            return rows

    def pandas(self, sql: str) -> Any:
        """Run a query and return a data frame.

        Numbers and booleans are float64 with NaN for missing, dates datetime64[us] with NaT, everything else object
        with ``str`` values and ``None`` (which scikit-learn's encoders take as a category of its own).
        """
        return to_pandas(self.arrow(sql))

    def arrow(self, sql: str) -> pa.Table:
        """Run a query and return its answer as an Arrow table."""
        with told():
            return self._session.ask(sql).to_arrow_table()

    def batches(self, sql: str, *, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Run a query and yield record batches of at most `rows` rows, in constant memory."""
        with told():
            yield from self._session.ask(sql).to_arrow_reader(rows)


def to_pandas(rows: pa.Table) -> Any:
    """Return an Arrow table as a data frame with the types of `DuckFrame.pandas`; loads pandas when called."""
    return _outputs.get("pandas")(rows)


@contextmanager
def told() -> Iterator[None]:
    """Raise DuckDB's errors as one line each."""
    try:
        yield
    except duckdb.Error as error:
        raise refused(error, "the rows cannot answer this") from error
