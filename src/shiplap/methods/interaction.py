"""Which two columns together say more of a target than any sum of single effects.

An additive model on the scale of the link (boosted trees of one column each) is fitted on each half of the rows and
explains the other: what it leaves is looked at by cells of two binned columns, as in GA2M, Lou, Caruana, Gehrke and
Hooker (2013), "Accurate intelligible models with pairwise interactions", KDD. In each half single effects of the two
are fitted to what is left, and then the cells, shrunk; the gain is how much less of the other half the cells leave than
the single effects do. It is held out, so a pair that says nothing has a gain below zero on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from shiplap.core.brief import Task
from shiplap.methods.bins import binned
from shiplap.methods.matrix import tree_matrix
from shiplap.methods.multiple import corrected

__all__ = ["Interaction", "additive", "bins_for", "interactions"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_FEWEST_BINS, _MOST_BINS, _ROWS_A_CELL = 2, 8, 40
_WIDTH = _MOST_BINS + 2
_SHRINK, _PASSES = 10.0, 8
_ROUNDS, _LEAVES = 120, 6


@dataclass(frozen=True)
class Interaction:
    """Two columns and what they say together beyond what each says alone.

    Parameters
    ----------
    first, second : str
        The columns.
    gain : float
        Share of the variance of the output that the pair explains on rows it was not learned on, beyond all single
        effects; below 0 where it only fits noise.
    p : float
        p-value that the gain is not above 0, corrected for all pairs and outputs.
    output : int
        Of several outputs, which one.
    """

    first: str
    second: str
    gain: float
    p: float
    output: int


def bins_for(n_rows: int) -> int:
    """Bins a column, so that a cell of two holds about 40 rows.

    Examples
    --------
    >>> bins_for(150), bins_for(1000), bins_for(50_000)
    (2, 5, 8)
    """
    return int(np.clip(np.sqrt(n_rows / _ROWS_A_CELL), _FEWEST_BINS, _MOST_BINS))


def additive(X: pd.DataFrame, y: npt.NDArray[Any], task: Task, *, seed: int = 0) -> Floats:
    """Expect the target of every row from a sum of single effects, learned on the other half of the rows.

    Returns
    -------
    numpy.ndarray of shape (n_rows, n_outputs)
        The number, the probability of class 1 of two, or of each class.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 400)
    >>> expected = additive(pd.DataFrame({"x": x}), x**2, "regression")
    >>> float(np.abs(expected[:, 0] - x**2).mean()) < 0.05
    True
    """
    matrix, words = tree_matrix(X)
    settings: dict[str, Any] = {
        "max_iter": _ROUNDS,
        "max_leaf_nodes": _LEAVES,
        "early_stopping": False,
        "random_state": seed,
    }
    settings |= {"categorical_features": words, "interaction_cst": "no_interactions"}
    n_outputs = int(y.max()) + 1 if task == "multiclass" else 1
    expected = np.zeros((len(y), n_outputs))
    with threadpool_limits(1):  # threads that wait for each other cost more than they bring on so few rows
        for half in _halves(len(y)):
            if task == "regression":
                model = HistGradientBoostingRegressor(**settings).fit(matrix[half], y[half])
                expected[~half, 0] = model.predict(matrix[~half])
                continue
            model = HistGradientBoostingClassifier(**settings).fit(matrix[half], y[half])
            chance = np.zeros((int((~half).sum()), int(y.max()) + 1))
            chance[:, model.classes_] = model.predict_proba(matrix[~half])
            expected[~half] = chance if task == "multiclass" else chance[:, 1:]
    return expected


def interactions(X: pd.DataFrame, left: Floats, spread: Floats) -> list[Interaction]:
    """Measure every pair of columns, the largest gain first; of several outputs a pair is told by its surest.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        The columns.
    left : numpy.ndarray of shape (n_rows, n_outputs)
        What `additive` leaves of each output.
    spread : numpy.ndarray of shape (n_outputs,)
        Variance of each output.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.normal(size=(4000, 3)), columns=["a", "b", "c"])
    >>> y = ((X["a"] > 0) != (X["b"] > 0)).to_numpy() + 0.5 * rng.normal(size=4000)
    >>> best = interactions(X, (y - y.mean())[:, None], np.array([y.var()]))[0]
    >>> best.first, best.second, best.p < 1e-9
    ('a', 'b', True)
    """
    names = [str(name) for name in X.columns]
    codes = [binned(X[name], bins=bins_for(len(X)))[0] for name in X.columns]
    pairs = list(combinations(range(len(names)), 2))
    if not pairs:
        return []
    gains, surely = zip(*(_gains(codes, pairs, residual) for residual in left.T), strict=True)
    p = corrected(norm.sf(np.concatenate(surely))).reshape(len(surely), -1)
    best = np.argmin(p, axis=0)
    found = [
        Interaction(
            names[a], names[b], float(gains[output][place] / spread[output]), float(p[output, place]), int(output)
        )
        for place, ((a, b), output) in enumerate(zip(pairs, best, strict=True))
    ]
    return sorted(found, key=lambda pair: -pair.gain)


def _halves(n_rows: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Halves drawn by chance, always the same: what repeats every other row must not fall into one of them."""
    first = np.random.default_rng(0).permutation(n_rows) % 2 == 0
    return first, ~first


def _gains(codes: list[Ints], pairs: list[tuple[int, int]], residual: Floats) -> tuple[Floats, Floats]:
    """Return the held-out gain a row of every pair, and its number of standard errors above zero."""
    sides = [_cells([code[half] for code in codes], pairs, residual[half]) for half in _halves(len(residual))]
    total, square = np.zeros(len(pairs)), np.zeros(len(pairs))
    for (rows, sums, _), (n, s, q) in (sides, sides[::-1]):
        single, cell = _fitted(rows, sums)
        total += np.sum(cell * (2 * (s - n * single) - n * cell), axis=(1, 2))
        both = 2 * single + cell
        square += np.sum(cell**2 * (4 * q - 4 * s * both + n * both**2), axis=(1, 2))
    n_rows = len(residual)
    error = np.sqrt(np.maximum(square - total**2 / n_rows, 0.0))
    return total / n_rows, np.divide(total, error, out=np.zeros_like(total), where=error > 0)


def _cells(codes: list[Ints], pairs: list[tuple[int, int]], residual: Floats) -> tuple[Floats, Floats, Floats]:
    """Rows, sums and sums of squares by the cells of every pair; each of shape (n_pairs, bins, bins)."""
    tables = np.empty((3, len(pairs), _WIDTH * _WIDTH))
    square = residual**2
    for place, (a, b) in enumerate(pairs):
        cell = codes[a] * _WIDTH + codes[b]
        for table, weights in enumerate((None, residual, square)):
            tables[table, place] = np.bincount(cell, weights=weights, minlength=_WIDTH * _WIDTH)
    rows, sums, squares = tables.reshape(3, len(pairs), _WIDTH, _WIDTH)
    return rows, sums, squares


def _fitted(rows: Floats, sums: Floats) -> tuple[Floats, Floats]:
    """Fit single effects of both columns by turns, then what the cells add to them, shrunk towards nothing."""
    down, across = np.zeros_like(rows[:, :, :1]), np.zeros_like(rows[:, :1, :])
    for _ in range(_PASSES):
        down = np.sum(sums - rows * across, axis=2, keepdims=True) / (rows.sum(axis=2, keepdims=True) + 1e-9)
        across = np.sum(sums - rows * down, axis=1, keepdims=True) / (rows.sum(axis=1, keepdims=True) + 1e-9)
    single = down + across
    return single, (sums - rows * single) / (rows + _SHRINK)
