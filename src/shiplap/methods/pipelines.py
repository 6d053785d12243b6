"""Preprocessing and models as plain scikit-learn pipelines, which every room builds alike.

Ordering categories by their target mean makes the best cut of a category a cut of the order: Breiman et al. (1984),
"Classification and regression trees", section 4.2; for many classes by the first principal component of the class
shares: Coppersmith, Hong and Hosking (1999), "Partitioning nominal attributes in decision trees", Data Mining and
Knowledge Discovery 3. Encodings of large vocabularies are learned across folds: Micci-Barreca (2001), "A preprocessing
scheme for high-cardinality categorical attributes", SIGKDD Explorations 3.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import issparse
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from threadpoolctl import threadpool_limits

from shiplap.adapters.frameworks.sklearn.dates import date_parts
from shiplap.core.brief import Task
from shiplap.core.encoding import DatePart
from shiplap.core.schema import Schema
from shiplap.methods.work import linear_units

__all__ = ["fit_linear", "for_trees", "linear", "ordered_categories", "output_of", "useful_parts"]

_MOST_ORDERED = 30
_SMOOTHING = 20.0
_MOST_LINEAR_ROWS, _FEWEST_LINEAR_ROWS = 100_000, 2_000
_PASSES, _FEWEST_PASSES = 200, 10
_DENSE = 0.1
"""What a value of a dense matrix costs a linear solver, against one of a sparse matrix."""
_YEARS = np.timedelta64(730, "D")


def useful_parts(moments: pd.Series) -> tuple[DatePart, ...]:
    """Choose the parts of a date that vary over the training rows and will come again.

    Year and seconds since 1970 only ever grow, so a tree cannot use them on the future; month and day of the year
    come again only where the rows span two years or more.

    Parameters
    ----------
    moments : pandas.Series of datetime64
        The training rows.

    Examples
    --------
    >>> useful_parts(pd.Series(pd.date_range("2024-01-01", periods=100, freq="5h")))
    ('day', 'weekday', 'hour')
    """
    known = moments.dropna()
    if known.empty:
        return ()
    seasonal = known.max() - known.min() >= _YEARS
    wanted: tuple[DatePart, ...] = ("month", "day", "weekday", "day_of_year", "hour", "minute")
    parts = [part for part in wanted if seasonal or part not in ("month", "day_of_year")]
    values = date_parts(known.to_frame(), parts)
    return tuple(part for index, part in enumerate(parts) if np.ptp(values[:, index]) > 0)


def ordered_categories(values: pd.Series, y: npt.NDArray[Any], task: Task, *, least: int) -> npt.NDArray[np.object_]:
    """Order the categories of one column by what the target does in them.

    Parameters
    ----------
    values : pandas.Series of str
        The column; missing values belong to no category.
    y : numpy.ndarray of shape (n_rows,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        Kind of target.
    least : int
        Rows a category must have; rarer ones are left out, so that they are answered like unseen ones.

    Returns
    -------
    numpy.ndarray of object
        The categories. The end of the order that lies nearer to the average comes first: trees that never saw a
        missing value answer unseen categories like the first.

    Examples
    --------
    >>> ordered_categories(pd.Series(["a", "b", "a", "b", "c"]), np.array([0, 1, 0, 1, 1]), "binary", least=2).tolist()
    ['b', 'a']
    """
    codes, names = pd.factorize(values, sort=True)
    known = codes >= 0
    rows = np.bincount(codes[known], minlength=len(names))
    targets = y[:, None].astype(np.float64) if task != "multiclass" else np.eye(int(y.max()) + 1)[y]
    overall = targets.mean(axis=0)
    sums = np.column_stack(
        [np.bincount(codes[known], weights=column[known], minlength=len(names)) for column in targets.T]
    )
    means = (sums + _SMOOTHING * overall) / (rows + _SMOOTHING)[:, None] - overall
    place = means[:, 0]
    if task == "multiclass":
        axis = np.linalg.eigh((means * rows[:, None]).T @ means)[1][:, -1]
        place = means @ (axis * np.sign(axis[np.argmax(np.abs(axis))]))
    kept = np.flatnonzero(rows >= least)
    order = kept[np.argsort(place[kept], kind="stable")]
    if len(order) and abs(place[order[0]]) > abs(place[order[-1]]):
        order = order[::-1]
    return np.asarray(names, dtype=object)[order]


def for_trees(X: pd.DataFrame, y: npt.NDArray[Any], schema: Schema, task: Task, *, seed: int) -> ColumnTransformer:
    """Build the preprocessing of boosted trees; numbers pass as they are, missing values included.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Training rows, from which vocabularies and useful date parts are read.
    y : numpy.ndarray of shape (n_rows,)
        Codes of classes, or numbers.
    schema : Schema
        The columns of `X`.
    task : {"binary", "multiclass", "regression"}
        Kind of target.
    seed : int
        Seed of the folds in which large vocabularies are encoded.

    Returns
    -------
    sklearn.compose.ColumnTransformer
        Unfitted. Vocabularies of up to 30 categories become codes in the order of their target means, larger ones
        cross-fitted target encodings, dates their parts.
    """
    numbers, texts, dates = _by_kind(schema)
    least = 10 if len(X) >= 1_000 else 3
    ordered = {name: ordered_categories(X[name], y, task, least=least) for name in texts}
    small = [name for name in texts if 0 < len(ordered[name]) <= _MOST_ORDERED]
    large = [name for name in texts if len(ordered[name]) > _MOST_ORDERED]
    steps: list[tuple[str, Any, list[str]]] = [("numbers", "passthrough", numbers)] if numbers else []
    if small:
        encoder = OrdinalEncoder(
            categories=[ordered[name] for name in small],
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
        )
        steps.append(("categories", encoder, small))
    if large:
        folds = KFold if task == "regression" else StratifiedKFold
        kind = {"regression": "continuous"}.get(task, task)
        encoder = TargetEncoder(target_type=kind, cv=folds(5, shuffle=True, random_state=seed))
        steps.append(("vocabularies", encoder, large))
    return ColumnTransformer([*steps, *_dates(X, dates)])


def linear(X: pd.DataFrame, schema: Schema, task: Task) -> Pipeline:
    """Build the linear model: medians for missing numbers, with indicators; scaling; one-hot categories.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Training rows.
    schema : Schema
        The columns of `X`.
    task : {"binary", "multiclass", "regression"}
        Logistic regression for classes, ridge regression for numbers.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Unfitted, with the steps ``prepare`` and ``model``.
    """
    numbers, texts, dates = _by_kind(schema)
    filled = [name for name in numbers if X[name].notna().any()]
    steps: list[tuple[str, Any, list[str]]] = []
    if filled:
        steps.append(("numbers", _scaled(), filled))
    if texts:
        least = max(2, len(X) // 1_000)
        encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=least)
        steps.append(("categories", encoder, texts))
    for name, transformer, columns in _dates(X, dates):
        steps.append((name, Pipeline([("parts", transformer), *_scaled().steps]), columns))
    model = Ridge() if task == "regression" else LogisticRegression(max_iter=_PASSES)
    return Pipeline([("prepare", ColumnTransformer(steps)), ("model", model)])


def fit_linear(
    pipeline: Pipeline, X: pd.DataFrame, labels: npt.NDArray[Any], *, seed: int, units: float = np.inf
) -> Pipeline:
    """Fit a linear pipeline, on a sample of 100,000 rows where there are more.

    One thread does it: sums of several differ in their last digits by how many there are.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Made by `linear`; fitted in place.
    X : pandas.DataFrame of shape (n_rows, n_features)
        Training rows.
    labels : numpy.ndarray of shape (n_rows,)
        What is learned.
    seed : int
        Seed of the sample.
    units : float
        Work that may be done; where it does not suffice, first rows are left out, down to 2,000, then passes of the
        solver, down to 10. The shape of the data alone decides.
    """
    order = np.random.default_rng(seed).permutation(len(X))
    if len(X) > _MOST_LINEAR_ROWS:
        order = order[:_MOST_LINEAR_ROWS]
        X, labels = X.iloc[np.sort(order)], labels[np.sort(order)]
        order = np.argsort(np.argsort(order))
    prepare, model = pipeline.named_steps["prepare"], pipeline.named_steps["model"]
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        matrix = prepare.fit_transform(X, labels)
        n_rows, passes = _affordable(matrix, model, labels, units)
        if isinstance(model, LogisticRegression):
            model.set_params(max_iter=passes)
        if n_rows < len(labels):
            rows = np.sort(order[:n_rows])
            matrix, labels = matrix[rows], labels[rows]
        model.fit(matrix, labels)
    return pipeline


def _affordable(matrix: Any, model: Any, labels: npt.NDArray[Any], units: float) -> tuple[int, int]:
    """Return the rows and the passes of the solver that so many units allow."""
    n_rows, n_weights = matrix.shape
    n_values = (matrix.nnz if issparse(matrix) else matrix.size * _DENSE) / n_rows
    n_outputs = 1
    if isinstance(model, LogisticRegression):
        n_classes = len(np.unique(labels))
        n_outputs = 1 if n_classes == 2 else n_classes
    fixed = linear_units(0, n_values, n_weights, n_outputs)
    a_row = linear_units(1, n_values, n_weights, n_outputs) - fixed
    wanted = (units / _PASSES - fixed) / a_row
    if wanted >= n_rows:
        return n_rows, _PASSES
    kept = int(min(n_rows, max(_FEWEST_LINEAR_ROWS, wanted)))
    return kept, int(min(_PASSES, max(_FEWEST_PASSES, units / (fixed + kept * a_row))))


def output_of(pipeline: Any, X: Any, task: Task) -> npt.NDArray[np.float64]:
    """Ask a fitted estimator for probabilities of shape (n_rows, n_classes), or predictions of shape (n_rows,)."""
    answered = pipeline.predict(X) if task == "regression" else pipeline.predict_proba(X)
    return np.asarray(answered, dtype=np.float64)


def _by_kind(schema: Schema) -> tuple[list[str], list[str], list[str]]:
    numbers = [column.name for column in schema if column.kind in ("number", "boolean")]
    dates = [column.name for column in schema if column.kind == "date"]
    return numbers, [name for name in schema.names if name not in {*numbers, *dates}], dates


def _scaled() -> Pipeline:
    return Pipeline([("fill", SimpleImputer(strategy="median", add_indicator=True)), ("scale", StandardScaler())])


def _dates(X: pd.DataFrame, dates: list[str]) -> list[tuple[str, Any, list[str]]]:
    steps: list[tuple[str, Any, list[str]]] = []
    for name in dates:
        parts = useful_parts(X[name])
        if parts:
            steps.append((f"date {name}", FunctionTransformer(date_parts, kw_args={"parts": parts}), [name]))
    return steps
