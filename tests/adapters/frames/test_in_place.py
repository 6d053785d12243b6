"""Large Parquet files are read where they lie, and answer as copied ones do."""

import os

import numpy as np
import pandas as pd
import pytest

from shiplap.adapters.frames import facts, read
from shiplap.adapters.frames.facts import Relation, text_facts
from shiplap.adapters.frames.session import Session
from shiplap.core.errors import BriefError, TableError
from shiplap.scientist.explore import explore


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "number": rng.normal(size=5000),
            "plan": rng.choice(["basic", "gold", None], 5000),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 5000), unit="D"),
        }
    )


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shiplap.adapters.frames.source.LARGE", 0)


def test_answers_are_those_of_a_copy(rows, tmp_path, monkeypatch):
    for part in range(2):
        rows.iloc[part * 2500 : (part + 1) * 2500].to_parquet(tmp_path / f"{part}.parquet")
    copied = read(f"{tmp_path}/*.parquet")
    monkeypatch.setattr("shiplap.adapters.frames.source.LARGE", 0)
    lying = read(f"{tmp_path}/*.parquet")
    assert lying.schema == copied.schema
    assert lying.digest == copied.digest
    assert lying.frame.fetch("SELECT DISTINCT typeof(rowid) FROM rows") == [("BIGINT",)]
    for sql in (
        "SELECT * FROM rows ORDER BY rowid",
        "SELECT avg(number) FROM rows WHERE rowid IN (SELECT rowid FROM rows)",
    ):
        pd.testing.assert_frame_equal(lying.frame.pandas(sql), copied.frame.pandas(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "FROM rows ORDER BY rowid",
        "SELECT\n* FROM rows ORDER BY rowid",
        "select r.* from ROWS as r order by r.rowid",
        "SELECT * EXCLUDE (plan) FROM rows ORDER BY rowid",
        'SELECT a.*, b."SELECT * FROM rows" AS other FROM rows AS a '
        "JOIN rows AS b ON a.rowid = b.rowid + 1 ORDER BY b.rowid",
        "SELECT * FROM rows AS a JOIN (SELECT min(rowid) AS rowid FROM rows) AS b ON a.rowid = b.rowid",
        "SELECT * FROM (SELECT *, rowid AS place FROM rows) ORDER BY place",
        "WITH few AS (FROM rows WHERE rowid < 5) SELECT * FROM few UNION ALL FROM rows WHERE number > 3 ORDER BY 1",
        "SELECT max(COLUMNS(*)) FROM rows",
        """SELECT count(*), sum(number * 2), min('SELECT * FROM rows' || "SELECT * FROM rows") FROM rows""",
    ],
)
def test_a_star_stands_for_the_columns_alone(rows, tmp_path, monkeypatch, sql):
    rows["SELECT * FROM rows"] = rows["plan"]
    rows.to_parquet(tmp_path / "rows.parquet")
    copied = read(tmp_path / "rows.parquet")
    monkeypatch.setattr("shiplap.adapters.frames.source.LARGE", 0)
    pd.testing.assert_frame_equal(read(tmp_path / "rows.parquet").frame.pandas(sql), copied.frame.pandas(sql))


def test_a_file_that_changes_is_refused(rows, tmp_path, in_place):
    path = tmp_path / "rows.parquet"
    rows.to_parquet(path)
    table = read(path)
    assert table.frame.fetch("SELECT count(*) FROM rows") == [(5000,)]
    os.utime(path, ns=(0, 0))
    with pytest.raises(TableError, match="was changed while it was in use"):
        table.frame.fetch("SELECT count(*) FROM rows")


def test_no_other_file_is_read(rows, tmp_path, in_place):
    for name in ("rows", "other"):
        rows.to_parquet(tmp_path / f"{name}.parquet")
    table = read(tmp_path / "rows.parquet")
    with pytest.raises(TableError, match="Cannot access file"):
        table.frame.fetch(f"SELECT * FROM '{tmp_path}/other.parquet'")


def test_texts_that_stand_for_something_else_are_converted_once(rows, tmp_path, in_place):
    path = tmp_path / "rows.parquet"
    rows.assign(number=rows["number"].astype(str)).to_parquet(path)
    table = read(path)
    path.unlink()
    assert table.schema["number"].kind == "number"
    assert table.frame.fetch("SELECT count(number) FROM rows") == [(5000,)]


@pytest.mark.parametrize("texts", [["1.5", " 2", "-3e4"], ["1", "2", "30"], ["007", "1", "2"], ["1_000", "2", "nan"]])
def test_plain_numbers_are_judged_as_all_texts_are(texts, monkeypatch):
    session = Session()
    values = ", ".join(f"('{text}{i if text[-1].isdigit() else ''}')" for i in range(40) for text in texts)
    session.execute(f"CREATE TABLE raw AS SELECT * FROM (VALUES {values}) AS v(x)")
    column = Relation(session, "raw", "x", '"x"', 40 * len(texts), 40 * len(texts), 120)
    quick = text_facts(column)
    monkeypatch.setattr(facts, "_looks_plain", lambda column: False)
    assert quick == text_facts(column)


def test_a_cap_that_is_too_small_is_refused(rows):
    with pytest.raises(BriefError, match=r"budget.table_mb must be at least 128, not 5"):
        explore(rows, budget={"table_mb": 5})
