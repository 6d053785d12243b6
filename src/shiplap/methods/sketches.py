"""`Sketch`: what went by in one column, in few numbers: counts in bins that are the same wherever values are counted.

Bins of numbers follow the bits of a double: equal leading bits, one bin. At first every value is a bin of its own;
where there are more than `MOST_BINS`, every bin is joined with its neighbor, again and again (the uniform collapse of
[2]_ on the logarithmic bins of [1]_, read off the bits). A column of few values is so counted exactly; of any other
the bins are as wide as its values demand. How far they are joined depends on the values alone, not on their order nor
on how they were split: sketches of parts, added up, are the sketch of the whole, to the count.

That is why this is no sketch that bounds the error of ranks, such as KLL: here every count is exact, and a test for
change may trust it.

References
----------
.. [1] Masson, Rim, Lee (2019), DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees.
.. [2] Epicoco et al. (2020), UDDSketch: accurate tracking of quantiles in data streams.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from math import ceil, inf, nan
from operator import add
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import StoreError

__all__ = ["MISSING", "MOST_BINS", "MOST_CODES", "UNSEEN", "Sketch", "sketch_codes", "sketch_numbers", "sketch_shares"]

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Scale = Literal["codes", "shares", "numbers"]

MOST_BINS = 512
"""Bins of a column of numbers."""
MOST_CODES = 1_024
"""Categories that are counted one by one; all that come after are counted under this code."""
SHARES = 100
"""Bins of a column of probabilities, all of one width."""
UNSEEN, MISSING = -1, -2
"""Codes of a category that is not in the vocabulary, and of none."""

_SIGN = np.int64(0x7FFF_FFFF_FFFF_FFFF)
_INFINITY = np.int64(0x7FF0_0000_0000_0000)
_DEEPEST = 63
_FEW, _SPAN = 256, 65_536  # so many keys in so short a range are counted without sorting
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sketch:
    """Counts of one column.

    Parameters
    ----------
    scale : {"codes", "shares", "numbers"}
        What a key is: the place of a category, a hundredth of the way from 0 to 1, or the leading bits of a double.
    rows, missing, unseen : int
        Values in all, those that were missing, and those that were in no vocabulary.
    finite : int
        Numbers that are neither missing nor infinite; the next four speak of them.
    mean, squares : float
        Their mean, and the sum of their squared distances from it.
    low, high : float
        The least and the greatest.
    shift : int
        How many trailing bits of a double do not count: 2 to this power neighboring doubles share a bin.
    keys, counts : ndarray of int64, shape (n_bins,)
        The bins that hold anything, in ascending order, and what they hold.

    Examples
    --------
    >>> ages = sketch_numbers(np.array([41.0, 7.5, np.nan, 41.0]))
    >>> more = ages + sketch_numbers(np.array([10.0]))
    >>> more.rows, more.missing, more.mean, more.quantile(0.5)
    (5, 1, 24.875, 10.0)
    """

    scale: Scale
    rows: int = 0
    missing: int = 0
    unseen: int = 0
    finite: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = inf
    high: float = -inf
    shift: int = 0
    keys: Integers = field(default_factory=_NONE.copy)
    counts: Integers = field(default_factory=_NONE.copy)

    @property
    def variance(self) -> float:
        """Variance of the finite numbers; NaN where there are none."""
        return self.squares / self.finite if self.finite else nan

    def __add__(self, other: Sketch) -> Sketch:
        """Return the sketch of both; raises ``StoreError`` where keys mean different things."""
        if self.scale != other.scale:
            raise StoreError(f"a sketch of {self.scale} and one of {other.scale} cannot be added")
        shift, keys, counts = _joined(self, other)
        finite = self.finite + other.finite
        apart = other.mean - self.mean
        weight = other.finite / finite if finite else 0.0
        return Sketch(
            scale=self.scale,
            rows=self.rows + other.rows,
            missing=self.missing + other.missing,
            unseen=self.unseen + other.unseen,
            finite=finite,
            mean=self.mean + apart * weight,  # Chan, Golub, LeVeque (1979)
            squares=self.squares + other.squares + apart * apart * weight * self.finite,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            shift=shift,
            keys=keys,
            counts=counts,
        )

    def edges(self) -> tuple[Doubles, Doubles]:
        """Return the least and the greatest value that each bin can hold, shape (n_bins,) each."""
        if self.scale == "numbers":
            first = self.keys << self.shift
            return _doubles(first), _doubles(first | ((1 << self.shift) - 1))
        if self.scale == "shares":
            return self.keys / SHARES, (self.keys + 1) / SHARES
        return self.keys.astype(np.float64), self.keys.astype(np.float64)

    def quantile(self, share: float) -> float:
        """Return the value that this share of the values does not exceed: the middle of the bin that it lies in.

        It is off by at most half the width of that bin, and exact where there are no more than `MOST_BINS` values.
        NaN where there is no value.
        """
        if not len(self.counts):
            return nan
        ranks = np.cumsum(self.counts)
        place = int(np.searchsorted(ranks, max(1, ceil(share * int(ranks[-1])))))
        lows, highs = self.edges()
        low, high = max(float(lows[place]), self.low), min(float(highs[place]), self.high)
        return low if low >= high else low / 2 + high / 2

    def joined(self, shift: int) -> Sketch:
        """Return the sketch in wider bins, to lay it beside another; does nothing where they are as wide already."""
        if shift <= self.shift:
            return self
        return reduce(add, [self, Sketch(scale=self.scale, shift=shift)])

    def bare(self) -> Sketch:
        """Return how many values there were and were missing, and nothing of what they are."""
        return Sketch(scale=self.scale, rows=self.rows, missing=self.missing, unseen=self.unseen)


def sketch_numbers(values: Doubles, *, shift: int = 0) -> Sketch:
    """Count numbers.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows,)
        NaN is missing.
    shift : int
        How far bins are joined at least; what the sketch is added to has, to spare the work of doing it again.
    """
    there = values[values == values]  # noqa: PLR0124 (not NaN)
    bits = (there + 0.0).view(np.int64)  # -0.0 becomes 0.0
    shift, keys, counts = _binned((bits ^ ((bits >> _DEEPEST) & _SIGN)) >> shift, shift)  # in the order of the doubles
    missing = len(values) - len(there)
    moments = _moments(there[np.abs(there) < inf])
    return Sketch(scale="numbers", rows=len(values), missing=missing, shift=shift, keys=keys, counts=counts, **moments)


def sketch_shares(values: Doubles) -> Sketch:
    """Count probabilities in a hundred bins of one width; `values` has the shape (n_rows,), NaN is missing.

    Examples
    --------
    >>> sketch_shares(np.array([0.004, 0.5, 1.0])).keys
    array([ 0, 50, 99])
    """
    there = values[values == values]  # noqa: PLR0124 (not NaN)
    keys, counts = _filled(np.clip(there * SHARES, 0, SHARES - 1).astype(np.int64))
    missing = len(values) - len(there)
    return Sketch(scale="shares", rows=len(values), missing=missing, keys=keys, counts=counts, **_moments(there))


def sketch_codes(codes: Integers) -> Sketch:
    """Count categories by their place; `codes` has the shape (n_rows,) and may hold `UNSEEN` and `MISSING`.

    Examples
    --------
    >>> plans = sketch_codes(np.array([0, 2, 2, UNSEEN, MISSING]))
    >>> plans.rows, plans.unseen, plans.missing, plans.keys, plans.counts
    (5, 1, 1, array([0, 2]), array([1, 2]))
    """
    keys, counts = _filled(np.minimum(codes[codes >= 0], MOST_CODES))
    return Sketch(
        scale="codes",
        rows=len(codes),
        missing=int(np.count_nonzero(codes == MISSING)),
        unseen=int(np.count_nonzero(codes == UNSEEN)),
        keys=keys,
        counts=counts,
    )


class _Moments(TypedDict, total=False):
    finite: int
    mean: float
    squares: float
    low: float
    high: float


def _moments(finite: Doubles) -> _Moments:
    if not len(finite):
        return {}
    with np.errstate(over="ignore", invalid="ignore"):  # beyond 1e150 the squares are infinite
        mean = float(finite.mean())
        squares = float(np.square(finite - mean).sum())
    return {
        "finite": len(finite),
        "mean": mean,
        "squares": squares,
        "low": finite.min().item(),
        "high": finite.max().item(),
    }


def _joined(one: Sketch, other: Sketch) -> tuple[int, Integers, Integers]:
    shift = max(one.shift, other.shift)
    keys = np.concatenate([one.keys >> (shift - one.shift), other.keys >> (shift - other.shift)])
    order = np.argsort(keys, kind="stable")
    counts = np.concatenate([one.counts, other.counts])[order]
    return _narrowed(keys[order], counts, shift, MOST_BINS if one.scale == "numbers" else len(keys))


def _binned(keys: Integers, shift: int) -> tuple[int, Integers, Integers]:
    if len(keys) > _FEW and (low := int(keys.min())) + _SPAN > int(keys.max()):
        places, counts = _filled(keys - low)  # a third of the time that sorting takes
        return _narrowed(places + low, counts, shift, MOST_BINS)
    keys = np.sort(keys)
    return _narrowed(keys, np.ones(len(keys), np.int64), shift, MOST_BINS)


def _narrowed(keys: Integers, counts: Integers, shift: int, most: int) -> tuple[int, Integers, Integers]:
    """Return the shift, the distinct keys of a sorted array and what each holds, of `most` bins or fewer."""
    further = _surplus(keys, most)
    keys = keys >> further
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else _NONE
    return shift + further, keys[starts], np.add.reduceat(counts, starts) if len(keys) else counts


def _surplus(keys: Integers, most: int) -> int:
    """Return how many more bits of sorted keys must go, so that no more than `most` of them are left."""
    if len(keys) <= most or _distinct(keys) <= most:
        return 0
    too_few, enough = 0, _DEEPEST
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _distinct(keys >> middle) <= most:
            enough = middle
        else:
            too_few = middle
    return enough


def _distinct(keys: Integers) -> int:
    return 1 + int(np.count_nonzero(keys[1:] != keys[:-1]))


def _filled(keys: Integers) -> tuple[Integers, Integers]:
    """Return the distinct among small keys from 0 on, and how often each stands there."""
    counts = np.bincount(keys)
    used = np.flatnonzero(counts)
    return used, counts[used]


def _doubles(keys: Integers) -> Doubles:
    keys = np.clip(keys, ~_INFINITY, _INFINITY)  # beyond infinity lies no number
    keys[keys == -1] = -2  # -0.0, which was counted as 0.0
    return (keys ^ ((keys >> _DEEPEST) & _SIGN)).view(np.float64)
