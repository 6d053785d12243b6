"""Boosting libraries' own models: a bare booster put as an estimator, and errors of the library as ones of the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from shiplap.adapters.frameworks.protocol import Ask, Lowered
from shiplap.adapters.frameworks.sklearn.framework import Sklearn
from shiplap.core.brief import Label
from shiplap.core.errors import InputError, RefusedError
from shiplap.core.schema import Column

__all__ = ["Bare", "Boosting", "labels_of"]


class Bare(BaseEstimator):  # type: ignore[misc]
    """A library's own model behind the methods of an estimator; it is trained already.

    Parameters
    ----------
    model : Any
        The library's own model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: Any = None) -> Bare:
        """Change nothing: its library trained it."""
        del X, y
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Boosting(Sklearn):
    """The adapter of a library whose estimators follow scikit-learn's conventions, and whose bare boosters do not.

    Libraries derive from it and say what a bare booster is as an estimator, and which of its errors mean that it
    refuses some rows.
    """

    name = ""
    errors: tuple[type[Exception], ...] = ()

    def estimator(self, model: Any, ask: Ask = Ask()) -> Any:
        """Return a model as an estimator; one that is an estimator already is itself."""
        del ask
        return model

    def sample(self, X: Any, model: Any = None) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return rows as the DataFrame that the model reads, and what its columns hold."""
        return super().sample(X, None if model is None else self.estimator(model))

    def lower(
        self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False, ask: Ask = Ask()
    ) -> Lowered:
        """Lower a fitted model; see `Framework.lower`."""
        try:
            return super().lower(self.estimator(model, ask), frame, columns, canonical=canonical, ask=ask)
        except self.errors as error:
            raise RefusedError(
                f"{type(model).__name__} itself refuses the rows: {' '.join(str(error).split())}",
                hint="give rows like those it was fitted on: the same columns, each with the same type of value",
            ) from error

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[np.float64]:
        """Return the original's answers; a row that the library refuses is a `ValueError`."""
        try:
            return super().outputs(self.estimator(model, ask), frame, ask)
        except self.errors as error:
            raise ValueError(str(error)) from error

    def labels(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[Any]:
        """Return what the model's ``predict`` answers."""
        return super().labels(self.estimator(model, ask), frame, ask)


def labels_of(ask: Ask, count: int) -> NDArray[Any]:
    """Return the names of `count` classes, which a bare booster does not hold: those asked for, or 0, 1, 2 ...

    Raises
    ------
    InputError
        Another number of classes is asked for than there are.

    Examples
    --------
    >>> labels_of(Ask(), 2).tolist()
    [0, 1]
    """
    if not ask.classes:
        return np.arange(count)
    if len(ask.classes) != count:
        raise InputError(
            f"the model tells {count} classes apart, and {len(ask.classes)} names are given",
            hint="give as many classes, in the order of the labels it was trained on",
        )
    named: list[Label] = list(ask.classes)
    return np.array(named, dtype=object if any(isinstance(name, str) for name in named) else None)
