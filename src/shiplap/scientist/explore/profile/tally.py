"""`Tally`: how many rows lie in each of many narrow bins; quantiles and histograms follow from it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Scale", "Tally", "scale_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
_STEPS = 100.0
_FURTHEST = 1e300


@dataclass(frozen=True)
class Scale:
    """Where narrow bins lie: bin ``floor(100 asinh((x - center) / width))``.

    Near the center a bin is a hundredth of `width` wide, far from it a hundredth of the distance to the center, so a
    few thousand bins hold any column whatever its tails, and every bin is a group that any SQL can count. (Fixed bins
    of relative width are those of DDSketch: Masson, Rim and Lee, VLDB 2019; the inverse hyperbolic sine makes them
    straight around a center.)

    Parameters
    ----------
    center, width : float
        Of the middle of the column.
    """

    center: float
    width: float

    def sql(self, value: str) -> str:
        """Return SQL for the bin of a value."""
        return f"floor(asinh(({value} - {self.center:.17e}) / {self.width:.17e}) * {_STEPS:.1f})"

    def edges(self, bins: Floats) -> Floats:
        """Return where bins begin."""
        with np.errstate(over="ignore"):
            return np.asarray(self.center + self.width * np.sinh(bins / _STEPS), np.float64)


def scale_of(sample: Floats) -> Scale:
    """Choose the bins of a column by a sample of its values: a quarter of the range between its quartiles.

    Where half of the values or more are the same, wider and wider quantiles tell the width.

    Examples
    --------
    >>> scale_of(np.arange(101.0))
    Scale(center=50.0, width=12.5)
    """
    finite = sample[np.isfinite(sample)]
    if not len(finite):
        return Scale(0.0, 1.0)
    center = float(np.quantile(finite, 0.5))
    for share in (0.25, 0.05, 0.01, 0.0):
        low, high = np.quantile(finite, [share, 1.0 - share])
        if low < high:
            return Scale(center, min(_FURTHEST, float(high / 4 - low / 4)))
    return Scale(center, max(1.0, abs(center)))


@dataclass(frozen=True, eq=False)
class Tally:
    """Rows by bins of numbers, in ascending order.

    Parameters
    ----------
    low, high : numpy.ndarray of float64, shape (n_bins,)
        Edges of each bin; equal where a bin is one value.
    rows : numpy.ndarray of int64, shape (n_bins,)
        How many rows lie in each.

    Examples
    --------
    >>> tally = Tally.of_values([3.0, 1.0], [1, 9])
    >>> tally.quantiles([0.5, 0.95]).tolist(), tally.outside(0.0, 2.0)
    ([1.0, 3.0], 1)
    """

    low: Floats
    high: Floats
    rows: npt.NDArray[np.int64]

    @classmethod
    def of_values(cls, values: Sequence[float], rows: Sequence[int]) -> Tally:
        """Count single values."""
        order = np.argsort(np.asarray(values, np.float64), kind="stable")
        values_ = np.asarray(values, np.float64)[order]
        return cls(values_, values_, np.asarray(rows, np.int64)[order])

    @classmethod
    def of_bins(cls, bins: Sequence[float], rows: Sequence[int], scale: Scale, low: float, high: float) -> Tally:
        """Count bins of a scale; none reaches beyond the smallest and the largest value."""
        order = np.argsort(np.asarray(bins, np.float64), kind="stable")
        bins_ = np.asarray(bins, np.float64)[order]
        edges = np.clip([scale.edges(bins_), scale.edges(bins_ + 1)], low, high)
        return cls(edges[0], edges[1], np.asarray(rows, np.int64)[order])

    @property
    def n_rows(self) -> int:
        """Rows counted."""
        return int(self.rows.sum())

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """Return quantiles: of single values the smallest that enough rows do not exceed, inside a bin on a line."""
        if not len(self.rows):
            return np.full(len(levels), np.nan)
        until = np.cumsum(self.rows)
        wanted = np.asarray(levels, np.float64) * until[-1]
        place = np.minimum(np.searchsorted(until, wanted - 1e-9, side="left"), len(until) - 1)
        inside = np.clip((wanted - (until - self.rows)[place]) / self.rows[place], 0.0, 1.0)
        return np.asarray(self.low[place] + inside * (self.high[place] - self.low[place]), np.float64)

    def outside(self, low: float, high: float) -> int:
        """Count the rows of bins that lie wholly below `low` or above `high`."""
        return int(self.rows[(self.high < low) | (self.low > high)].sum())

    def histogram(self, edges: Floats) -> npt.NDArray[np.int64]:
        """Count rows between edges; a bin that spans several gives each its part. Beyond the edges, none."""
        width = self.high - self.low
        counts = np.zeros(len(edges) - 1)
        single = width <= 0
        counts += np.histogram(self.low[single], edges, weights=self.rows[single])[0]
        low, high, rows = self.low[~single], self.high[~single], self.rows[~single]
        for place in range(len(counts)):
            part = np.minimum(high, edges[place + 1]) - np.maximum(low, edges[place])
            counts[place] += float(np.sum(rows * np.clip(part / (high - low), 0.0, 1.0)))
        return np.rint(counts).astype(np.int64)
