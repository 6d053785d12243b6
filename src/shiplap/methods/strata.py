"""An association over all rows, and the same within the strata of a third column: Simpson's paradox.

Simpson (1951), "The interpretation of interaction in contingency tables", JRSS B 13. Within the strata the slope is
pooled with the weights of the within estimator (for two groups and a yes or no, those of Mantel and Haenszel), and both
slopes carry errors that do not assume equal variances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

__all__ = ["Slopes", "Stratified", "slopes", "stratified"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_FEWEST_IN_A_STRATUM = 10
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class Slopes:
    """How a target changes with each of several inputs, with the standard error of each.

    Parameters
    ----------
    slope, error : numpy.ndarray of shape (n_inputs,)
        NaN where the input or the target does not vary.
    """

    slope: Floats
    error: Floats

    @property
    def p(self) -> Floats:
        """Two-sided p-values that a slope is 0."""
        return np.asarray(2 * norm.sf(np.abs(self.slope / self.error)), np.float64)


@dataclass(frozen=True, eq=False)
class Stratified:
    """The slopes within the strata of one column.

    Parameters
    ----------
    pooled : Slopes
        Within the strata, taken together.
    against : numpy.ndarray of shape (n_inputs,)
        Share of the weight of strata whose own slope has the other sign than the slope over all rows.
    n_against, n_strata : numpy.ndarray of int64, shape (n_inputs,)
        How many strata have it, of those in which the input varies.
    p_turned : numpy.ndarray of shape (n_inputs,)
        One-sided p-values that the pooled slope has the other sign than the slope over all rows.
    p_shrunk : numpy.ndarray of shape (n_inputs,)
        One-sided p-values that it is less than half of it.
    """

    pooled: Slopes
    against: Floats
    n_against: Ints
    n_strata: Ints
    p_turned: Floats
    p_shrunk: Floats


def slopes(X: Floats, y: Floats) -> Slopes:
    """Slope of the target on each input by itself.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_rows, n_inputs)
        Numbers, or 0 and 1 for being of a group.
    y : numpy.ndarray of shape (n_rows,)
        The target: numbers, or 0 and 1.

    Examples
    --------
    >>> slopes(np.array([[0.0], [1.0], [0.0], [1.0]]), np.array([0.0, 1.0, 0.0, 3.0])).slope.tolist()
    [2.0]
    """
    return _within(X, y, np.zeros(len(y), np.int64))[0]


def stratified(X: Floats, y: Floats, strata: Ints, overall: Slopes) -> Stratified:
    """Slope of the target on each input within strata; those with fewer than 10 rows say nothing.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_rows, n_inputs)
        Numbers, or 0 and 1 for being of a group.
    y : numpy.ndarray of shape (n_rows,)
        The target.
    strata : numpy.ndarray of int64, shape (n_rows,)
        Stratum of each row.
    overall : Slopes
        The same over all rows.

    Examples
    --------
    >>> x, strata = np.tile([0.0, 1.0], 20), np.repeat([0, 1], 20)
    >>> x[:6] = x[1::2][:6] = 1.0
    >>> found = stratified(x[:, None], 3.0 * strata - x, strata, slopes(x[:, None], 3.0 * strata - x))
    >>> found.pooled.slope.round(2).tolist(), found.n_strata.tolist()
    ([-1.0], [2])
    """
    rows = np.bincount(strata)[strata]
    kept = rows >= _FEWEST_IN_A_STRATUM
    pooled, own, weight = _within(X[kept], y[kept], np.unique(strata[kept], return_inverse=True)[1])
    sign = np.sign(overall.slope)
    against = (own * sign < 0) & (weight > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.sum(weight * against, axis=0) / weight.sum(axis=0)
        turned = norm.sf(-sign * pooled.slope / pooled.error)
        shrunk = norm.sf(
            (_HALF * np.abs(overall.slope) - sign * pooled.slope) / np.hypot(pooled.error, _HALF * overall.error)
        )
    return Stratified(
        pooled, share, against.sum(axis=0), (weight > 0).sum(axis=0), np.asarray(turned), np.asarray(shrunk)
    )


def _within(X: Floats, y: Floats, strata: Ints) -> tuple[Slopes, Floats, Floats]:
    """Pooled slopes, the slope of every stratum, and its weight (n_strata, n_inputs)."""
    n_strata = int(strata.max(initial=-1)) + 1
    rows = np.maximum(np.bincount(strata, minlength=n_strata), 1).astype(np.float64)
    centered = X - (_sums(X, strata, n_strata) / rows[:, None])[strata]
    left = y - (np.bincount(strata, weights=y, minlength=n_strata) / rows)[strata]
    spread, together = _sums(centered**2, strata, n_strata), _sums(centered * left[:, None], strata, n_strata)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = together.sum(axis=0) / spread.sum(axis=0)
        error = np.sqrt(np.sum((centered * (left[:, None] - slope * centered)) ** 2, axis=0)) / spread.sum(axis=0)
        own = together / spread
    return Slopes(slope, np.where(error > 0, error, np.nan)), np.nan_to_num(own), spread


def _sums(values: Floats, strata: Ints, n_strata: int) -> Floats:
    return np.column_stack([np.bincount(strata, weights=column, minlength=n_strata) for column in values.T])
