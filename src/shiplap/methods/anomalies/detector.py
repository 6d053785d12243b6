"""How odd a row is: an isolation forest and a robust distance, added.

The forest (Liu, Ting and Zhou, 2008, "Isolation forest", ICDM) sees rows that lie apart in a few columns; the distance
(after Rousseeuw, 1984, "Least median of squares regression", JASA 79: mean and covariance of the rows that are left
when the farthest are trimmed) sees rows that break how columns go together. Two changes make it fit for tables: the
variance of a dimension never falls below a part of its variance over all rows (a seldom category that is trimmed
altogether would else be infinitely far), and a slight ridge keeps columns that repeat others from dividing by nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from sklearn.ensemble import IsolationForest

__all__ = ["Detector"]

Floats: TypeAlias = npt.NDArray[np.float64]
_TREES = 100
_TREE_ROWS = 256
_KEPT = 0.95
_STEPS = 4
_FLOOR = 0.3
_RIDGE = 1e-4
_DISTANCE_ROWS = 10_000
_BLOCK = 8_192
"""Rows that are judged at a time: each block is copied twice."""


class Detector:
    """Learn what ordinary rows look like.

    Parameters
    ----------
    rows : numpy.ndarray of float64, shape (n_rows, n_dimensions)
        Encoded rows, most of them ordinary; every dimension varies.
    seed : int
        Seed of the forest.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 2))
    >>> rows[:, 1] += rows[:, 0] * 5
    >>> detector = Detector(rows, seed=0)
    >>> ordinary, breaks = detector.oddness(np.array([[2.0, 10.0], [2.0, -10.0]]))
    >>> bool(breaks > 3 * ordinary)
    True
    """

    def __init__(self, rows: Floats, *, seed: int) -> None:
        self._forest = IsolationForest(n_estimators=_TREES, max_samples=min(_TREE_ROWS, len(rows)), random_state=seed)
        self._forest.fit(rows)
        chosen = np.random.default_rng(seed).permutation(len(rows))[:_DISTANCE_ROWS]
        self._center, self._root = _trimmed(rows[np.sort(chosen)])
        self._scales = tuple(_scale(part) for part in self._parts(rows))

    def oddness(self, rows: Floats) -> Floats:
        """Say how odd rows are: 0 for one in the middle, 2 for one that is odder than nine in ten; shape (n_rows,)."""
        parts = zip(self._parts(rows), self._scales, strict=True)
        return np.asarray(sum((part - middle) / spread for part, (middle, spread) in parts))

    def _parts(self, rows: Floats) -> tuple[Floats, Floats]:
        blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
        apart = np.concatenate([-self._forest.score_samples(block) for block in blocks])
        return apart, np.concatenate([_distances(block, self._center, self._root) for block in blocks])


def _trimmed(rows: Floats) -> tuple[Floats, Floats]:
    """Mean and root of the covariance of the rows that are left without the farthest."""
    overall = rows.var(axis=0)
    far = np.asarray(np.sqrt((rows**2).sum(axis=1)))
    center, root = overall, np.empty((0, 0))
    for _ in range(_STEPS):
        kept = rows[far <= np.quantile(far, _KEPT)]
        center = kept.mean(axis=0)
        spread = np.atleast_2d(np.cov(kept.T))
        lift: Any = np.maximum(_FLOOR * overall - np.diag(spread), 0.0) + _RIDGE * overall
        root = np.linalg.cholesky(spread + np.diag(lift))
        far = _distances(rows, center, root)
    return center, root


def _distances(rows: Floats, center: Floats, root: Floats) -> Floats:
    whitened = solve_triangular(root, (rows - center).T, lower=True, overwrite_b=True)
    return np.asarray(np.sqrt(np.einsum("ij,ij->j", whitened, whitened)))


def _scale(part: Floats) -> tuple[float, float]:
    middle, high = np.quantile(part, [0.5, 0.9])
    return float(middle), max(float(high - middle), 1e-9)
