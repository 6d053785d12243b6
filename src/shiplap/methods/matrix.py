"""Columns of all kinds as one matrix that scikit-learn's histogram trees take as it is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["tree_matrix"]

Floats: TypeAlias = npt.NDArray[np.float64]
_MOST_LEVELS, _FEWEST_KNOWN = 200, 20


def tree_matrix(X: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Take numbers as they are, dates as seconds, words as codes of which the rarest share one; missing is NaN.

    Of a column with fewer than 20 values only whether they are there is taken: trees fitted on a part of the rows could
    meet none of them, which scikit-learn's do not bear.

    Returns
    -------
    matrix : numpy.ndarray of shape (n_rows, n_columns)
        Infinite numbers are NaN.
    words : numpy.ndarray of bool, shape (n_columns,)
        Which columns hold codes.

    Examples
    --------
    >>> matrix, words = tree_matrix(pd.DataFrame({"a": [1.0, np.inf], "b": ["x", None]}))
    >>> matrix.tolist(), words.tolist()
    ([[1.0, 1.0], [0.0, 0.0]], [False, True])
    """
    words = np.array([X[name].dtype.kind not in "fiubM" for name in X.columns])
    columns = [_codes(X[name]) if word else _numbers(X[name]) for name, word in zip(X.columns, words, strict=True)]
    return np.column_stack([_borne(column) for column in columns]), words


def _borne(column: Floats) -> Floats:
    known = ~np.isnan(column)
    return column if known.sum() >= _FEWEST_KNOWN else known.astype(np.float64)


def _numbers(column: pd.Series) -> Floats:
    if column.dtype.kind == "M":
        seconds = column.to_numpy().astype("datetime64[s]")
        return np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64).astype(np.float64))
    numbers = column.to_numpy(np.float64)
    return np.where(np.isinf(numbers), np.nan, numbers)


def _codes(column: pd.Series) -> Floats:
    common = column.value_counts().index[: _MOST_LEVELS - 1]
    place = {value: code for code, value in enumerate(common)}
    return column.map(place).fillna(len(common)).where(column.notna()).to_numpy(np.float64)
