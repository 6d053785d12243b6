"""What drives a model: how much its loss grows when one column is shuffled.

Permutation importance: Breiman (2001), "Random forests", Machine Learning 45; model-agnostic form and its caveats for
correlated columns: Fisher, Rudin and Dominici (2019), "All models are wrong, but many are useful", JMLR 20. Which
columns are worth shuffling is read from the model itself: gain of splits, or size of coefficients of scaled columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

__all__ = ["column_weights", "permutation_importance", "prepared_columns"]

Floats: TypeAlias = npt.NDArray[np.float64]


def prepared_columns(prepare: ColumnTransformer) -> dict[str, npt.NDArray[np.int64]]:
    """Say which columns of the prepared matrix each column of a table became.

    Parameters
    ----------
    prepare : sklearn.compose.ColumnTransformer
        Fitted; made by `shiplap.methods.pipelines.linear` or `for_trees`.

    Returns
    -------
    dict of str to numpy.ndarray of int64
        Positions, by column; columns that became nothing are absent.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    >>> prepare = ColumnTransformer([("numbers", "passthrough", ["a"]), ("categories", OneHotEncoder(), ["b"])]).fit(X)
    >>> {name: places.tolist() for name, places in prepared_columns(prepare).items()}
    {'a': [0], 'b': [1, 2]}
    """
    found: dict[str, list[int]] = {}
    for name, step, columns in prepare.transformers_:
        where = prepare.output_indices_[name]
        sources = _sources(step, list(columns), where.stop - where.start)
        for place, source in enumerate(sources, where.start):
            found.setdefault(source, []).append(place)
    return {name: np.array(places) for name, places in found.items()}


def _sources(step: Any, columns: list[str], width: int) -> list[str]:
    """Name the column that each output of one step comes from."""
    inner = [part for _, part in getattr(step, "steps", [])]
    filled = next((part for part in inner if isinstance(part, SimpleImputer)), None)
    if len(columns) > 1 and filled is not None and filled.indicator_ is not None:
        return columns + [columns[index] for index in filled.indicator_.features_]
    if isinstance(step, OneHotEncoder):
        rare = getattr(step, "infrequent_categories_", [None] * len(columns))
        widths = [
            len(known) - (0 if few is None else len(few) - 1) for known, few in zip(step.categories_, rare, strict=True)
        ]
        return [name for name, count in zip(columns, widths, strict=True) for _ in range(count)]
    return [name for name in columns for _ in range(width // len(columns))]


def column_weights(model: Any, parts: Mapping[str, npt.NDArray[np.int64]]) -> dict[str, float]:
    """Read from a fitted model how much it looks at each column, without asking it anything.

    Parameters
    ----------
    model : estimator
        Boosted trees, a linear model on scaled columns, or either within a calibrated one.
    parts : mapping of str to numpy.ndarray of int64
        Which columns of its matrix belong to each column; from `prepared_columns`.

    Returns
    -------
    dict of str to float
        Gain of all splits, or largest coefficient; 0 for a column that the model never looks at.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> model = Ridge().fit(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]), [1.0, 2.0, 3.0])
    >>> weights = column_weights(model, {"used": np.array([0]), "unused": np.array([1])})
    >>> weights["used"] > 0, weights["unused"]
    (True, 0.0)
    """
    while not hasattr(model, "booster_") and not hasattr(model, "coef_"):
        model = model.calibrated_classifiers_[0] if hasattr(model, "calibrated_classifiers_") else model.estimator
    if hasattr(model, "booster_"):
        weight = np.asarray(model.booster_.feature_importance("gain"), dtype=np.float64)
        return {name: float(weight[places].sum()) for name, places in parts.items()}
    weight = np.abs(np.atleast_2d(model.coef_)).max(axis=0)
    return {name: float(weight[places].max()) for name, places in parts.items()}


def permutation_importance(
    matrix: Floats,
    parts: Mapping[str, npt.NDArray[np.int64]],
    measure: Callable[[Floats], Floats],
    *,
    repeats: int = 2,
    seed: int = 0,
    told: Callable[[float], None] | None = None,
) -> dict[str, Floats]:
    """Measure what shuffling each column changes.

    Parameters
    ----------
    matrix : numpy.ndarray of shape (n_rows, width)
        Prepared rows that the model was not fitted on.
    parts : mapping of str to numpy.ndarray of int64
        The columns to shuffle, and which columns of the matrix move together for each.
    measure : callable
        From a matrix to figures, shape (n_measures,), e.g. mean loss and mean money.
    repeats : int
        Shuffles per column, averaged.
    seed : int
        Seed of the shuffles.
    told : callable, optional
        Hears the fraction done.

    Returns
    -------
    dict of str to numpy.ndarray
        Change of each figure, by column.

    Examples
    --------
    >>> matrix = np.column_stack([np.arange(100.0), np.arange(100.0)])
    >>> parts = {"used": np.array([0]), "unused": np.array([1])}
    >>> found = permutation_importance(matrix, parts, lambda X: np.array([np.mean((X[:, 0] - np.arange(100)) ** 2)]))
    >>> bool(found["used"][0] > 1000), float(found["unused"][0])
    (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    shuffled = matrix.copy()
    base = measure(matrix)
    found: dict[str, Floats] = {}
    for index, (name, places) in enumerate(parts.items()):
        changes: list[Floats] = []
        for _ in range(repeats):
            shuffled[:, places] = matrix[rng.permutation(len(matrix))[:, None], places]
            changes.append(measure(shuffled) - base)
        shuffled[:, places] = matrix[:, places]
        found[name] = np.mean(changes, axis=0)
        if told is not None:
            told((index + 1) / len(parts))
    return found
