import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from shiplap.methods.intervals import Interval, Resampled, blocks_of, interval_of, resampled_means, wilson


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 200))
def test_an_interval_contains_its_estimate(seed, n):
    values = np.random.default_rng(seed).standard_cauchy(n)
    interval = interval_of(float(values.mean()), resampled_means(values, np.arange(n), replicates=50)[:, 0])
    assert interval.low <= interval.value <= interval.high


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        values = rng.exponential(1.0, 400)
        means = resampled_means(values, blocks_of(400), replicates=300, seed=seed)
        interval = interval_of(float(values.mean()), means[:, 0])
        covered += interval.low <= 1.0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_random_blocks_keep_the_spread_of_a_mean():
    values = np.random.default_rng(0).normal(size=20_000)
    spread = resampled_means(values, blocks_of(20_000), seed=1).std()
    assert spread == pytest.approx(1 / np.sqrt(20_000), rel=0.1)


def test_days_are_resampled_whole_so_dependence_widens_the_interval():
    rng = np.random.default_rng(0)
    time = np.repeat(np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]"), 50)
    values = np.repeat(rng.normal(size=60), 50) + rng.normal(size=3000) * 0.1
    by_day = resampled_means(values, blocks_of(3000, time=time)).std()
    alone = resampled_means(values, blocks_of(3000)).std()
    assert by_day > 4 * alone


def test_columns_share_the_resampling():
    values = np.random.default_rng(0).normal(size=(500, 1))
    both = resampled_means(np.hstack([values, values + 3.0]), np.arange(500))
    assert np.allclose(both[:, 1] - both[:, 0], 3.0)


@pytest.mark.parametrize(("hits", "trials"), [(0, 10), (5, 10), (10, 10), (3, 1000)])
def test_wilson_agrees_with_scipy(hits, trials):
    expected = binomtest(hits, trials).proportion_ci(method="wilson")
    assert wilson(hits, trials) == pytest.approx((expected.low, expected.high), abs=1e-9)


def rare_and_heavy(rng, n):
    """Rows of which a tenth bring an amount with a heavy tail; the mean is known."""
    amount = rng.lognormal(0.0, 1.0, n)
    return np.where(rng.random(n) < 0.1, amount, 0.0) - 0.1, 0.1 * np.exp(0.5) - 0.1


def share_held(draw, *, cases=150):
    held = np.zeros(2)
    for seed in range(cases):
        values, blocks, truth = draw(np.random.default_rng(seed))
        studentized = Resampled(values[:, None], blocks, replicates=400, seed=seed).interval([1.0])
        means = resampled_means(values, blocks, replicates=400, seed=seed)[:, 0]
        percentile = interval_of(float(values.mean()), means)
        held += [one.low <= truth <= one.high for one in (studentized, percentile)]
    return held / cases


def test_the_studentized_interval_holds_where_money_is_skewed():
    def draw(rng):
        values, truth = rare_and_heavy(rng, 400)
        return values, np.arange(400), truth

    studentized, percentile = share_held(draw)
    assert 0.89 <= studentized <= 0.99
    assert studentized > percentile


def test_the_studentized_interval_holds_with_a_dozen_days():
    def draw(rng):
        day = np.repeat(np.arange(12), rng.integers(5, 30, 12))
        return rng.normal(size=12)[day] + rng.exponential(1.0, len(day)) - 1.0, day, 0.0

    studentized, percentile = share_held(draw)
    assert 0.89 <= studentized <= 0.99
    assert studentized > percentile


def test_an_rmse_is_resampled_as_what_it_is():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(0, 3, 2000) ** 2, rng.normal(0, 2, 2000) ** 2])
    interval = Resampled(values, np.arange(2000)).interval([1.0, -1.0], root=True)
    assert interval.value == pytest.approx(np.sqrt(values[:, 0].mean()) - np.sqrt(values[:, 1].mean()))
    assert interval.low < 1.0 < interval.high
    assert (interval.high - interval.low) / 3.92 == pytest.approx(np.sqrt(9 / 4000 + 4 / 4000), rel=0.1)


def test_policies_that_never_differ_have_no_interval():
    values = np.random.default_rng(0).normal(size=(100, 1)) @ np.ones((1, 2))
    assert Resampled(values, np.arange(100)).interval([1.0, -1.0]) == Interval(0.0, 0.0, 0.0)
