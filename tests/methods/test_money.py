from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shiplap.core.policy import Policy
from shiplap.methods.money import best_threshold, decisions_of, error_money, midway, offset_for, taken, value_curve

scores = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1))


def earned(score, worth, threshold):
    return float(np.where(score >= threshold, worth[:, 1], worth[:, 0]).sum())


@given(scores, st.integers(0, 2**32 - 1))
def test_no_threshold_earns_more_than_the_best_and_it_lies_on_no_score(score, seed):
    worth = np.random.default_rng(seed).integers(-5, 6, (len(score), 2)).astype(float)
    best = best_threshold(score, worth)
    assert best not in score
    levels = np.unique(score)
    wide = levels[np.append(True, np.diff(levels) > 1e-300)]
    tried = [*midway_of_all(wide), -2.0, 3.0]
    assert earned(score, worth, best) >= max(earned(score, worth, at) for at in tried) - 1e-9


def midway_of_all(levels):
    return [a + (b - a) / 2 for a, b in pairwise(levels) if a < a + (b - a) / 2 < b]


@given(scores, st.floats(-0.5, 1.5))
def test_moving_a_threshold_midway_changes_no_decision(score, at):
    moved = midway(score, at)
    assert moved not in score or np.diff(np.unique(score)).min() < 1e-300
    if moved not in score:
        assert ((score >= moved) == (score >= at)).all()


@given(scores, st.integers(0, 2**32 - 1))
def test_money_equals_the_sum_by_hand(score, seed):
    worth = np.random.default_rng(seed).normal(size=(len(score), 2))
    policy = Policy(task="binary", classes=("a", "b"), positive=1, threshold=0.5)
    found = taken(worth, decisions_of(policy, np.column_stack([1 - score, score])))
    by_hand = [row[1] if value >= 0.5 else row[0] for value, row in zip(score, worth, strict=True)]
    assert np.allclose(found, by_hand)
    assert np.allclose(value_curve(score, worth, np.array([0.5]))[:, 0], by_hand)


@given(st.integers(0, 2**32 - 1))
def test_the_matrix_policy_earns_most_in_expectation(seed):
    rng = np.random.default_rng(seed)
    shares, matrix = rng.dirichlet(np.ones(3), 20), rng.normal(size=(3, 3))
    policy = Policy(task="multiclass", classes=("a", "b", "c"), matrix=tuple(map(tuple, matrix.tolist())))
    for share, decided in zip(shares, decisions_of(policy, shares), strict=True):
        expected = [sum(share[actual] * matrix[choice, actual] for actual in range(3)) for choice in range(3)]
        assert np.isclose(max(expected), expected[decided])


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.floats(0.1, 10))
def test_no_other_offset_costs_less(seed, over, under):
    residual = np.random.default_rng(seed).normal(size=101)
    best = error_money(residual, np.full(101, offset_for(residual, over, under)), over, under).sum()
    for offset in np.linspace(-3, 3, 25):
        assert error_money(residual, np.full(101, offset), over, under).sum() <= best + 0.02 * abs(best)


def test_the_offset_of_equal_prices_is_the_median():
    assert offset_for(np.array([1.0, 2.0, 30.0]), 2.0, 2.0) == pytest.approx(2.0)
