"""The same values from CSV, Parquet and JSON lines are the same rows of the same kinds."""

import csv
import datetime
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiplap.adapters.frames import read
from shiplap.core.table import Table

WHOLE = st.integers(-(2**53), 2**53)
FRACTION = st.floats(allow_nan=False, width=64)
DAY = st.dates(datetime.date(1600, 1, 1), datetime.date(2200, 1, 1))
MOMENT = st.datetimes(datetime.datetime(1600, 1, 1), datetime.datetime(2200, 1, 1))
WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
COLUMN = st.sampled_from([st.booleans(), WHOLE, FRACTION, DAY, MOMENT, WORD, st.sampled_from(["red", "green"])])
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\0\ufeff"), min_size=1, max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    names = draw(st.lists(NAME, min_size=2, max_size=4, unique_by=str.casefold))
    n_rows = draw(st.integers(1, 30))
    columns = {}
    for name in names:
        values = draw(COLUMN)
        columns[name] = draw(st.lists(st.none() | values, min_size=n_rows, max_size=n_rows))
    return columns


def cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime.date) else value


def plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value.isoformat() if isinstance(value, datetime.date) else value


def write(folder: Path, columns: dict[str, list[Any]]) -> list[Path]:
    files = [folder / name for name in ("a.csv", "a.jsonl", "a.parquet")]
    rows = list(zip(*columns.values(), strict=True))
    with files[0].open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
        writer.writerow(columns)
        writer.writerows([[cell(value) for value in row] for row in rows])
    lines = [json.dumps(dict(zip(columns, map(plain, row), strict=True)), ensure_ascii=False) for row in rows]
    files[1].write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    pq.write_table(pa.table(columns), files[2])
    return files


def told(table: Table) -> tuple[list[tuple[str, str]], list[Any]]:
    kinds = [(column.name, column.kind) for column in table.schema]
    shown = [i for i, column in enumerate(table.schema) if column.kind not in ("constant", "id")]
    rows = table.frame.fetch("SELECT * FROM rows ORDER BY rowid")
    return kinds, [tuple(row[i] for i in shown) for row in rows]


@given(tables())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_csv_json_and_parquet_agree(columns: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        texts, objects, typed = (told(read(file)) for file in write(Path(folder), columns))
    assert texts[0] == objects[0] == typed[0]
    assert texts[1] == typed[1]
    assert objects[1] == typed[1]


def test_a_query_gives_its_rows_in_the_same_order_every_time(tmp_path: Path) -> None:
    """Joins on several cores do not, and positions decide which rows a model learns from."""
    numbers = {"key": [i * 7919 % 60_000 for i in range(60_000)], "at": list(range(60_000))}
    pq.write_table(pa.table(numbers), tmp_path / "left.parquet", row_group_size=5_000)
    pq.write_table(pa.table({"key": numbers["key"][::-1], "value": numbers["at"]}), tmp_path / "right.parquet")
    query = f"""
        SELECT l.key, avg(r.value) OVER (PARTITION BY l.key % 100 ORDER BY l.at) AS mean
        FROM '{tmp_path}/left.parquet' l JOIN '{tmp_path}/right.parquet' r USING (key)"""
    first, *others = [read(query).frame.fetch("SELECT key FROM rows ORDER BY rowid") for _ in range(4)]
    assert all(other == first for other in others)
