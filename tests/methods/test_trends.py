import numpy as np
import pytest
import statsmodels.datasets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from shiplap.methods.trends import changes, course_of
from shiplap.methods.trends.noise import Noise, noise_of, simulated
from shiplap.methods.trends.reference import largest_step, season_strength


def autocorrelated(n: int, memory: float, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(size=n + 100)
    return lfilter([1.0], [1.0, -memory], steps)[100:]


def test_the_nile_fell_when_the_dam_was_begun():
    river = statsmodels.datasets.nile.load_pandas().data
    found = changes(river["volume"].to_numpy(float))
    assert len(found) == 1
    assert 1898 in range(int(river["year"][found[0].low]), int(river["year"][found[0].high]) + 1)
    assert found[0].step_low < -247 < found[0].step_high


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8])
def test_neighbors_that_are_alike_are_no_change_and_no_trend(memory):
    courses = [course_of(autocorrelated(200, memory, seed), periods=(7,)) for seed in range(20)]
    assert sum(bool(course.changes) for course in courses) <= 1
    assert sum(course.trend is not None for course in courses) <= 1
    assert sum(bool(course.seasons) for course in courses) <= 1


def test_changes_are_placed_and_sized_within_their_intervals():
    held = found = 0
    for seed in range(20):
        series = autocorrelated(300, 0.5, seed)
        series[90:] += 5
        series[210:] -= 8
        got = changes(series, seed=seed)
        found += len(got) == 2
        if len(got) == 2:
            held += all(change.low <= at <= change.high for change, at in zip(got, (90, 210), strict=True))
            assert got[0].step_low < 5 < got[0].step_high or got[1].step_low < -8 < got[1].step_high
    assert found >= 18
    assert held >= found - 2


def test_a_trend_is_no_staircase_and_its_interval_holds():
    courses = [course_of(autocorrelated(300, 0.5, seed) + np.linspace(0, 9, 300)) for seed in range(20)]
    assert sum(course.trend is not None and not course.changes for course in courses) >= 18
    held = [course.trend.low < 9 < course.trend.high for course in courses if course.trend]
    assert np.mean(held) >= 0.85


def test_carbon_dioxide_rises_and_breathes_every_year():
    air = statsmodels.datasets.co2.load_pandas().data["co2"].resample("MS").mean()
    course = course_of(air.to_numpy(), periods=(12,))
    assert [season.period for season in course.seasons] == [12]
    assert course.seasons[0].strength > 0.95
    assert int((air.index[0].month - 1 + course.seasons[0].shape.argmax()) % 12) + 1 == 5
    assert course.trend.low > 50
    assert np.isfinite(course.adjusted).all()


def test_single_wild_values_are_no_change():
    series = autocorrelated(300, 0.3, 0)
    series[[40, 41, 200]] += 60
    assert changes(series) == ()


def test_what_cannot_be_described_is_left_alone():
    assert course_of(np.ones(100)) is None
    assert course_of(np.arange(8.0)) is None
    assert course_of(np.where(np.arange(100) % 2, np.nan, np.arange(100.0))) is None
    assert changes(np.arange(20.0)) == ()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000), st.floats(0.01, 1_000), st.floats(-1_000, 1_000))
def test_unit_and_origin_do_not_matter(seed, scale, shift):
    series = autocorrelated(120, 0.4, seed) + 6.0 * (np.arange(120) > 70)
    plain, other = changes(series), changes(series * scale + shift)
    assert [change.place for change in other] == [change.place for change in plain]
    assert [change.step for change in other] == pytest.approx([change.step * scale for change in plain], rel=1e-6)


@pytest.mark.parametrize("coefficients", [[0.0], [0.7], [0.4, 0.3]])
def test_the_noise_is_found_that_a_series_is_made_of(coefficients):
    made = Noise(np.array(coefficients), 1.0, 1.0)
    series = simulated(made, 3_000, repeats=1, rng=np.random.default_rng(1))[0]
    assert noise_of(series).long_run == pytest.approx(made.long_run, rel=0.2)


def test_a_bump_that_hides_one_edge_behind_the_other_is_found():
    series = autocorrelated(300, 0.3, 1)
    series[120:180] += 4
    found = changes(series)
    assert [round(change.place, -1) for change in found] == [120, 180]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.integers(2, 9))
def test_the_strength_of_a_season_is_a_share(seed, period):
    series = np.random.default_rng(seed).normal(size=(3, 60))
    strength = season_strength(series, period)
    assert ((strength >= 0) & (strength <= 1 + 1e-9)).all()
    assert (largest_step(series, 5) >= 0).all()
