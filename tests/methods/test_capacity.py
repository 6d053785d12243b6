import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.core.brief import Brief, Capacity
from shiplap.core.errors import BriefError
from shiplap.methods.capacity import acted_shares, brought, limits, periods, words
from shiplap.methods.question import pose


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0.1, 12.0))
def test_the_best_ranked_come_first_and_the_limit_is_kept(seed, n, limit):
    rng = np.random.default_rng(seed)
    priority, wanted = rng.integers(0, 8, n).astype(float), rng.random(n) < 0.7
    period = np.unique(rng.integers(0, 4, n), return_inverse=True)[1]
    most = np.full(period.max() + 1, limit)
    shares = acted_shares(priority, wanted, period, most)
    asked = np.bincount(period, wanted, len(most))
    assert np.bincount(period, shares, len(most)) == pytest.approx(np.minimum(asked, most))
    assert (shares[~wanted] == 0).all()
    for one in range(len(most)):
        inside = wanted & (period == one)
        order = np.argsort(-priority[inside], kind="stable")
        ranked, acted = priority[inside][order], shares[inside][order]
        assert (np.diff(acted) <= 1e-12).all()
        assert all(np.ptp(acted[ranked == value]) < 1e-12 for value in np.unique(ranked))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(0.1, 12.0))
def test_what_places_are_worth_adds_up_to_what_acting_brings(seed, n, limit):
    rng = np.random.default_rng(seed)
    gain, priority, wanted = rng.normal(size=n), rng.integers(0, 8, n).astype(float), rng.random(n) < 0.7
    period = np.unique(rng.integers(0, 4, n), return_inverse=True)[1]
    most = np.full(period.max() + 1, limit)
    found, acted = brought(gain, priority, wanted, period, most), acted_shares(priority, wanted, period, most)
    assert np.bincount(period, found) == pytest.approx(np.bincount(period, acted * gain))
    free = (np.bincount(period, wanted, len(most)) <= limit)[period]
    assert found[free] == pytest.approx((acted * gain)[free])


def test_rows_drawn_anew_bring_as_much_as_places_there_are():
    """The error of the sum is that of new samples, of which each is ranked anew; not that of a limit that varies."""
    rng = np.random.default_rng(0)
    n, draws = 400, 400
    sums, told = [], []
    for _ in range(draws):
        score = rng.normal(size=n)
        gain, limit = np.exp(score) + rng.normal(size=n) * 0.2, np.array([0.3 * n])
        found = brought(gain, score, np.ones(n, bool), np.zeros(n, np.int64), limit)
        sums.append(found.sum())
        told.append(found.std() * np.sqrt(n))
        plain = (acted_shares(score, np.ones(n, bool), np.zeros(n, np.int64), limit) * gain).std() * np.sqrt(n)
    assert np.mean(told) == pytest.approx(np.std(sums), rel=0.12)
    assert plain > 1.2 * np.std(sums)


def dated(capacity):
    rows = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=80, freq="6h"), "a": np.arange(80.0)})
    rows["y"] = np.arange(80) % 3 == 0
    return pose(rows, None, {"target": "y", "time": "at", "value": {"tp": 1}, "capacity": capacity})


@pytest.mark.parametrize(
    ("capacity", "n_periods", "limit"),
    [
        ({"per_hour": 5}, 80, 1),
        ({"per_day": 3}, 20, 3),
        ({"per_week": 7}, 3, 7),
        ({"per_month": 40}, 1, 40),
        ({"share": 0.25}, 20, 1),
    ],
)
def test_periods_are_those_of_the_calendar(capacity, n_periods, limit):
    """The first of January 2024 was a Monday, so 20 days are three weeks."""
    problem = dated(capacity)
    period = periods(problem, np.arange(80))
    assert limits(problem, period).tolist() == [limit] * n_periods


def test_a_capacity_by_the_day_needs_a_time_column():
    problem = pose({"a": [0.5, 2.5, 1.5] * 20, "y": [0, 1, 1] * 20}, None, {"target": "y", "capacity": {"per_day": 3}})
    with pytest.raises(BriefError, match="3 a day needs a time column"):
        periods(problem, np.arange(60))


@pytest.mark.parametrize(
    "capacity", [{}, {"share": 0.1, "per_day": 5}, {"share": 1.5}, {"per_day": 0}, {"per_day": float("inf")}]
)
def test_a_capacity_that_says_nothing_or_too_much_is_refused(capacity):
    with pytest.raises(BriefError, match="capacity"):
        Brief.make(target="y", capacity=capacity)


def test_capacities_are_said_as_people_say_them():
    said = [words(Capacity(**{name: 20})) for name in ("per_hour", "per_day", "per_week", "per_month")]
    assert said == ["20 an hour", "20 a day", "20 a week", "20 a month"]
