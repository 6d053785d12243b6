"""Intervals by resampling: of a mean, of a difference, in blocks where neighbors depend on each other.

Efron (1979), "Bootstrap methods: another look at the jackknife", Annals of Statistics 7; blocks after Künsch (1989),
"The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17. Money is skewed and
hits are rare: there the studentized bootstrap holds what it says, where percentiles do not: Hall (1988), "Theoretical
comparison of bootstrap confidence intervals", Annals of Statistics 16. Shares: Wilson (1927), "Probable inference, the
law of succession, and statistical inference", JASA 22.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from threadpoolctl import threadpool_limits

__all__ = ["Interval", "Resampled", "blocks_of", "interval_of", "resampled_means", "wilson"]

Floats: TypeAlias = npt.NDArray[np.float64]
_MOST_BLOCKS = 2_000
_REPLICATES = 2_000
_FEWEST_DAYS = 8
_LEAST_SPREAD = 1e-3
"""A replicate whose spread is below this share of the sample's drew nearly the same block throughout."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval.

    Examples
    --------
    >>> str(Interval(12.345, 9.0, 15.0)), str(Interval(11835.4, 9641.0, 14038.2))
    ('12.3 (9 to 15)', '11,835 (9,641 to 14,038)')
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        value, low, high = (
            f"{end:,.0f}" if abs(end) >= 100 else f"{end:.3g}" for end in (self.value, self.low, self.high)
        )
        return f"{value} ({low} to {high})"


def blocks_of(
    n_rows: int,
    *,
    time: npt.NDArray[np.datetime64] | None = None,
    group: npt.NDArray[np.int64] | None = None,
    seed: int = 0,
) -> npt.NDArray[np.int64]:
    """Say which rows are resampled together: a group, a day, or the row itself.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    time : numpy.ndarray of datetime64, optional
        Moments; rows of one day are one block (of one of 50 equal spans where there are fewer than 8 days).
    group : numpy.ndarray of int64, optional
        Groups; takes precedence over `time`.
    seed : int
        Independent rows beyond 2,000 are put into 2,000 random blocks: the variance of their mean stays the same.

    Returns
    -------
    numpy.ndarray of int64, shape (n_rows,)
        Block of each row, numbered from 0.

    Examples
    --------
    >>> blocks_of(3).tolist()
    [0, 1, 2]
    """
    if group is not None:
        return np.unique(group, return_inverse=True)[1].astype(np.int64)
    if time is not None:
        days = np.unique(time.astype("datetime64[D]"), return_inverse=True)[1]
        if days.max() + 1 >= _FEWEST_DAYS:
            return days.astype(np.int64)
        ranks = np.argsort(np.argsort(time, kind="stable"), kind="stable")
        return (ranks * min(50, n_rows) // n_rows).astype(np.int64)
    if n_rows <= _MOST_BLOCKS:
        return np.arange(n_rows)
    return np.random.default_rng(seed).permutation(n_rows) % _MOST_BLOCKS


class Resampled:
    """Rows resampled by whole blocks, once, for the intervals of any number of sums of their means.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_rows, n_columns)
        What is averaged. Columns share the resampling, so differences between them are paired.
    blocks : numpy.ndarray of int64, shape (n_rows,)
        Block of each row, numbered from 0.
    replicates : int
        How often.
    seed : int
        Seed.

    Examples
    --------
    >>> values = np.column_stack([np.arange(100.0), np.arange(100.0) - 3.0])
    >>> resampled = Resampled(values, np.arange(100))
    >>> str(resampled.interval([1.0, -1.0]))
    '3 (3 to 3)'
    >>> interval = resampled.interval([1.0, 0.0])
    >>> interval.value, round(interval.low), round(interval.high)
    (49.5, 44, 55)
    """

    def __init__(
        self, values: Floats, blocks: npt.NDArray[np.int64], *, replicates: int = _REPLICATES, seed: int = 0
    ) -> None:
        n_blocks, self._n_rows = int(blocks.max()) + 1, len(blocks)
        self._means = values.mean(axis=0)
        counts = np.bincount(blocks, minlength=n_blocks).astype(np.float64)
        centered = [np.bincount(blocks, column, n_blocks) for column in (values - self._means).T]
        parts = np.column_stack([*centered, counts])
        products = (parts[:, :, None] * parts[:, None, :]).reshape(n_blocks, -1)
        drawn = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=replicates)
        weights = drawn.astype(np.float64)
        shape = (replicates, parts.shape[1], parts.shape[1])
        # One thread: sums of several differ in their last digits by how many there are.
        with threadpool_limits(1):
            sums, squares = weights @ parts, weights @ products
        self._sizes = np.maximum(sums[:, -1], 1.0)
        self._shifts = sums[:, :-1] / self._sizes[:, None]
        self._products = squares.reshape(shape)
        self._own_products = products.sum(axis=0).reshape(shape[1:])
        self._correction = n_blocks / max(1, n_blocks - 1)

    def interval(self, weights: Sequence[float], *, root: bool = False, level: float = 0.95) -> Interval:
        """Interval of the weighted sum of the means of the columns, by the studentized bootstrap.

        Parameters
        ----------
        weights : sequence of float, length n_columns
            Weight of each column; 1 and -1 for a difference.
        root : bool
            Whether it is the sum of the square roots of the means (mean squared errors, for the RMSE).
        level : float
            How often it holds the truth.
        """
        given = np.asarray(weights, dtype=np.float64)
        value, slope = _combined(self._means, given, root=root)
        values, slopes = _combined(self._means + self._shifts, given, root=root)
        spread = self._spread(slope, np.zeros_like(slope), self._own_products, self._n_rows)
        spreads = self._spread(slopes, self._shifts, self._products, self._sizes)
        known = spreads > _LEAST_SPREAD * spread
        if not known.any():
            return Interval(float(value), float(value), float(value))
        ratios = (values - value)[known] / spreads[known]
        low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
        ends = value - high * spread, value - low * spread
        return Interval(float(value), float(min(ends[0], value)), float(max(ends[1], value)))

    def _spread(self, slopes: Floats, shifts: Floats, products: Floats, sizes: Any) -> Any:
        """Return standard errors by linearization: what each block pulls on the value, squared and added up."""
        pull = np.concatenate([slopes, -np.sum(slopes * shifts, axis=-1, keepdims=True)], axis=-1)
        squared = np.einsum("...i,...ij,...j->...", pull, products, pull)
        return np.sqrt(self._correction * np.maximum(squared, 0.0)) / sizes


def _combined(means: Floats, weights: Floats, *, root: bool) -> tuple[Any, Floats]:
    """Return the weighted sum of means, or of their roots, and how fast it changes with each of them."""
    if not root:
        return means @ weights, np.broadcast_to(weights, means.shape)
    roots = np.sqrt(np.maximum(means, 0.0))
    return roots @ weights, weights / (2 * np.maximum(roots, np.finfo(np.float64).tiny ** 0.5))


def resampled_means(
    values: Floats, blocks: npt.NDArray[np.int64], *, replicates: int = _REPLICATES, seed: int = 0
) -> Floats:
    """Means of resampled rows, whole blocks at a time; columns share the resampling, so differences are paired.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_rows,) or (n_rows, n_columns)
        What is averaged.
    blocks : numpy.ndarray of int64, shape (n_rows,)
        Block of each row.
    replicates : int
        How often.
    seed : int
        Seed.

    Returns
    -------
    numpy.ndarray of shape (replicates, n_columns)

    Examples
    --------
    >>> means = resampled_means(np.array([1.0, 2.0, 3.0]), np.arange(3), replicates=100)
    >>> means.shape, bool(1.0 <= means.min() and means.max() <= 3.0)
    ((100, 1), True)
    """
    columns = values.reshape(len(values), -1)
    n_blocks = int(blocks.max()) + 1
    sums = np.column_stack(
        [np.bincount(blocks, weights=columns[:, index], minlength=n_blocks) for index in range(columns.shape[1])]
    )
    counts = np.bincount(blocks, minlength=n_blocks).astype(np.float64)
    drawn = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=replicates)
    weights = drawn.astype(np.float64)
    return np.asarray((weights @ sums) / np.maximum(weights @ counts, 1.0)[:, None], dtype=np.float64)


def interval_of(value: float, replicates: Floats, *, level: float = 0.95) -> Interval:
    """Percentile interval around an estimate; it always contains the estimate.

    Examples
    --------
    >>> interval_of(0.5, np.arange(0.0, 2.0), level=0.5)
    Interval(value=0.5, low=0.25, high=0.75)
    """
    low, high = (float(edge) for edge in np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(value, min(low, value), max(high, value))


def wilson(hits: Any, trials: Any, *, level: float = 0.95) -> tuple[Any, Any]:
    """Interval of a share after Wilson; takes numbers or arrays.

    Examples
    --------
    >>> low, high = wilson(5, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.237, 0.763)
    """
    z = float(norm.ppf((1 + level) / 2))
    share = hits / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return middle - half, middle + half
