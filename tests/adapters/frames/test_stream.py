"""Rows streamed out of any file, as they stand in it, and into Parquet."""

import json
import sqlite3
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shiplap.adapters.frames import BatchWriter, open_batches
from shiplap.core.errors import InputError, TableError

ROWS = {"age": [31, None, 45], "plan": ["basic", "gold", "NA"]}


def made(folder: Path, kind: str) -> str:
    file = folder / f"rows.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table(ROWS), file)
    elif kind == "csv.zst":
        file.write_bytes(pa.compress(b"age,plan\n31,basic\n,gold\n45,NA\n", "zstd", asbytes=True))
    elif kind == "json":
        file.write_text(json.dumps([dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]))
    elif kind == "duckdb":
        with duckdb.connect(file) as connection:
            table = pa.table(ROWS)
            connection.register("rows_in", table)
            connection.execute("CREATE TABLE orders AS SELECT * FROM rows_in")
    else:
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE orders (age, plan)")
            connection.executemany("INSERT INTO orders VALUES (?, ?)", zip(*ROWS.values(), strict=True))
        connection.close()
    return str(file)


@pytest.mark.parametrize("kind", ["parquet", "csv.zst", "json", "duckdb", "sqlite"])
def test_values_are_as_in_the_file(kind: str, tmp_path: Path) -> None:
    batches = list(open_batches(made(tmp_path, kind), ["plan", "age"], 2))
    assert [list(batch) for batch in batches] == [["plan", "age"]] * 2
    ages = [age for batch in batches for age in batch["age"]]
    assert ages == (["31", None, "45"] if kind == "csv.zst" else ROWS["age"])
    assert [plan for batch in batches for plan in batch["plan"]] == ROWS["plan"]
    with pytest.raises(TableError, match=r"no column 'plam'.*did you mean 'plan'"):
        list(open_batches(made(tmp_path / "..", "parquet"), ["plam"]))


def test_query_streams_typed_values(tmp_path: Path) -> None:
    made(tmp_path, "csv.zst")
    batches = list(open_batches("SELECT age + 1 AS next, plan FROM 'rows.csv.zst'", base=tmp_path))
    assert batches == [{"next": [32, None, 46], "plan": ["basic", "gold", None]}]


def test_large_parquet_streams_in_constant_memory(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": np.arange(3_000_000.0)}), tmp_path / "a.parquet", row_group_size=100_000)
    before = pa.total_allocated_bytes()
    stream = open_batches(tmp_path / "a.parquet", rows=10_000)
    assert [len(next(stream)["x"]) for _ in range(30)] == [10_000] * 30
    assert pa.total_allocated_bytes() - before < 8 * 2**20


def test_writer_settles_types_by_the_first_rows(tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"
    writer = BatchWriter(file)
    writer.write({"x": np.array([0.5, np.nan]), "y": [None, None], "d": [date(2013, 1, 2), None], "m": [1, "a"]})
    writer.write({"x": np.array([1.5]), "y": [7], "d": [None], "m": [2]})
    writer.close()
    back = pq.read_table(file)
    assert back.column("y").to_pylist() == [None, None, "7"]
    assert back.column("m").to_pylist() == ["1", "a", "2"]
    assert back.column("d").to_pylist() == [date(2013, 1, 2), None, None]
    assert back.schema.field("x").type == pa.float64()


def test_writer_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written to 'out.xlsx' \(name a .parquet"):
        BatchWriter(tmp_path / "out.xlsx")
    with pytest.raises(InputError, match=r"cannot be written to 'out.xlsx'"):
        BatchWriter(tmp_path / ".out.xlsx.1a2b3c4d.part")
    writer = BatchWriter(tmp_path / ".out.parquet.1a2b3c4d.part")
    writer.write({"x": [1]})
    with pytest.raises(TableError, match="column 'x' holds int64 in its first rows"):
        writer.write({"x": ["a"]})
    with pytest.raises(TableError, match="the columns"):
        writer.write({"y": [1]})
    writer.close()
