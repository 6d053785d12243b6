"""Rows of numbers, dates, texts and gaps as one matrix in which distances mean something.

A number becomes its distance from the median in units of the spread of the middle half (linear within 3 units and
logarithmic beyond, so that one wild column does not drown the others); a category becomes one column a value, weighed
so that seldom values count more; a gap becomes a column of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.schema import Kind

__all__ = ["Mixed", "mixed", "numbers_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
_LINEAR = 3.0
_MOST_VALUES = 20
_COMMON = 0.01
_LEAST_WEIGHT = 0.05
KINDS: tuple[Kind, ...] = ("number", "boolean", "category", "date")
"""The kinds of columns that can be laid side by side."""


@dataclass(frozen=True, eq=False)
class Mixed:
    """An encoded table.

    Parameters
    ----------
    matrix : numpy.ndarray of float64, shape (n_rows, n_dimensions)
        The rows; no value is missing.
    names : tuple of str
        The columns of the table that are in it: those that vary.
    blocks : tuple of slice
        The dimensions of each.
    """

    matrix: Floats
    names: tuple[str, ...]
    blocks: tuple[slice, ...]


def mixed(X: pd.DataFrame) -> Mixed:
    """Encode numbers, dates, booleans and categories; columns that do not vary are left out.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        Numbers and booleans float64 with NaN for missing, dates datetime64, everything else text.

    Examples
    --------
    >>> encoded = mixed(pd.DataFrame({"age": [20.0, 30.0, None, 50.0], "plan": list("abaa"), "one": [1.0] * 4}))
    >>> encoded.names, encoded.matrix.shape
    (('age', 'plan'), (4, 4))
    """
    parts, names, blocks, start = [], [], [], 0
    for name in X.columns:
        part = _of_numbers(numbers_of(X[name])) if _ordered(X[name]) else _of_texts(X[name])
        part = part[:, part.std(axis=0) > 1e-9]
        if part.shape[1]:
            parts.append(part)
            names.append(str(name))
            blocks.append(slice(start, start + part.shape[1]))
            start += part.shape[1]
    matrix: Floats = np.hstack(parts) if parts else np.empty((len(X), 0))
    return Mixed(matrix, tuple(names), tuple(blocks))


def numbers_of(column: pd.Series) -> Floats:
    """Return a column of numbers or dates (as days) as float64, with NaN for missing and infinite."""
    if column.dtype.kind == "M":
        known = column.notna().to_numpy()
        days = column.to_numpy().astype("datetime64[s]").astype(np.int64) / 86_400.0
        return np.where(known, days, np.nan)
    numbers = column.to_numpy(dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _ordered(column: pd.Series) -> bool:
    return column.dtype.kind in "fiubM"


def _of_numbers(numbers: Floats) -> Floats:
    known = np.isfinite(numbers)
    if not known.any():
        return np.empty((len(numbers), 0))
    low, quarter, middle, three, high = np.quantile(numbers[known], [0.05, 0.25, 0.5, 0.75, 0.95])
    scales = ((three - quarter) / 1.349, (high - low) / 3.29, float(numbers[known].std()))
    scale = next((scale for scale in scales if scale > 0), 1.0)
    far = np.where(known, (numbers - middle) / scale, 0.0)
    size = np.abs(far)
    calm = np.sign(far) * np.where(size > _LINEAR, _LINEAR * (1.0 + np.log(np.maximum(size, _LINEAR) / _LINEAR)), size)
    if known.all():
        return np.asarray(calm[:, None])
    return np.column_stack([_weighed(~known), calm])


def _of_texts(column: pd.Series) -> Floats:
    codes = pd.factorize(column, use_na_sentinel=False)[0]
    shares = np.bincount(codes) / len(codes)
    common = [code for code in np.argsort(-shares, kind="stable")[:_MOST_VALUES] if shares[code] >= _COMMON]
    rarity = np.where(shares[codes] < _COMMON, -np.log(shares[codes]), 0.0) / 1.5
    return np.column_stack([*(_weighed(codes == code) / 1.4 for code in common), rarity])


def _weighed(hit: npt.NDArray[np.bool_]) -> Floats:
    """Center a mark of yes and no, and weigh it by how seldom it is."""
    share = float(hit.mean())
    return np.asarray((hit - share) / max(np.sqrt(share), _LEAST_WEIGHT))
