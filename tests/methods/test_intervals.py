import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from shiplap.methods.intervals import blocks_of, interval_of, resampled_means, wilson


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
