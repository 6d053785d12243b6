"""`DuckFrame`: the rows of a table, answering queries from DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from shiplap.adapters.frames.session import Session, quoted, refused
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
    chosen : str
        A SELECT that gives some of them, with their ``rowid``; all of them when empty.
    """

    def __init__(self, session: Session, chosen: str = "") -> None:
        self._session = session
        self._chosen = chosen

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small and return its rows; raises ``TableError`` when it cannot be run."""
        with told():
            rows: list[tuple[Any, ...]] = self._asked(sql).fetchall()
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
            return self._asked(sql).to_arrow_table()

    def batches(self, sql: str, *, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Run a query and yield record batches of at most `rows` rows, in constant memory."""
        with told():
            yield from self._asked(sql).to_arrow_reader(rows)

    def where(self, condition: str) -> DuckFrame:
        """Return a frame over those of the rows that meet a condition; they keep their ``rowid``."""
        columns = ", ".join(map(quoted, self._session.ask("SELECT * FROM rows LIMIT 0").columns))
        source = f"({self._chosen})" if self._chosen else "store.main.rows"
        return DuckFrame(self._session, f"SELECT {columns}, rowid FROM {source} WHERE {condition}")

    def _asked(self, sql: str) -> duckdb.DuckDBPyRelation:
        if not self._chosen:
            return self._session.ask(sql)
        relation = f"WITH rows AS ({self._chosen})"
        return self._session.ask(f"{relation}, {sql[5:]}" if sql.startswith("WITH ") else f"{relation} {sql}")


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
