import numpy as np
import pandas as pd
import pytest

from shiplap.methods.leaks.copies import is_copy
from shiplap.methods.leaks.dominant import stands_out
from shiplap.methods.leaks.encodings import left_in
from shiplap.methods.leaks.gaps import missing_pattern
from shiplap.methods.leaks.joint import identities, separating_pairs


def test_missing_with_the_label_is_judged_by_its_share():
    def judged(unlabelled, labelled):
        return missing_pattern(
            n_unlabelled=1000, missing_unlabelled=unlabelled, n_labelled=10_000, missing_labelled=labelled
        )

    assert judged(1000, 0) == "fail"
    assert judged(600, 100) == "warn"
    assert judged(1000, 5000) is None
    assert judged(270, 0) is None
    assert missing_pattern(n_unlabelled=5, missing_unlabelled=5, n_labelled=100, missing_labelled=0) is None


@pytest.mark.parametrize("transform", [lambda y: 3 * y - 7, np.exp, lambda y: -(y**3), np.round])
def test_a_monotone_transform_is_a_copy(transform):
    y = np.random.default_rng(0).normal(size=500) * 3
    rounded = transform is np.round
    assert is_copy(transform(y), y) is not rounded


def test_a_noisy_relative_is_no_copy():
    y = np.random.default_rng(0).normal(size=500)
    assert not is_copy(y + np.random.default_rng(1).normal(size=500) * 0.3, y)


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (lambda a, b: a + b, "sum"),
        (lambda a, b: a - b, "difference"),
        (lambda a, b: 0.3 * a + 2 * b + 5, "combination"),
    ],
)
def test_a_target_made_of_two_columns_is_found(make, form):
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(400, 5)), columns=list("abcde"))
    numbers.loc[::7, "c"] = np.nan
    found = identities(numbers, make(numbers["b"], numbers["d"]).to_numpy())
    assert [(set(item.columns), item.form) for item in found] == [({"b", "d"}, form)]


def test_a_target_made_of_three_columns_is_found():
    numbers = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 6)), columns=list("abcdef"))
    (found,) = identities(numbers, (numbers["a"] + 2 * numbers["c"] - numbers["f"]).to_numpy())
    assert set(found.columns) == {"a", "c", "f"}


def test_clock_times_are_subtracted_as_times_also_past_midnight():
    rng = np.random.default_rng(0)
    planned = rng.integers(0, 1440, 500)
    late = rng.integers(-20, 200, 500)
    real = (planned + late) % 1440
    numbers = pd.DataFrame({"planned": planned, "real": real}).map(lambda m: float(m // 60 * 100 + m % 60))
    (found,) = identities(numbers, late.astype(float))
    assert found.form == "clock difference"
    assert separating_pairs(numbers, late > 15)[0].form == "clock difference"


def test_of_many_columns_the_finest_are_paired():
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.integers(0, 5, (300, 70)).astype(float), columns=[f"c{i}" for i in range(70)])
    late = rng.random(300) < 0.4
    numbers["due"] = rng.random(300) * 100
    numbers["paid"] = numbers["due"] + np.where(late, 1, -1) * rng.exponential(3, 300)
    assert [set(found.columns) for found in separating_pairs(numbers, late)] == [{"due", "paid"}]


def test_noise_gives_no_identity():
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(400, 12)), columns=list("abcdefghijkl"))
    target = (numbers["a"] + numbers["b"]).to_numpy() + rng.normal(size=400)
    assert identities(numbers, target) == []
    assert separating_pairs(numbers, target > 1.5) == []


def test_a_strong_column_among_strong_ones_does_not_stand_out():
    assert stands_out(0.94, 0.95) is None
    assert stands_out(0.87, 0.93) is None
    assert stands_out(0.75, 0.1) is None
    assert stands_out(0.99, 0.4) == "fail"
    assert stands_out(0.94, 0.59) == "warn"
    assert stands_out(0.94, 0.59, pure=0.95) == "fail"
    assert stands_out(0.94, 0.9, pure=0.95) == "warn"


@pytest.mark.parametrize("smoothing", [0, 5, 20])
def test_groups_of_equal_size_and_mean_are_one_value_of_an_encoding(smoothing):
    """Without the category only the values group the rows: several groups stand behind some of them."""
    rng = np.random.default_rng(smoothing)
    sizes = rng.integers(2, 12, 120)
    group = np.repeat(np.arange(120), sizes)
    y = (rng.random(len(group)) < 0.4).astype(float)
    mean = (np.bincount(group, y) + smoothing * y.mean()) / (sizes + smoothing)
    codes, values = pd.factorize(mean[group].round(12))
    assert len(values) < 120
    assert left_in(mean[group], y, codes, len(values))
    elsewhere = (rng.binomial(sizes, 0.4) + smoothing * y.mean()) / (sizes + smoothing)
    codes, values = pd.factorize(elsewhere[group].round(12))
    assert not left_in(elsewhere[group], y, codes, len(values))
