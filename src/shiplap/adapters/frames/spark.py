"""Rows in a Spark DataFrame: kept in the cluster once they are typed, asked in Spark SQL."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, islice
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import types

from shiplap.core.errors import TableError

__all__ = ["SparkPlace"]

_EPOCH = "TIMESTAMP_NTZ '1970-01-01 00:00:00'"
_WITHIN = 33
"""Bits of ``monotonically_increasing_id`` that count inside a partition; those above them number the partition."""
_WORDS = {
    types.ByteType: "TINYINT",
    types.ShortType: "SMALLINT",
    types.IntegerType: "INTEGER",
    types.LongType: "BIGINT",
    types.FloatType: "FLOAT",
    types.DoubleType: "DOUBLE",
    types.DecimalType: "DOUBLE",
    types.BooleanType: "BOOLEAN",
    types.DateType: "DATE",
    types.TimestampNTZType: "TIMESTAMP",
    types.TimestampType: "TIMESTAMP WITH TIME ZONE",
}


class SparkPlace:
    """A Spark DataFrame, as a `shiplap.adapters.frames.remote.Place`.

    Its rows are read once and kept by the executors, in memory and past it on their disks, as long as the table is;
    every question is asked of what is kept. The rowid counts them in the order of the partitions and of the rows in
    each, which is kept with them: it is one order from the first question to the last. A reading of its own gives the
    same order where the source does, which a file does and a shuffle does not. Rows that an executor takes down with
    it are computed anew; a source that changed meanwhile shows there.

    Questions are asked in a session of their own beside that of the rows, with the same settings but in UTC and in
    ANSI mode, so that moments mean the same whatever zone the rows' session is in.

    Parameters
    ----------
    rows : pyspark.sql.DataFrame
        The rows.
    """

    dialect = "spark"
    name = "table"
    words = "pyspark.DataFrame"

    def __init__(self, rows: Any) -> None:
        self._session = _beside(rows.sparkSession)
        fields = [(field.name, field.dataType) for field in rows.schema]
        self.columns = [(name, _WORDS.get(type(kind), "VARCHAR")) for name, kind in fields]
        values = [f"{_value(name, kind)} AS {_quoted(name)}" for name, kind in fields]
        with _told():
            kept = rows.selectExpr(*values, "monotonically_increasing_id() AS rowid")
            kept = kept.persist(StorageLevel.MEMORY_AND_DISK)
            view = f"shiplap_{uuid.uuid4().hex}"
            kept.createOrReplaceGlobalTempView(view)
            where = f"{self._session.conf.get('spark.sql.globalTempDatabase')}.{view}"
            starts = self._starts(where)
        self._finalizer = weakref.finalize(self, _forget, rows.sparkSession, kept, view)
        names = ", ".join(_quoted(name) for name, _ in fields)
        place = f"{starts}[CAST(shiftright(rowid, {_WITHIN}) AS INT)] + (rowid & {2**_WITHIN - 1})"
        self.relation = f"SELECT {names}, {place} AS rowid FROM {where}"

    def _starts(self, where: str) -> str:
        """Return, as an array in SQL, how many rows lie before each partition; counting them fills what is kept."""
        counted = f"SELECT shiftright(rowid, {_WITHIN}) AS part, count(*) AS n FROM {where} GROUP BY 1"
        counts = {row["part"]: row["n"] for row in self._session.sql(counted).toArrow().to_pylist()}
        before = list(accumulate((counts.get(part, 0) for part in range(max(counts, default=0) + 1)), initial=0))
        return f"ARRAY({', '.join(f'{rows}L' for rows in before)})"

    def answer(self, sql: str) -> pa.Table:
        """Run a query and bring its answer here."""
        with _told():
            return self._session.sql(sql).toArrow()

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query and bring its answer here partition by partition."""
        with _told():
            asked = self._session.sql(sql)
            schema = asked.limit(0).toArrow().schema
            arriving = asked.toLocalIterator(prefetchPartitions=True)
            while part := list(islice(arriving, rows)):
                arrays = [
                    pa.array(column, field.type) for column, field in zip(zip(*part, strict=True), schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _beside(given: Any) -> Any:
    """Return a session with the settings of another one, in UTC."""
    session = given.newSession()
    settings = {**given.conf.getAll, "spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
    for name, value in settings.items():
        if name.startswith("spark.sql.") and session.conf.isModifiable(name):
            session.conf.set(name, value)
    return session


def _value(name: str, kind: types.DataType) -> str:
    """Return SQL for the values of a column as a place gives them."""
    column = _quoted(name)
    if isinstance(kind, types.FloatType | types.DoubleType):
        return f"nanvl({column}, NULL)"
    if isinstance(kind, types.DecimalType):
        return f"CAST({column} AS DOUBLE)"
    if isinstance(kind, types.TimestampType):  # an instant, whatever the zone of the session
        return f"timestampadd(MICROSECOND, unix_micros({column}), {_EPOCH})"
    if type(kind) in _WORDS:
        return column
    if isinstance(kind, types.ArrayType | types.MapType | types.StructType | types.VariantType):
        return f"to_json({column})"
    return f"CAST({column} AS STRING)"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@contextmanager
def _told() -> Iterator[None]:
    """Raise what Spark says as one line."""
    try:
        yield
    except PySparkException as error:
        said = str(error).strip().partition("\n")[0]
        raise TableError(f"Spark refuses: {said}") from error


def _forget(session: Any, kept: Any, view: str) -> None:
    try:
        session.catalog.dropGlobalTempView(view)
        kept.unpersist()
    except Exception:  # the session is gone, and what it kept with it
        return
