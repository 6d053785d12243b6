"""The LightGBM adapter: its estimators as they are, a bare ``Booster`` as an estimator of its objective."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin

from shiplap.adapters.frameworks.bare import Bare, Boosting, labels_of
from shiplap.adapters.frameworks.protocol import Ask

__all__ = ["LIGHTGBM", "BoosterClassifier", "BoosterRegressor", "LightGBM"]


class _Booster(Bare):
    @property
    def booster_(self) -> Any:
        """The booster itself."""
        return self.model

    @property
    def n_features_in_(self) -> int:
        return int(self.model.num_feature())

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        names = self.model.feature_name()
        if names == [f"Column_{place}" for place in range(len(names))]:
            raise AttributeError("the booster was trained without names")
        return np.array(names, dtype=object)


class BoosterRegressor(RegressorMixin, _Booster):  # type: ignore[misc]
    """A booster that answers with numbers; raw scores where the objective is the user's own."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the booster's answers."""
        return np.asarray(self.model.predict(X, num_threads=1))


class BoosterClassifier(ClassifierMixin, _Booster):  # type: ignore[misc]
    """A booster with a classification objective, and the names of its classes."""

    def __init__(self, model: Any, classes: NDArray[Any]) -> None:
        super().__init__(model)
        self.classes = self.classes_ = classes

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return probabilities, one column a class."""
        answers = np.asarray(self.model.predict(X, num_threads=1))
        return np.column_stack([1.0 - answers, answers]) if answers.ndim == 1 else answers

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class LightGBM(Boosting):
    """Lowers LightGBM's estimators and boosters, and asks them for their own answers.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0] * 20})
    >>> data = lightgbm.Dataset(rows, rows["x"] > 1)
    >>> booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 2)
    >>> frame, columns = LIGHTGBM.sample(rows, booster)
    >>> LIGHTGBM.lower(booster, frame, columns).classes
    (0, 1)
    """

    name = "lightgbm"
    errors = (lightgbm.basic.LightGBMError,)

    def estimator(self, model: Any, ask: Ask = Ask()) -> Any:
        """Return a model as an estimator; an objective of the user's own leaves raw scores."""
        if isinstance(model, lightgbm.LGBMClassifier) and callable(model.objective) and hasattr(model, "booster_"):
            return BoosterRegressor(model.booster_)
        if not isinstance(model, lightgbm.Booster):
            return model
        objective = _objective(model)
        if objective not in {"binary", "multiclass", "multiclassova"}:
            return BoosterRegressor(model)
        return BoosterClassifier(model, labels_of(ask, max(2, model.num_model_per_iteration())))


LIGHTGBM = LightGBM()


def _objective(booster: Any) -> str:
    head, _, _ = booster.model_to_string(num_iteration=1).partition("\nTree=")
    line = next((line for line in head.splitlines() if line.startswith("objective=")), "objective=")
    return str(line.partition("=")[2].partition(" ")[0])
