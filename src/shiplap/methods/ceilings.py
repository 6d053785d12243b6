"""How good any model of some columns could be: bounds on the noise, from neighbors and from rows with equal inputs.

The error of the nearest neighbor bounds the least possible error from both sides: Cover and Hart (1967), "Nearest
neighbor pattern classification", IEEE Transactions on Information Theory 13. Any representation of the columns may be
used, and the one with the least error is nearest to the truth: Renggli et al. (2023), "Ease.ml/snoopy", VLDB. Its bound
on the log loss: Harremoes and Topsoe (2001), "Inequalities between entropy and index of coincidence derived from
information diagrams", IEEE Transactions on Information Theory 47. Numbers: the Gamma test, Stefansson, Koncar and Jones
(1997), "A note on the Gamma test", Neural Computing & Applications 5. Equal inputs: the pure error of the analysis of
variance, Draper and Smith, "Applied regression analysis", section 2.

All of it holds for many rows: where rows are few or columns many, neighbors lie far apart, disagree more than the noise
alone would make them, and the bounds say less is possible than there is.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

__all__ = ["Repeats", "gamma", "least_error", "least_log_loss", "neighbors", "repeats"]

Floats: TypeAlias = npt.NDArray[np.float64]
_NEIGHBORS = 10


class Repeats(NamedTuple):
    """Rows whose inputs are all equal.

    Parameters
    ----------
    n_rows : int
        Rows that share their inputs with another.
    n_sets : int
        Different inputs among them.
    noise : float
        Classes: how often two rows of one set differ in their class. Numbers: variance within the sets.
    """

    n_rows: int
    n_sets: int
    noise: float


def least_error(disagreement: float, n_classes: int) -> float:
    """Bound the share of wrong answers of the best possible model from below, by that of the nearest neighbor.

    Parameters
    ----------
    disagreement : float
        How often a row's class differs from that of its nearest neighbor.
    n_classes : int
        Number of classes.

    Examples
    --------
    >>> round(least_error(0.32, 2), 12), least_error(0.9, 2)
    (0.2, 0.5)
    """
    most = (n_classes - 1) / n_classes
    return most * (1 - float(np.sqrt(max(0.0, 1 - disagreement / most))))


def least_log_loss(disagreement: float) -> float:
    """Bound the log loss of the best possible model from below, in nats.

    Examples
    --------
    >>> round(least_log_loss(0.5), 3)
    0.693
    """
    return 2 * float(np.log(2)) * disagreement


def neighbors(matrix: Floats, pool: Floats, *, count: int = 1) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Find the nearest rows of a pool for each row.

    Parameters
    ----------
    matrix : numpy.ndarray of shape (n_rows, n_features)
        Rows.
    pool : numpy.ndarray of shape (n_pool, n_features)
        Other rows, among which to look.
    count : int
        How many each.

    Returns
    -------
    distances : numpy.ndarray of shape (n_rows, count)
        Euclidean, nearest first.
    places : numpy.ndarray of int64, shape (n_rows, count)
        Positions in the pool.

    Examples
    --------
    >>> neighbors(np.array([[0.2]]), np.array([[1.0], [0.0]]))[1].tolist()
    [[1]]
    """
    with threadpool_limits(1):
        found = NearestNeighbors(n_neighbors=count).fit(pool).kneighbors(matrix)
    return np.asarray(found[0], dtype=np.float64), np.asarray(found[1], dtype=np.int64)


def gamma(matrix: Floats, y: Floats, pool: Floats, pool_y: Floats) -> float:
    """Estimate the variance of the noise of a number: what neighbors differ by as their distance goes to zero.

    Parameters
    ----------
    matrix, pool : numpy.ndarray of shape (n_rows, n_features), (n_pool, n_features)
        Rows, and others among which their neighbors are looked for.
    y, pool_y : numpy.ndarray of shape (n_rows,), (n_pool,)
        The numbers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.random((4000, 2))
    >>> y = np.sin(6 * x[:, 0]) + x[:, 1] ** 2 + rng.normal(0, 0.3, 4000)
    >>> round(gamma(x[:2000], y[:2000], x[2000:], y[2000:]), 2)
    0.09
    """
    distances, places = neighbors(matrix, pool, count=min(_NEIGHBORS, len(pool)))
    apart = np.mean(distances**2, axis=0)
    halves = np.mean((pool_y[places] - y[:, None]) ** 2, axis=0) / 2
    if np.ptp(apart) <= 0:
        return float(halves[0])
    slope = float(np.cov(apart, halves)[0, 1] / np.var(apart, ddof=1))
    return max(0.0, float(halves.mean() - max(0.0, slope) * apart.mean()))


def repeats(X: pd.DataFrame, y: npt.NDArray[Any], *, classes: bool) -> Repeats:
    """Compare rows whose inputs are all equal; whatever they differ in, no model of these inputs can know.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Inputs; missing values equal each other.
    y : numpy.ndarray of shape (n_rows,)
        Codes of classes, or numbers.
    classes : bool
        Whether `y` holds codes.

    Examples
    --------
    >>> repeats(pd.DataFrame({"a": [1, 1, 2, 2, 3]}), np.array([0, 1, 1, 1, 0]), classes=True)
    Repeats(n_rows=4, n_sets=2, noise=0.5)
    """
    _, code = np.unique(pd.util.hash_pandas_object(X, index=False).to_numpy(), return_inverse=True)
    size = np.bincount(code)
    among = size[code] > 1
    n_rows, n_sets = int(among.sum()), int((size > 1).sum())
    if not n_rows:
        return Repeats(0, 0, float("nan"))
    code, y = np.unique(code[among], return_inverse=True)[1], y[among]
    size = np.bincount(code)
    if not classes:
        center = np.bincount(code, y) / size
        return Repeats(n_rows, n_sets, float(np.sum((y - center[code]) ** 2) / (n_rows - n_sets)))
    pairs = np.unique(np.column_stack([code, y]), axis=0, return_counts=True)
    alike = np.bincount(pairs[0][:, 0], pairs[1] * (pairs[1] - 1.0))
    differ = 1 - alike / (size * (size - 1.0))
    return Repeats(n_rows, n_sets, float(np.sum(differ * size) / n_rows))
