import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from shiplap.methods.multiple import corrected, selected_level


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=50))
def test_corrected_values_are_larger_and_keep_their_order(p):
    given_p = np.array(p)
    found = corrected(given_p)
    assert np.all(found >= given_p * (1 - 1e-12))
    order = np.argsort(given_p, kind="stable")
    assert np.all(np.diff(found[order]) >= -1e-12)


def test_what_was_not_tested_does_not_count():
    alone = corrected(np.array([0.01, 0.2]))
    assert corrected(np.array([0.01, np.nan, 0.2]))[[0, 2]] == pytest.approx(alone)
    assert np.isnan(corrected(np.array([np.nan, np.nan]))).all()
    assert not len(corrected(np.array([])))


def test_depending_tests_of_nothing_find_something_at_most_as_often_as_stated():
    rng = np.random.default_rng(0)
    any_found = [
        np.any(corrected(norm.sf(0.7 * rng.normal() + np.sqrt(0.51) * rng.normal(size=30))) <= 0.05)
        for _ in range(1000)
    ]
    assert np.mean(any_found) <= 0.05


def test_intervals_of_few_selected_are_wider():
    assert selected_level(1, 100) == pytest.approx(0.9995)
    assert selected_level(100, 100) == pytest.approx(0.95)
