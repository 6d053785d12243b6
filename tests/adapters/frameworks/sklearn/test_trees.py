"""Trees of several targets and the options of boosting."""

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from shiplap.core.errors import RefusedError

SMALL = {"max_depth": 4, "random_state": 0}


@pytest.mark.parametrize(
    "model",
    [DecisionTreeClassifier(**SMALL), RandomForestClassifier(4, **SMALL), ExtraTreesClassifier(4, **SMALL)],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_classes_of_several_targets(model, method, plain, proven):
    lowered = proven(model.fit(plain["rows"], plain["mixed"]), plain["rows"], method)
    assert lowered.task == "tensor"
    assert len(lowered.outputs) == (5 if method == "predict_proba" else 2)


@pytest.mark.parametrize(
    "model",
    [DecisionTreeRegressor(**SMALL), RandomForestRegressor(4, **SMALL), ExtraTreesRegressor(4, **SMALL)],
    ids=lambda value: type(value).__name__,
)
def test_numbers_of_several_targets(model, plain, proven):
    assert proven(model.fit(plain["rows"], plain["several"]), plain["rows"]).outputs == ("y0", "y1")


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_losses_of_gradient_boosting(loss, plain, proven):
    proven(GradientBoostingRegressor(loss=loss, n_estimators=5).fit(plain["rows"], plain["score"]), plain["rows"])


@pytest.mark.parametrize("loss", ["absolute_error", "gamma", "poisson", "quantile"])
def test_losses_of_histogram_boosting(loss, plain, proven):
    model = HistGradientBoostingRegressor(loss=loss, quantile=0.3, max_iter=5, monotonic_cst=[1, 0, -1, 0])
    proven(model.fit(plain["rows"], plain["positive"]), plain["rows"])


def test_boosting_that_stopped_early(plain, proven):
    model = GradientBoostingClassifier(n_estimators=30, subsample=0.7, n_iter_no_change=1, tol=0.1, random_state=0)
    model.fit(plain["rows"], plain["texts"])
    assert len(model.estimators_) < 30
    for method in ("predict_proba", "decision_function", "predict"):
        proven(model, plain["rows"], method)


def test_missing_values_and_native_categories_of_numbers(plain, proven):
    rows = plain["rows"].copy()
    rows[:, 3] = np.random.default_rng(0).integers(0, 5, len(rows))
    rows[::7, 1] = rows[::5, 3] = np.nan
    proven(HistGradientBoostingRegressor(max_iter=5, categorical_features=[3]).fit(rows, plain["score"]), rows)
    proven(RandomForestRegressor(4, **SMALL).fit(rows, plain["score"]), rows)


def test_boosting_that_starts_from_another_model_is_refused(plain, proven):
    model = GradientBoostingRegressor(n_estimators=2, init=LinearRegression()).fit(plain["rows"], plain["score"])
    with pytest.raises(RefusedError, match="starts from a LinearRegression"):
        proven(model, plain["rows"])
