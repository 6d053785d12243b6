"""The XGBoost adapter: its estimators as they are, a bare ``Booster`` as an estimator that predicts with all trees."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin

from shiplap.adapters.frameworks.bare import Bare, Boosting, labels_of
from shiplap.adapters.frameworks.protocol import Ask

__all__ = ["XGBOOST", "BoosterClassifier", "BoosterRegressor", "XGBoost"]

_CLASSIFIES = {"binary:logistic", "binary:hinge", "multi:softprob", "multi:softmax"}


class _Booster(Bare):
    by_matrix = True

    @property
    def n_features_in_(self) -> int:
        return int(self.model.num_features())

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        names = self.model.feature_names
        if names is None:
            raise AttributeError("the booster was trained without names")
        return np.array(names, dtype=object)

    def get_booster(self) -> Any:
        """Return the booster itself."""
        return self.model

    def _get_iteration_range(self, iteration_range: Any) -> tuple[int, int]:
        del iteration_range
        return 0, 0

    def _answers(self, X: Any, *, margin: bool = False) -> NDArray[Any]:
        types = None if isinstance(X, pd.DataFrame) else self.model.feature_types
        rows = xgboost.DMatrix(X, nthread=1, feature_types=types, enable_categorical=True)
        return np.asarray(self.model.predict(rows, output_margin=margin, validate_features=isinstance(X, pd.DataFrame)))


class BoosterRegressor(RegressorMixin, _Booster):  # type: ignore[misc]
    """A bare booster that answers with numbers: as its own ``predict``, with every tree that it holds."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the booster's answers."""
        return self._answers(X)


class BoosterClassifier(ClassifierMixin, _Booster):  # type: ignore[misc]
    """A bare booster with a classification objective, and the names of its classes."""

    def __init__(self, model: Any, classes: NDArray[Any]) -> None:
        super().__init__(model)
        self.classes = self.classes_ = classes

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return probabilities, one column a class."""
        if len(self.classes_) == 2:
            positive = self._answers(X)
            if positive.ndim == 1:
                return np.column_stack([np.float32(1.0) - positive, positive])
        margin = self._answers(X, margin=True)
        parts = np.exp(margin - margin.max(axis=1, keepdims=True))
        return np.asarray(parts / parts.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class XGBoost(Boosting):
    """Lowers XGBoost's estimators and boosters, and asks them for their own answers.

    Examples
    --------
    >>> rows = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
    >>> booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, [1.0, 1.0, 5.0, 5.0]), 2)
    >>> frame, columns = XGBOOST.sample(rows, booster)
    >>> XGBOOST.lower(booster, frame, columns).task
    'regression'
    """

    name = "xgboost"
    errors = (xgboost.core.XGBoostError, AssertionError)  # it asserts that no category holds a NUL

    def estimator(self, model: Any, ask: Ask = Ask()) -> Any:
        """Return a model as an estimator; a booster is a classifier where its objective makes it one."""
        if not isinstance(model, xgboost.Booster):
            return model
        learner = json.loads(model.save_config())["learner"]
        parameters = learner["learner_model_param"]
        if learner["objective"]["name"] not in _CLASSIFIES or int(parameters["num_target"]) > 1:
            return BoosterRegressor(model)
        return BoosterClassifier(model, labels_of(ask, max(2, int(parameters["num_class"]))))

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[np.float64]:
        """Return the original's answers.

        XGBoost takes a column of nothing but empty texts for one without categories, and reads its codes as they are;
        beside any other category it refuses an empty text. The answer must not depend on the other rows: refused.
        """
        for name in frame.select_dtypes("category"):
            if frame[name].cat.categories.tolist() == [""]:
                raise ValueError(f"column '{name}': the empty text is no category that the model knows")
        return super().outputs(model, frame, ask)


XGBOOST = XGBoost()
