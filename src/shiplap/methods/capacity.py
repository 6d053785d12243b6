"""Limits on how often can be acted: the best-ranked rows of each period come first, whichever policy ranks them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.brief import Capacity
from shiplap.core.errors import BriefError
from shiplap.methods.question import Problem

__all__ = ["acted_shares", "allowed_share", "amount", "brought", "limits", "periods", "standings", "words"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_UNITS = {"per_hour": "h", "per_day": "D", "per_month": "M"}
_WEEK, _MONDAY = 7, 3
"""Days of a week, and by how many the first day of 1970 comes after a Monday."""


def words(capacity: Capacity) -> str:
    """Say a capacity as people do.

    Examples
    --------
    >>> words(Capacity(per_day=200)), words(Capacity(share=0.05))
    ('200 a day', '5 % of the rows')
    """
    number, each = amount(capacity)
    return f"{number:.3g} {each}" if capacity.share is not None else f"{number:,.6g} {each}"


def amount(capacity: Capacity) -> tuple[float, str]:
    """Take a capacity apart into a number and what it counts by.

    Examples
    --------
    >>> amount(Capacity(per_hour=20)), amount(Capacity(share=0.05))
    ((20.0, 'an hour'), (5.0, '% of the rows'))
    """
    if capacity.share is not None:
        return 100.0 * capacity.share, "% of the rows"
    (name, number), *_ = _given(capacity)
    return float(number), name.replace("per_", "a ").replace("a hour", "an hour")


def _given(capacity: Capacity) -> list[tuple[str, float]]:
    named = ((name, getattr(capacity, name)) for name in ("per_hour", "per_day", "per_week", "per_month"))
    return [(name, number) for name, number in named if number is not None]


def periods(problem: Problem, rows: npt.NDArray[Any]) -> Ints:
    """Number the periods that a capacity counts by: a share by the day, or all rows at once where there is no time.

    Raises
    ------
    BriefError
        The capacity counts by time, and no time column is named.
    """
    capacity, time = problem.brief.capacity, problem.time
    if capacity is None or (capacity.share is not None and time is None):
        return np.zeros(len(rows), np.int64)
    if time is None:
        raise BriefError(f"a capacity of {words(capacity)} needs a time column", hint="name it: time='called_at'")
    moments = time[rows]
    if capacity.per_week is not None:
        counted = (moments.astype("datetime64[D]").astype(np.int64) + _MONDAY) // _WEEK
    else:
        unit = _UNITS[_given(capacity)[0][0]] if capacity.share is None else "D"
        counted = moments.astype(f"datetime64[{unit}]").astype(np.int64)
    return np.unique(counted, return_inverse=True)[1].astype(np.int64)


def limits(problem: Problem, period: Ints) -> Floats:
    """Return on how many rows of each period can be acted; shape (n_periods,)."""
    sizes = np.bincount(period).astype(np.float64)
    capacity = problem.brief.capacity
    if capacity is None:
        return sizes
    if capacity.share is not None:
        return capacity.share * sizes
    return np.minimum(sizes, _given(capacity)[0][1])


def allowed_share(problem: Problem, rows: npt.NDArray[Any]) -> float:
    """Return on what share of some rows can be acted at most; 1 without a capacity."""
    if problem.brief.capacity is None or not len(rows):
        return 1.0
    return float(limits(problem, periods(problem, rows)).sum() / len(rows))


def acted_shares(priority: Floats, wanted: npt.NDArray[np.bool_], period: Ints, limit: Floats) -> Floats:
    """Say on which rows a policy acts under a limit.

    Parameters
    ----------
    priority : numpy.ndarray of shape (n_rows,)
        What comes first: the highest.
    wanted : numpy.ndarray of bool, shape (n_rows,)
        On which rows it would act without a limit.
    period : numpy.ndarray of int64, shape (n_rows,)
        Period of each row, numbered from 0.
    limit : numpy.ndarray of shape (n_periods,)
        Rows of each period that can be acted on.

    Returns
    -------
    numpy.ndarray of shape (n_rows,)
        1 where it acts, 0 where it does not; rows of one priority that the limit cuts through share what is left, as
        if some of them were chosen at random.

    Examples
    --------
    >>> wanted = np.array([True, True, True, False])
    >>> acted_shares(np.array([0.9, 0.5, 0.5, 0.1]), wanted, np.zeros(4, int), np.array([2.0])).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    shares = np.zeros(len(priority))
    asked = np.flatnonzero(wanted)
    ahead, alike = standings(priority[asked], period[asked])
    shares[asked] = np.clip((limit[period[asked]] - ahead) / alike, 0.0, 1.0)
    return shares


def brought(gain: Floats, priority: Floats, wanted: npt.NDArray[np.bool_], period: Ints, limit: Floats) -> Floats:
    """Lay what acting under a limit brings on the rows, so that resampling them does not resample the limit.

    A row that is acted on takes the place of another. Were rows drawn anew, as many would be acted on as now, and not
    more where more of the best-ranked happen to be drawn. So in periods that the limit binds each place is paid at its
    price, what one more would bring, and what that yields is shared by all rows of the period: the sum is what acting
    brings, and the rows differ as much as they add to its error (the influence function of a trimmed sum).

    Parameters
    ----------
    gain : numpy.ndarray of shape (n_rows,)
        What acting on each row brings beyond not acting.
    priority, wanted, period, limit : numpy.ndarray
        As `acted_shares` takes them.

    Returns
    -------
    numpy.ndarray of shape (n_rows,)

    Examples
    --------
    >>> gain, wanted = np.array([6.0, 2.0, 2.0, 0.0]), np.ones(4, bool)
    >>> brought(gain, gain, wanted, np.zeros(4, int), np.array([2.0])).tolist()
    [5.0, 1.0, 1.0, 1.0]
    """
    asked = np.bincount(period, wanted, len(limit))
    around = np.maximum(0.0, np.minimum(limit, asked - limit)) / 2
    fewer, acted, more = (
        acted_shares(priority, wanted, period, limit + step) for step in (-around, np.zeros(len(limit)), around)
    )
    near = more - fewer
    if near.sum() <= 0:
        return acted * gain
    price = float(gain @ near / near.sum())
    share = np.bincount(period, acted, len(limit)) / np.bincount(period, minlength=len(limit))
    return np.where((around > 0)[period], acted * (gain - price) + share[period] * price, acted * gain)


def standings(priority: Floats, period: Ints) -> tuple[Floats, Floats]:
    """Count for each row how many of its period come before it, and how many are ranked as it is, itself included.

    Examples
    --------
    >>> ahead, alike = standings(np.array([0.9, 0.5, 0.5, 0.9]), np.array([0, 0, 0, 1]))
    >>> ahead.tolist(), alike.tolist()
    ([0.0, 1.0, 1.0, 0.0], [1.0, 2.0, 2.0, 1.0])
    """
    order = np.lexsort((-priority, period))
    placed, ranked = period[order], priority[order]
    opens = np.ones(len(order), bool)
    opens[1:] = (placed[1:] != placed[:-1]) | (ranked[1:] != ranked[:-1])
    tie, first = np.cumsum(opens) - 1, np.flatnonzero(opens)
    ahead, alike = np.empty(len(order)), np.empty(len(order))
    ahead[order] = (first - np.searchsorted(placed, placed[first], side="left"))[tie]
    alike[order] = np.bincount(tie)[tie] if len(order) else 0.0
    return ahead, alike
