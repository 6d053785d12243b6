"""Profiles: counts are exact, quantiles as near as promised, and what is wrong is found over all rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.adapters.frames import read
from shiplap.scientist.explore.profile import Tally, profile_of
from shiplap.scientist.explore.profile.figures import distribution, week_figure
from shiplap.scientist.explore.profile.findings import column_findings
from shiplap.scientist.explore.profile.tables import columns_table, numbers_table
from shiplap.scientist.explore.profile.tally import scale_of

LEVELS = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def profiled(frame: pd.DataFrame):
    table = read(frame)
    return profile_of(table, table.schema, table.frame.pandas("SELECT * FROM rows ORDER BY rowid LIMIT 2000"))


def said(frame: pd.DataFrame, today: str = "2026-01-01"):
    return column_findings(profiled(frame), frame.head(2000), today=np.datetime64(today))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 30_000
    return pd.DataFrame(
        {
            "normal": rng.normal(1e6, 1.0, n),
            "heavy": rng.pareto(0.8, n),
            "few": rng.integers(0, 7, n).astype(float),
            "age": np.where(rng.random(n) < 0.004, 999.0, rng.integers(18, 80, n)),
            "city": rng.choice(["Köln", "Koeln", "köln", "Bonn "], n, p=[0.5, 0.3, 0.1, 0.1]),
            "price": [f"{value:,} EUR" for value in rng.integers(1, 9000, n)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D"),
        }
    )


def test_counts_are_exact_and_quantiles_near(rows):
    profile = profiled(rows)
    assert {value.shown: value.rows for value in profile["city"].values} == rows["city"].value_counts().to_dict()
    for name in ("normal", "heavy", "few"):
        numbers, values = profile[name].numbers, rows[name].to_numpy()
        assert numbers.tally.n_rows == len(rows)
        assert (numbers.low, numbers.high) == (values.min(), values.max())
        np.testing.assert_allclose([numbers.mean, numbers.sd], [values.mean(), values.std(ddof=1)], rtol=1e-9)
        found, wanted = numbers.tally.quantiles(LEVELS), np.quantile(values, LEVELS, method="inverted_cdf")
        quarter = (wanted[4] - wanted[2]) / 4
        allowed = 0.011 * np.maximum(quarter, np.abs(wanted - wanted[3])) + 1e-9
        assert np.all(np.abs(found - wanted) <= allowed), name


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e12, 1e12, allow_subnormal=False), min_size=1, max_size=300),
    st.integers(0, 2**32 - 1),
)
def test_bins_hold_every_row_and_quantiles_lie_in_the_bin_of_the_truth(values, seed):
    data = np.sort(np.array(values))
    scale = scale_of(np.random.default_rng(seed).choice(data, 50))
    with np.errstate(over="ignore"):
        places = np.floor(np.arcsinh((data - scale.center) / scale.width) * 100.0)
    bins, rows = np.unique(places, return_counts=True)
    tally = Tally.of_bins(bins.tolist(), rows.tolist(), scale, data[0], data[-1])
    assert tally.n_rows == len(data)
    for level in LEVELS:
        truth = np.quantile(data, level, method="inverted_cdf")
        (found,) = tally.quantiles([level])
        place = int(np.searchsorted(bins, np.floor(np.arcsinh((truth - scale.center) / scale.width) * 100.0)))
        slack = 1e-9 * max(1.0, abs(truth), abs(scale.center), scale.width)
        for value in (truth, found):
            assert tally.low[place] - slack <= value <= tally.high[place] + slack


def test_histograms_count_every_row_once(rows):
    profile = profiled(rows)
    figure = distribution(profile["normal"])
    counted = np.histogram(rows["normal"], [*figure.data["low"], figure.data["high"][-1]])[0]
    assert np.abs(np.array(figure.data["rows"]) - counted).sum() < 0.02 * len(rows)
    assert sum(distribution(profile["day"]).data["rows"]) == len(rows)
    assert sum(distribution(profile["few"]).data["rows"]) == len(rows)


def test_what_is_wrong_with_a_column_is_said(rows):
    wrong = rows.assign(
        name=np.where(np.arange(len(rows)) % 50 == 0, "MÃ¼ller", "Meier"),
        note=np.where(np.arange(len(rows)) % 40 == 0, "a\u200bb", "ab"),
        status=np.where(np.arange(len(rows)) % 9 == 0, "unknown", rows["few"].map({0: "on"}).fillna("off")),
        flat=np.where(np.arange(len(rows)) < 20, "x", "y"),
        since=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(rows)) % 500, unit="D"),
    )
    wrong.loc[wrong.index[:40], "since"] = pd.Timestamp("1900-01-01")
    wrong = wrong[~wrong["day"].between("2024-03-01", "2024-03-20")]
    found = {(f.check, *f.columns): f for f in said(wrong)}
    assert found["column.placeholder", "age"].value == 999
    assert "'köln'" in found["column.spelling", "city"].means
    assert "Bonn " in found["column.blanks", "city"].means
    for check, name in (
        ("mojibake", "name"), ("invisible", "note"), ("placeholder", "status"), ("placeholder", "since"),
        ("near_constant", "flat"), ("numbers_as_text", "price"), ("gap", "day"),
    ):  # fmt: skip
        assert (f"column.{check}", name) in found
    assert found["column.gap", "day"].value == 20


def test_clean_columns_raise_nothing():
    rng = np.random.default_rng(1)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(5000) % 365, unit="D")
    clean = pd.DataFrame(
        {"x": rng.normal(size=5000), "n": rng.poisson(9, 5000), "plan": rng.choice(["Gold", "Basic"], 5000), "day": day}
    )
    assert [f.check for f in said(clean)] == []


def test_infinite_numbers_are_counted_apart():
    values = np.arange(3000.0)
    values[:5] = np.inf
    numbers = profiled(pd.DataFrame({"x": values})).columns[0].numbers
    assert (numbers.n_infinite, numbers.low, numbers.high) == (5, 5.0, 2999.0)
    assert numbers.mean == values[5:].mean()


def test_the_report_does_not_depend_on_threads(monkeypatch):
    """Threads share out blocks of 122,880 rows, and sum up in the order in which they finish."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"heavy": rng.pareto(0.8, 500_000), "few": rng.integers(0, 7, 500_000)})
    several = profiled(rows)
    monkeypatch.setattr("shiplap.adapters.frames.session._THREADS", 1)
    one = profiled(rows)
    assert columns_table(one, {}) == columns_table(several, {})
    assert numbers_table(one) == numbers_table(several)
    assert [distribution(column) for column in one.columns] == [distribution(column) for column in several.columns]


def test_the_week_is_counted_by_day_and_hour():
    rng = np.random.default_rng(3)
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 100 * 24, 9_000), unit="h")
    moments = moments[(moments.day_of_week < 5) & (moments.hour >= 7)]
    profile = profiled(pd.DataFrame({"at": moments, "on": moments.normalize()}))
    counted = np.zeros((7, 24), int)
    np.add.at(counted, (moments.day_of_week, moments.hour), 1)
    assert profile["at"].dates.week.tolist() == counted.tolist()
    figure, bars = week_figure(profile["at"]), week_figure(profile["on"])
    assert (figure.kind, bars.kind) == ("heatmap", "bar")
    assert bars.data["rows"] == [*moments.day_of_week.value_counts().sort_index(), 0, 0]
    cells = dict(zip(zip(figure.data["day"], figure.data["hour"], strict=True), figure.data["rows"], strict=True))
    assert cells["Friday", "23"] == counted[4, 23]
    found = {f.columns: f.means for f in said(pd.DataFrame({"at": moments})) if f.check == "column.weekdays"}
    assert found == {("at",): "'at' has hardly any rows on Saturday and Sunday"}


def test_moments_of_the_future_and_codes_among_the_others_are_counted():
    born = pd.Timestamp("1940-03-01") + pd.to_timedelta(np.random.default_rng(4).integers(0, 25_000, 4_000), unit="D")
    born = pd.Series(born)
    born[:60] = pd.Timestamp("1970-01-01")
    due = born.copy()
    due[:7] = pd.Timestamp("9999-12-31")
    due[7:27] = pd.Timestamp("2026-03-05")
    found = {(f.check, *f.columns): f for f in said(pd.DataFrame({"born": born, "due": due}), today="2026-03-04")}
    assert found["column.placeholder", "born"].means.startswith("'born' is 1970-01-01 on 60 rows")
    assert found["column.placeholder", "due"].means.startswith("'due' is 9999-12-31 on 7 rows")
    assert found["column.future", "due"].means == "'due' lies in the future on 20 rows: after 2026-03-04"
    assert ("column.future", "born") not in found
    assert not any(f.check == "column.future" for f in said(pd.DataFrame({"due": due}), today="2026-03-05"))


def test_moments_with_and_without_a_zone_are_told_apart():
    hours = pd.Series(pd.date_range("2024-01-01", periods=600, freq="h"))
    rows = {"zoned": hours.dt.tz_localize("UTC"), "bare": hours, "day": hours.dt.normalize()}
    found = {f.check: f for f in said(pd.DataFrame(rows)) if f.check.startswith("column.zone")}
    assert found["column.zone"].columns == ("zoned",)
    assert found["column.zones"].columns == ("bare",)
    assert "'day'" not in found["column.zones"].means
    assert not [f for f in said(pd.DataFrame({"bare": hours})) if f.check.startswith("column.zone")]


def test_where_moments_are_counted_by_months_codes_keep_their_day(monkeypatch):
    monkeypatch.setattr("shiplap.scientist.explore.profile.measure._MOST_DAYS", 100)
    until = pd.Series(pd.date_range("2020-01-01", periods=900, freq="D"))
    until[:5] = pd.Timestamp("2099-12-31")
    (found,) = said(pd.DataFrame({"until": until}), today="2022-12-31")
    assert (found.check, found.value) == ("column.placeholder", 5)
    assert found.means.startswith("'until' is 2099-12-31 on 5 rows")
