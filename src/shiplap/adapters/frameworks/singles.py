"""Comparisons of single-precision numbers, put as comparisons of the doubles that are rounded to them.

A model that casts its features to float32 need not be followed there: which doubles round to a float32 at or below a
threshold is one comparison with a double, so trees compare the features as they come, and on exactly the same rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["around", "at_most", "below"]

_OVERFLOW = 2.0**128 - 2.0**103


def at_most(limits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the largest doubles that round to a float32 at or below each limit.

    Parameters
    ----------
    limits : ndarray of float32
        Single-precision thresholds.

    Returns
    -------
    ndarray of float64
        ``x <= at_most(limit)`` exactly where ``float32(x) <= limit``, rounded to nearest, ties to even.

    Examples
    --------
    >>> bound = at_most(np.array([1.0], np.float32))[0]
    >>> float(np.float32(bound)), float(np.float32(np.nextafter(bound, 2)))
    (1.0, 1.0000001192092896)
    """
    limits = np.asarray(limits, np.float32)
    largest = np.finfo(np.float32).max
    with np.errstate(invalid="ignore", over="ignore"):
        above = np.nextafter(limits, np.float32(np.inf))
        middle = (limits.astype(np.float64) + above.astype(np.float64)) / 2
    middle = np.where(limits == largest, _OVERFLOW, np.where(limits == -np.inf, -_OVERFLOW, middle))
    even = limits.view(np.uint32) & 1 == 0
    bound = np.where(even, middle, np.nextafter(middle, -np.inf))
    found: NDArray[np.float64] = np.where(limits == np.inf, np.inf, bound)
    return found


def below(limits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the largest doubles that round to a float32 below each limit; none is below minus infinity.

    Examples
    --------
    >>> float(np.float32(below(np.array([1.0], np.float32))[0]))
    0.9999999403953552
    """
    limits = np.asarray(limits, np.float32)
    with np.errstate(over="ignore"):
        under = np.nextafter(limits, np.float32(-np.inf))
    found: NDArray[np.float64] = np.where(limits == -np.inf, -np.inf, at_most(under))
    return found


def around(limits: NDArray[np.float32], bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where to try limits: on them, on the float32 numbers beside them, and where doubles cross over.

    Examples
    --------
    >>> limits = np.array([1.0], np.float32)
    >>> len(around(limits, at_most(limits)))
    4
    """
    with np.errstate(over="ignore"):
        sides = [np.nextafter(limits, np.float32(edge)) for edge in (-np.inf, np.inf)]
    return np.concatenate([limits, *sides, bounds], dtype=np.float64)
