"""What a table's frame answers: the types rooms rely on, in constant memory, from any thread, and nothing else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from shiplap.adapters.frames import read
from shiplap.core.errors import TableError
from shiplap.core.table import Table


@pytest.fixture(scope="module")
def table() -> Table:
    rows = {
        "x": [1, None, 3],
        "flag": [True, False, None],
        "day": ["2013-01-02", None, "2013-01-04T05:06:07.5"],
        "plan": ["a", None, "b"],
    }
    return read(rows)


def test_pandas_types(table: Table) -> None:
    frame = table.frame.pandas("SELECT *, count(*) OVER () AS n, x > 1 AS more, NULL AS none FROM rows")
    assert [str(kind) for kind in frame.dtypes] == [
        "float64", "float64", "datetime64[us]", "object", "float64", "float64", "object",
    ]  # fmt: skip
    assert frame["plan"].tolist() == ["a", None, "b"]
    np.testing.assert_array_equal(frame["flag"], [1.0, 0.0, np.nan])
    assert frame["day"].tolist()[2] == pd.Timestamp("2013-01-04T05:06:07.5")
    assert list(frame.columns)[:4] == ["x", "flag", "day", "plan"]


def test_encoders_take_its_missing_values(table: Table) -> None:
    plans = table.frame.pandas("SELECT plan FROM rows ORDER BY rowid")
    known = OrdinalEncoder(categories=[["a", "b"]], handle_unknown="use_encoded_value", unknown_value=np.nan).fit(plans)
    np.testing.assert_array_equal(known.transform(plans).ravel(), [0, np.nan, 1])
    np.testing.assert_array_equal(OrdinalEncoder().fit_transform(plans).ravel(), [0, 2, 1])
    assert OneHotEncoder(sparse_output=False).fit_transform(plans).shape == (3, 3)


def test_pandas_of_no_rows(table: Table) -> None:
    frame = table.frame.pandas("SELECT * FROM rows WHERE x > 99")
    assert frame.shape == (0, 4)
    assert str(frame["plan"].dtype) == "object"


def test_batches_are_of_the_size_asked_for() -> None:
    table = read({"x": list(range(10_000))})
    batches = list(table.frame.batches("SELECT x FROM rows ORDER BY rowid", rows=3_000))
    assert all(batch.num_rows <= 3_000 for batch in batches)
    assert pa.Table.from_batches(batches).num_rows == 10_000


def test_batches_stream_in_constant_memory() -> None:
    table = read({"x": [1, 2]})
    before = pa.total_allocated_bytes()
    stream: Iterator[pa.RecordBatch] = table.frame.batches("SELECT i, i * 2.5 AS y FROM range(20_000_000) t(i), rows")
    seen = [next(stream).num_rows for _ in range(20)]
    assert sum(seen) <= 20 * 65_536
    assert pa.total_allocated_bytes() - before < 64 * 2**20


def test_several_threads_ask_at_once() -> None:
    table = read({"x": [i % 100 for i in range(50_000)]})
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: table.frame.fetch(f"SELECT sum(x) + {i} FROM rows")[0][0], range(40)))
    assert answers == [2_475_000.0 + i for i in range(40)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM 'secret.csv'",
        "SELECT * FROM read_text('secret.csv')",
        "COPY rows TO 'out.csv'",
        "ATTACH 'out.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT * FROM local",
    ],
)
def test_no_files_settings_or_variables(
    sql: str, table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    local = pd.DataFrame({"a": [1]})
    with pytest.raises(TableError) as caught:
        table.frame.fetch(sql)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"]
    assert len(local) == 1
