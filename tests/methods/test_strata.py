import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import mannwhitneyu, ttest_ind

from shiplap.methods.groups import group_differences
from shiplap.methods.strata import slopes, stratified


def made(n: int = 3000):
    rng = np.random.default_rng(0)
    strata = rng.integers(0, 4, n)
    X = np.column_stack([rng.normal(size=n) + strata, rng.random(n) < 0.2 + 0.15 * strata]).astype(float)
    y = -0.5 * X[:, 0] + 0.3 * X[:, 1] + 2.0 * strata + rng.normal(size=n) * (1 + (strata == 2))
    return X, y, strata


def test_slopes_over_all_rows_are_those_of_regressions_with_robust_errors():
    X, y, _ = made()
    found = slopes(X, y)
    for at in range(2):
        fit = sm.OLS(y, sm.add_constant(X[:, at])).fit(cov_type="HC0")
        assert found.slope[at] == pytest.approx(fit.params[1])
        assert found.error[at] == pytest.approx(fit.bse[1])
        assert found.p[at] == pytest.approx(fit.pvalues[1], rel=1e-4, abs=1e-300)


def test_slopes_within_strata_are_those_of_a_regression_with_a_constant_each():
    X, y, strata = made()
    overall = slopes(X, y)
    found = stratified(X, y, strata, overall)
    for at in range(2):
        design = np.column_stack([X[:, at], np.eye(4)[strata]])
        fit = sm.OLS(y, design).fit(cov_type="HC0")
        assert found.pooled.slope[at] == pytest.approx(fit.params[0])
        assert found.pooled.error[at] == pytest.approx(fit.bse[0])
    assert overall.slope[0] > 0 > found.pooled.slope[0]
    assert found.p_turned[0] < 1e-9
    assert found.n_against.tolist()[0] == found.n_strata.tolist()[0] == 4
    assert found.against[0] == pytest.approx(1)
    assert found.p_turned[1] > 0.5


def test_small_strata_and_what_does_not_vary_say_nothing():
    X, y, strata = made(200)
    X[:, 1] = strata == 2
    strata = np.append(strata[:-5], np.full(5, 9))
    found = stratified(X, y, strata, slopes(X, y))
    assert found.n_strata[0] == 4
    constant = stratified(np.ones((200, 1)), y, strata, slopes(np.ones((200, 1)), y))
    assert constant.n_strata.tolist() == [0]
    assert np.isnan(constant.p_turned[0])


def test_a_group_is_held_against_all_other_rows():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 3, 600)
    y = rng.normal(size=600) * (1 + codes) + (codes == 1)
    names = ["a", "b", "c"]
    found = {group.value: group for group in group_differences({"shop": (codes, names)}, y)}
    for code, name in enumerate(names):
        inside, outside = y[codes == code], y[codes != code]
        assert found[name].difference == pytest.approx(inside.mean() - outside.mean())
        interval = ttest_ind(inside, outside, equal_var=False).confidence_interval(0.95)
        assert found[name].low <= interval.low < interval.high <= found[name].high
        assert found[name].p >= mannwhitneyu(inside, outside, use_continuity=False).pvalue * 0.99
    assert found["b"].is_sure


def test_groups_of_a_shuffled_target_do_not_differ():
    any_found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        groups = {str(at): (rng.integers(0, 12, 1000), [str(code) for code in range(12)]) for at in range(4)}
        any_found.append(any(one.is_sure for one in group_differences(groups, (rng.random(1000) < 0.1).astype(float))))
    assert np.mean(any_found) <= 0.09  # five of a hundred expected at the most


def test_shown_intervals_hold_the_truth_as_often_as_stated():
    held = []
    names = [str(code) for code in range(10)]
    truth = np.where(np.arange(10) < 3, 0.6, 0.0)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 10, 2000)
        others = np.array([truth[codes[codes != code]].mean() for code in range(10)])
        found = group_differences({"g": (codes, names)}, truth[codes] + rng.normal(size=2000))
        exact = truth - others
        held += [one.low <= exact[int(one.value)] <= one.high for one in found if one.is_sure]
    assert np.mean(held) >= 0.94


def test_a_share_of_nothing_is_not_certain():
    codes = np.repeat([0, 1], [20, 980])
    y = np.where(codes == 1, np.arange(1000) % 20 == 0, 0).astype(float)
    (one, _) = group_differences({"g": (codes, ["few", "many"])}, y)
    assert not one.is_sure
