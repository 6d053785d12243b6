"""How strongly two columns of any kinds go together, on one scale from 0 to 1.

Both are cut into a few bins, and the bins' mutual information is turned into what a correlation would be: Linfoot
(1957), "An informational measure of correlation", Information and Control 1, divided by the most that the bins allow.
0 is independence, 1 says that one column follows from the other, and of two normal numbers it is about the size of
their correlation. The same information is the likelihood ratio test of independence, whose far tails stay true in
sparse tables where Pearson's do not; its mean is set right after Williams (1976), "Improved likelihood ratio tests for
complete contingency tables", Biometrika 63, which also takes the bias out of the strength.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from scipy.special import xlogy
from scipy.stats import chi2

from shiplap.methods.bins import binned
from shiplap.methods.multiple import corrected

__all__ = ["Associations", "Independence", "Pair", "associations", "coded", "cross_table", "independence"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_FEWEST_ROWS = 30
_FEWEST_BINS, _MOST_BINS, _ROWS_A_CELL = 3, 12, 10
_FEWEST_IN_A_LEVEL, _SHARE_OF_A_LEVEL = 10, 0.005


@dataclass(frozen=True)
class Independence:
    """What a table of counts says of its rows and columns.

    Parameters
    ----------
    strength : float
        0 (independent) to 1 (one follows from the other), bias taken out; NaN where either does not vary.
    p : float
        p-value of the likelihood ratio test of independence; NaN likewise.
    """

    strength: float
    p: float


@dataclass(frozen=True)
class Pair:
    """Two columns and how strongly they go together.

    Parameters
    ----------
    first, second : str
        Names, in the order of the table.
    strength : float
        0 to 1.
    p : float
        p-value, corrected for all pairs that were tested.
    rows : int
        Rows on which both are known.
    """

    first: str
    second: str
    strength: float
    p: float
    rows: int


@dataclass(frozen=True, eq=False)
class Associations:
    """Every pair of some columns.

    Parameters
    ----------
    names : tuple of str
        The columns.
    strength : numpy.ndarray of shape (n_columns, n_columns)
        Symmetric, 1 on the diagonal, NaN where nothing could be said.
    pairs : tuple of Pair
        Those that could be tested, strongest first.
    """

    names: tuple[str, ...]
    strength: Floats
    pairs: tuple[Pair, ...]

    def clustered(self) -> list[int]:
        """Order the columns so that related ones lie together (average linkage, leaves in their best order).

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> a, b = rng.normal(size=(2, 200))
        >>> found = associations(pd.DataFrame({"a": a, "b": b, "a2": a + 0.1, "b2": b + 0.1}))
        >>> sorted(found.names[index] for index in found.clustered()[:2])
        ['a', 'a2']
        """
        if len(self.names) < 3:
            return list(range(len(self.names)))
        distance = 1 - np.nan_to_num(self.strength)
        np.fill_diagonal(distance, 0.0)
        tree = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
        return [int(leaf) for leaf in leaves_list(tree)]


def coded(column: pd.Series) -> Ints:
    """Cut a column into few enough bins that pairs of them can be counted; -1 where it is missing.

    Numbers and dates are cut into equal shares. Rare categories share one bin.

    Examples
    --------
    >>> coded(pd.Series([1.0, 2.0, None, 3.0])).tolist()
    [0, 1, -1, 2]
    """
    n_known = int(column.notna().sum())
    bins = int(np.clip(np.sqrt(n_known / _ROWS_A_CELL), _FEWEST_BINS, _MOST_BINS))
    codes, names = binned(column, bins=bins)
    if n_known < len(column):
        codes[codes == len(names) - 1] = -1
    return codes if column.dtype.kind in "fiubM" else _without_rare(codes, n_known)


def _without_rare(codes: Ints, n_known: int) -> Ints:
    rows = np.bincount(codes[codes >= 0], minlength=1)
    rare = rows < max(_FEWEST_IN_A_LEVEL, _SHARE_OF_A_LEVEL * n_known)
    place = np.where(rare, len(rows), np.arange(len(rows)))
    return np.where(codes >= 0, place[codes], -1)


def cross_table(first: Ints, second: Ints) -> Ints:
    """Count the rows by two codes, those left out where either is -1.

    Examples
    --------
    >>> cross_table(np.array([0, 1, 1, -1]), np.array([0, 0, 1, 1])).tolist()
    [[1, 0], [1, 1]]
    """
    width = int(second.max(initial=-1)) + 2
    height = int(first.max(initial=-1)) + 2
    place = (first + 1) * width + (second + 1)
    return np.bincount(place, minlength=height * width).reshape(height, width)[1:, 1:]


def independence(table: Ints) -> Independence:
    """Test whether rows and columns of a table of counts are independent, and say how strongly they are not.

    Parameters
    ----------
    table : numpy.ndarray of shape (n_levels, n_levels)
        Counts.

    Examples
    --------
    >>> found = independence(np.array([[50, 0], [0, 50]]))
    >>> round(found.strength, 2), found.p < 1e-9
    (1.0, True)
    """
    counts = np.asarray(table, np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return Independence(np.nan, np.nan)
    rows, columns, n = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    freedom = (len(rows) - 1) * (len(columns) - 1)
    inflated = 1 + (n * np.sum(1 / rows) - 1) * (n * np.sum(1 / columns) - 1) / (6 * n * freedom)
    entropies = [float(np.log(n) - xlogy(side, side).sum() / n) for side in (rows, columns)]
    together = float(np.log(n) - xlogy(counts, counts).sum() / n)
    ratio = max(0.0, 2 * n * (sum(entropies) - together))
    information = max(0.0, ratio - inflated * freedom) / (2 * n)
    share = np.expm1(-2 * information) / np.expm1(-2 * min(entropies))
    return Independence(min(1.0, float(np.sqrt(share))), float(chi2.sf(ratio / inflated, freedom)))


def associations(X: pd.DataFrame) -> Associations:
    """Measure every pair of columns, each on the rows where both are known.

    Parameters
    ----------
    X : pandas.DataFrame
        Numbers, booleans, dates, texts.

    Returns
    -------
    Associations
        Pairs that share fewer than 30 rows, or of which one does not vary, are left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> found = associations(pd.DataFrame({"x": x, "y": x + rng.normal(size=2000), "z": rng.normal(size=2000)}))
    >>> [(pair.first, pair.second, round(pair.strength, 1)) for pair in found.pairs if pair.p < 0.05]
    [('x', 'y', 0.7)]
    """
    names = tuple(str(name) for name in X.columns)
    codes = [coded(X[name]) for name in X.columns]
    strength = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(strength, 1.0)
    tested: list[Pair] = []
    for a, b in combinations(range(len(names)), 2):
        table = cross_table(codes[a], codes[b])
        found = independence(table) if table.sum() >= _FEWEST_ROWS else Independence(np.nan, np.nan)
        if not np.isnan(found.p):
            strength[a, b] = strength[b, a] = found.strength
            tested.append(Pair(names[a], names[b], found.strength, found.p, int(table.sum())))
    right = corrected(np.array([pair.p for pair in tested]))
    pairs = [
        Pair(pair.first, pair.second, pair.strength, float(p), pair.rows) for pair, p in zip(tested, right, strict=True)
    ]
    return Associations(names, strength, tuple(sorted(pairs, key=lambda pair: -pair.strength)))
