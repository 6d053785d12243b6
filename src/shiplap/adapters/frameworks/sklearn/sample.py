"""Rows as a scikit-learn model reads them: a DataFrame, and what each column holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from shiplap.adapters.frameworks.sklearn.text import OF_DICTIONARIES
from shiplap.core.errors import RefusedError, TableError, nearest
from shiplap.core.schema import Column, Kind

__all__ = ["as_frame", "columns_of", "reads_texts"]

_HINT = "pass some rows of what the model was trained on"
_HINTS = {
    "toarray": "pass some of its rows as an array: X[:1000].toarray()",
    "collect": "collect it first",
    "casefold": "read the table first, with shiplap.read",
    "to_frame": "pass rows with all columns: one row is frame.iloc[:1]",
}
"""What to do with something that has the method."""


def as_frame(X: Any, model: Any = None) -> pd.DataFrame:
    """Return rows as a DataFrame with the columns the model was fitted on, in its order.

    Parameters
    ----------
    X : DataFrame, ndarray of shape (n_rows, n_columns), polars or Arrow table, or dict of columns
        An array gets the column names ``x0``, ``x1`` ... For a model that reads texts also a sequence of them, which
        becomes the column ``text``, or one named as the Series is; of several columns the one with texts of several
        words.
    model : estimator, optional
        Where it remembers ``feature_names_in_``, those are taken.

    Raises
    ------
    RefusedError
        The model reads dictionaries, which are no rows of a table.
    TableError
        A column is missing, the array has another width than the model, or `X` is nothing with columns.

    Examples
    --------
    >>> as_frame(np.zeros((1, 2))).columns.tolist()
    ['x0', 'x1']
    """
    if reads_texts(model):
        return _texts(X)
    if (name := type(_innermost(model)).__name__) in OF_DICTIONARIES:
        reason, hint = OF_DICTIONARIES[name]
        raise RefusedError(reason, hint=hint)
    frame = _framed(X)
    if frame.columns.has_duplicates:
        raise TableError(
            f"two columns are called '{frame.columns[frame.columns.duplicated()][0]}'",
            hint="rename or drop one of them",
        )
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        # LightGBM remembers blanks in names as underscores.
        places = {**{name.replace(" ", "_"): name for name in frame.columns}, **{name: name for name in frame.columns}}
        missing = [str(name) for name in names if name not in places]
        if missing:
            raise TableError(
                f"the data has no column '{missing[0]}', which the model was fitted on",
                hint=nearest(missing[0], [str(name) for name in frame.columns]),
            )
        return frame[[places[name] for name in names]]
    width = getattr(model, "n_features_in_", None)
    if width is not None and width != frame.shape[1]:
        raise TableError(
            f"the model was fitted on {width} columns, and the data has {frame.shape[1]}",
            hint="give the columns it was fitted on, in their order; the target is none of them",
        )
    return frame


def reads_texts(model: Any) -> bool:
    """Tell whether a model takes a sequence of texts: a vectorizer of texts comes first in it.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> reads_texts(make_pipeline(TfidfVectorizer(), LogisticRegression())), reads_texts(LogisticRegression())
    (True, False)
    """
    return hasattr(_innermost(model), "build_analyzer")


def _innermost(model: Any) -> Any:
    """Return the estimator that meets the rows first."""
    while (inner := _first(model)) is not None:
        model = inner
    return model


def _first(model: Any) -> Any:
    """Return the estimator within `model` that meets the rows first; None where it meets them itself."""
    for name in ("steps", "transformer_list"):
        parts = [part for _, part in getattr(model, name, ()) if not (part is None or isinstance(part, str))]
        if parts:
            return parts[0]
    if isinstance(getattr(model, "estimators_", None), list):
        return model.estimators_[0]
    for name in ("best_estimator_", "estimator_", "estimator", "regressor_", "regressor"):
        if (inner := getattr(model, name, None)) is not None:
            return inner
    return None


def _texts(X: Any) -> pd.DataFrame:
    if isinstance(X, pd.Series):
        return X.to_frame(str(X.name) if X.name is not None else "text")
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1):
        return pd.DataFrame({"text": pd.Series(list(X), dtype=object)})
    frame = _framed(X)
    if frame.shape[1] > 1:
        names = [column.name for column in columns_of(frame) if column.kind == "category"]
        if len(names) > 1:
            names = [name for name in names if frame[name].astype(str).str.contains(r"\S\s+\S").mean() > 0.5] or names
        if len(names) != 1:
            raise TableError(
                f"the model reads one column of texts, and the data has {len(names)} of {frame.shape[1]} columns",
                hint="pass the one column that holds the texts",
            )
        return frame[names]
    return frame


def _framed(X: Any) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        return _dense(X.set_axis([_column_name(name) for name in X.columns], axis=1))
    if hasattr(X, "to_pandas") and not isinstance(X, pd.Series):
        return pd.DataFrame(X.to_pandas())
    try:
        if isinstance(X, dict) or (isinstance(X, list) and X and all(isinstance(row, dict) for row in X)):
            return pd.DataFrame(X)
        array = np.asarray(X)
    except ValueError as error:
        raise TableError(
            f"the rows make no table: {error}", hint="give as many values in each column: {'age': [41, 17]}"
        ) from error
    if array.ndim != 2:
        raise TableError(
            f"rows need to be a DataFrame or an array of shape (n_rows, n_columns), not {_described(X, array)}",
            hint=next((hint for method, hint in _HINTS.items() if hasattr(X, method)), _HINT),
        )
    return pd.DataFrame(array, columns=[f"x{index}" for index in range(array.shape[1])])


def _described(X: Any, array: Any) -> str:
    return f"an array of shape {array.shape}" if isinstance(X, np.ndarray) else f"a {type(X).__name__}"


def _column_name(name: Any) -> str:
    return ".".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _dense(frame: pd.DataFrame) -> pd.DataFrame:
    kinds = {name: dtype.subtype for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.SparseDtype)}
    return frame.astype(kinds) if kinds else frame


def columns_of(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Say what the columns of a DataFrame hold, by their dtypes.

    Examples
    --------
    >>> [column.kind for column in columns_of(pd.DataFrame({"a": [1.5], "b": ["x"], "c": [True]}))]
    ['number', 'category', 'boolean']
    """
    return tuple(
        Column(
            name=str(name),
            kind=_kind(frame[name]),
            dtype=str(frame[name].dtype),
            nullable=bool(frame[name].isna().any()),
        )
        for name in frame.columns
    )


def _kind(column: pd.Series[Any]) -> Kind:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    present = column.dropna()
    if len(present) and all(isinstance(value, bool) for value in present):
        return "boolean"
    if len(present) and all(isinstance(value, (int, float)) for value in present):
        return "number"
    return "category"
