"""Rows in a Spark DataFrame stay there, and answer as those of a file do."""

from typing import Any

import frame_contract as contract
import pyarrow.parquet as pq
import pytest

from shiplap.adapters.frames import read
from shiplap.core.table import Table


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
