"""The CatBoost adapter: classifiers, regressors and rankers, and bare models as what their loss makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import catboost
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin

from shiplap.adapters.frameworks.bare import Bare, Boosting
from shiplap.adapters.frameworks.protocol import Ask, Lowered
from shiplap.core.errors import RefusedError
from shiplap.core.schema import Column

__all__ = ["CATBOOST", "CatBoost", "ModelClassifier", "ModelRegressor"]

_CLASSIFIES = ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll", "MultiLogloss", "MultiCrossEntropy")


class _Model(Bare):
    def __init__(self, model: Any, known: Any = None) -> None:
        super().__init__(model)
        self.known = known

    @property
    def n_features_in_(self) -> int:
        return len(self.model.feature_names_)

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        names = list(self.model.feature_names_)
        if names == [str(place) for place in range(len(names))]:
            raise AttributeError("the model was trained without names")
        return np.array(names, dtype=object)


class ModelRegressor(RegressorMixin, _Model):  # type: ignore[misc]
    """A CatBoost model that answers with numbers."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the model's answers."""
        return np.asarray(self.model.predict(X, thread_count=1))


class ModelClassifier(ClassifierMixin, _Model):  # type: ignore[misc]
    """A CatBoost model that answers with classes."""

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels in the order of the probabilities."""
        return np.asarray(self.model.classes_)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return probabilities, one column a class."""
        return np.asarray(self.model.predict_proba(X, thread_count=1))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the classes that the model names."""
        labels = np.asarray(self.model.predict(X, thread_count=1))
        return labels.ravel() if labels.ndim == 2 and labels.shape[1] == 1 else labels


class CatBoost(Boosting):
    """Lowers CatBoost's models, and asks them for their own answers.

    Examples
    --------
    >>> rows = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
    >>> model = catboost.CatBoostRegressor(iterations=2, thread_count=1, verbose=0, allow_writing_files=False)
    >>> frame, columns = CATBOOST.sample(rows, model.fit(rows, [1.0, 1.0, 5.0, 5.0]))
    >>> CATBOOST.lower(model, frame, columns).task
    'regression'
    """

    name = "catboost"
    errors = (catboost.CatBoostError,)

    def estimator(self, model: Any, ask: Ask = Ask()) -> Any:
        """Return a model as an estimator: a classifier where its loss makes it one."""
        del ask
        if isinstance(model, Bare):
            return model
        if not model.is_fitted():
            raise RefusedError(f"{type(model).__name__} is not fitted", hint="call fit before packing")
        loss = str(model.get_all_params().get("loss_function", "")).partition(":")[0]
        if isinstance(model, catboost.CatBoostClassifier):
            return ModelClassifier(model)
        if isinstance(model, (catboost.CatBoostRegressor, catboost.CatBoostRanker)):
            return ModelRegressor(model)
        if loss in _CLASSIFIES:
            return ModelClassifier(catboost.to_classifier(model))
        return ModelRegressor(model)

    def lower(
        self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False, ask: Ask = Ask()
    ) -> Lowered:
        """Lower a fitted model; the rows tell which texts its hashes of categories stand for."""
        estimator = self.estimator(model, ask)
        positions = estimator.model.get_cat_feature_indices()
        estimator.known = {int(place): _texts(frame.iloc[:, place]) for place in positions}
        lowered = super().lower(estimator, frame, columns, canonical=canonical, ask=ask)
        limit = _own_threshold(estimator.model) if lowered.task == "binary" else None
        return lowered if limit is None else replace(lowered, threshold=limit)

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[np.float64]:
        """Return the original's answers; whole numbers of a categorical column reach it as integers, however sent."""
        estimator = self.estimator(model, ask)
        names = [frame.columns[place] for place in estimator.model.get_cat_feature_indices()]
        whole = {name: "int64" for name in names if frame[name].dtype.kind == "f" and _is_whole(frame[name])}
        return super().outputs(estimator, frame.astype(whole) if whole else frame, ask)


CATBOOST = CatBoost()


def _own_threshold(model: Any) -> float | None:
    """Return the probability from which on the second class is named, where another than a half was set."""
    limit = float(model.get_probability_threshold())
    return None if limit == 0.5 else float(np.nextafter(limit, np.inf))


def _is_whole(values: pd.Series[Any]) -> bool:
    numbers = values.to_numpy()
    return bool((np.isfinite(numbers) & (numbers == np.round(numbers)) & (np.abs(numbers) < 2**62)).all())


def _texts(values: pd.Series[Any]) -> list[str]:
    """Return the texts that CatBoost hashes for the categories of a column."""
    present = values.dropna()
    if len(present) and all(isinstance(value, (bool, np.bool_)) for value in present):
        return ["0", "1"]
    return list(dict.fromkeys(str(value) for value in present))
