"""`DuckFrame`: the rows of a table, answering queries from DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from shiplap.adapters.frames.session import Session, refused

__all__ = ["DuckFrame"]


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
        with _told():
            rows: list[tuple[Any, ...]] = self._session.ask(sql).fetchall()
            return rows

    def pandas(self, sql: str) -> pd.DataFrame:
        """Run a query and return a data frame.

        Numbers and booleans are float64 with NaN for missing, dates datetime64[us] with NaT, everything else object
        with ``str`` values and ``None`` (which scikit-learn's encoders take as a category of its own).
        """
        table = self.arrow(sql)
        columns = {i: _series(column) for i, column in enumerate(table.columns)}
        frame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)
        frame.columns = pd.Index(table.column_names, dtype=object)
        return frame

    def arrow(self, sql: str) -> pa.Table:
        """Run a query and return its answer as an Arrow table."""
        with _told():
            return self._session.ask(sql).to_arrow_table()

    def batches(self, sql: str, *, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Run a query and yield record batches of at most `rows` rows, in constant memory."""
        with _told():
            yield from self._session.ask(sql).to_arrow_reader(rows)


@contextmanager
def _told() -> Iterator[None]:
    """Raise DuckDB's errors as one line each."""
    try:
        yield
    except duckdb.Error as error:
        raise refused(error, "the rows cannot answer this") from error


def _series(column: pa.ChunkedArray) -> pd.Series[Any]:
    kind = column.type
    if pa.types.is_boolean(kind):
        column = pc.cast(column, pa.int8())
        kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pd.Series(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype="float64")
    if pa.types.is_temporal(kind) and not (pa.types.is_time(kind) or pa.types.is_duration(kind)):
        return pd.Series(pc.cast(column, pa.timestamp("us"), safe=False).to_numpy(), dtype="datetime64[us]")
    return pd.Series(_texts(column), dtype=object)


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """Return texts as one Python object per distinct value, None where missing: a repeated value costs a pointer."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = pc.cast(column, pa.string())
    coded = column.dictionary_encode().combine_chunks()
    values = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    positions = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    texts: npt.NDArray[np.object_] = values[positions]
    return texts
