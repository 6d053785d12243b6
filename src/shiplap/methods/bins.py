"""A column cut into few bins, and what the bins alone can say about a target."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.brief import Task

__all__ = ["Cut", "binned", "bins_score", "total_variation"]

Cut: TypeAlias = tuple[npt.NDArray[np.int64], list[str]]
_OTHER = "other"
_MISSING = "missing"


def binned(column: pd.Series, *, bins: int = 8) -> Cut:
    """Cut a column into bins: equal shares of numbers and dates, the most frequent texts, and one for missing.

    Parameters
    ----------
    column : pandas.Series of shape (n_rows,)
        Numbers, dates or text.
    bins : int
        How many, besides ``missing`` (and ``other`` for text).

    Returns
    -------
    codes : numpy.ndarray of int64, shape (n_rows,)
        Bin of each row.
    names : list of str
        What each bin holds, in order.

    Examples
    --------
    >>> codes, names = binned(pd.Series([1.0, 2.0, 3.0, None]), bins=2)
    >>> codes.tolist(), names
    ([0, 0, 1, 2], ['1 to 2', '3', 'missing'])
    """
    missing = column.isna().to_numpy()
    codes, names = _of_moments(column, missing, bins) if not _is_text(column) else _of_texts(column, missing, bins)
    if missing.any():
        codes[missing] = len(names)
        names = [*names, _MISSING]
    return codes, names


def _is_text(column: pd.Series) -> bool:
    return column.dtype.kind not in "fiubM"


def _of_texts(column: pd.Series, missing: npt.NDArray[np.bool_], bins: int) -> Cut:
    counts = column[~missing].value_counts()
    names = [str(name) for name in counts.index[:bins]]
    place = {name: code for code, name in enumerate(counts.index[:bins])}
    codes = column.map(place).fillna(len(names)).to_numpy(dtype=np.int64)
    return codes, [*names, _OTHER] if len(counts) > bins else names


def _of_moments(column: pd.Series, missing: npt.NDArray[np.bool_], bins: int) -> Cut:
    dated = column.dtype.kind == "M"
    numbers = column.to_numpy().astype("datetime64[s]").astype(np.int64) if dated else column.to_numpy()
    known = numbers[~missing].astype(np.float64)
    codes = np.zeros(len(column), np.int64)
    if not len(known):
        return codes, []
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    used, codes[~missing] = np.unique(np.searchsorted(edges, known, side="left"), return_inverse=True)
    inside = codes[~missing]
    low = np.full(len(used), np.inf)
    high = np.full(len(used), -np.inf)
    np.minimum.at(low, inside, known)
    np.maximum.at(high, inside, known)
    return codes, [_span(*pair, dated=dated) for pair in zip(low, high, strict=True)]


def _span(low: float, high: float, *, dated: bool) -> str:
    first, last = (_shown(value, dated=dated) for value in (low, high))
    return first if first == last else f"{first} to {last}"


def _shown(value: float, *, dated: bool) -> str:
    return str(np.datetime64(int(value), "s"))[:16].replace("T00:00", "").replace("T", " ") if dated else f"{value:.6g}"


def bins_score(task: Task, codes: npt.NDArray[np.int64], y: npt.NDArray[Any]) -> float:
    """Say how well the bins of one column predict a target on rows they were not learned on.

    Even rows teach the mean target of each bin, odd rows test it, and the other way round.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.
    codes : numpy.ndarray of int64, shape (n_rows,)
        Bin of each row.
    y : numpy.ndarray of shape (n_rows,)
        Codes of classes, or numbers.

    Returns
    -------
    float
        R squared for regression (0 is chance); otherwise the area under the ROC curve, averaged over the classes with
        rows enough (0.5 is chance). Never below chance.

    Examples
    --------
    >>> bins_score("binary", np.tile([0, 0, 1, 1], 10), np.tile([0, 0, 1, 1], 10))
    1.0
    """
    halves = (np.arange(len(y)) % 2).astype(bool)
    if task == "regression":
        guess = _learned(codes, y.astype(np.float64), halves)
        spread = float(np.sum((y - np.mean(y)) ** 2))
        return max(0.0, 1.0 - float(np.sum((y - guess) ** 2)) / spread) if spread else 0.0
    found: list[float | None] = []
    for code in range(int(y.max()) + 1) if task == "multiclass" else [1]:
        hit = y == code
        if 10 <= hit.sum() < len(hit):
            found += [_bins_auc(codes, hit, half) for half in (halves, ~halves)]
    known = [value for value in found if value is not None]
    return max(0.5, float(np.mean(known))) if known else 0.5


def _learned(
    codes: npt.NDArray[np.int64], y: npt.NDArray[np.float64], halves: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    guess = np.empty(len(y))
    size = int(codes.max()) + 1
    for half in (halves, ~halves):
        rows = np.bincount(codes[half], minlength=size)
        total = np.bincount(codes[half], weights=y[half], minlength=size)
        guess[~half] = ((total + y[half].mean()) / (rows + 1.0))[codes[~half]]
    return guess


def _bins_auc(codes: npt.NDArray[np.int64], hit: npt.NDArray[np.bool_], half: npt.NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve on one half, of the shares learned on the other, from counts per bin alone."""
    size = int(codes.max()) + 1
    rows, hits = np.bincount(codes[half], minlength=size), np.bincount(codes[half & hit], minlength=size)
    share = (hits + hits.sum() / max(1, rows.sum())) / (rows + 1.0)
    place = np.unique(share, return_inverse=True)[1]
    inside = np.bincount(place[codes[~half & hit]], minlength=size).astype(np.float64)
    outside = np.bincount(place[codes[~half & ~hit]], minlength=size).astype(np.float64)
    if not inside.sum() or not outside.sum():
        return None
    below = np.cumsum(outside) - outside / 2
    return float(np.sum(inside * below) / (inside.sum() * outside.sum()))


def total_variation(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], n_bins: int) -> float:
    """Half the sum of the differences of two distributions over bins: 0 when equal, 1 when they share nothing.

    Examples
    --------
    >>> total_variation(np.array([0, 0, 1, 1]), np.array([1, 1, 1, 1]), 2)
    0.5
    """
    shares = [np.bincount(codes, minlength=n_bins) / max(1, len(codes)) for codes in (first, second)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)
