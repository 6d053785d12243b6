"""Moments of series on a grid of equal steps, so that the past of a row can be found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Steps", "steps_of"]

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Moments: TypeAlias = npt.NDArray[np.datetime64]
_HOUR, _DAY = 3_600.0, 86_400.0
_UNITS = (("second", 1.0), ("minute", 60.0), ("hour", _HOUR), ("day", _DAY), ("week", 7 * _DAY))
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MONTH_S = 30.44 * _DAY
_SEASONS: dict[str, tuple[tuple[str, float], ...]] = {
    "second": (("minute", 60), ("hour", 3_600)),
    "minute": (("hour", 60), ("day", 1_440)),
    "hour": (("day", 24), ("week", 168)),
    "day": (("week", 7), ("year", 365)),
    "week": (("year", 52),),
    "month": (("year", 12),),
    "quarter": (("year", 4),),
    "year": (),
}


@dataclass(frozen=True, eq=False)
class Steps:
    """Rows of series, numbered by step.

    Parameters
    ----------
    series, step : numpy.ndarray of int64, shape (n_rows,)
        Series of each row, and its step from the first moment of all.
    time : numpy.ndarray of datetime64, shape (n_rows,)
        Moment of each row.
    unit : str
        What one step is called: ``day``, ``month``, or ``step of 15 minutes``.
    seasons : tuple of (int, str)
        How many steps a season has, and its name.
    """

    series: Ints
    step: Ints
    time: Moments
    unit: str
    seasons: tuple[tuple[int, str], ...]

    @property
    def span(self) -> int:
        """Steps from the first moment to the last."""
        return int(self.step.max()) + 1

    @property
    def n_repeated(self) -> int:
        """Moments at which a series has several rows."""
        return len(self._keys) - len(np.unique(self._keys))

    @property
    def calendar(self) -> dict[str, Floats]:
        """Parts of the moments that vary: hour, weekday, month; of steps of a month and more the month alone."""
        days = self.time.astype("datetime64[D]").astype(np.int64)
        parts = {
            "hour": (self.time.astype("datetime64[h]").astype(np.int64) % 24).astype(np.float64),
            "weekday": ((days + 3) % 7).astype(np.float64),
            "month": (self.time.astype("datetime64[M]").astype(np.int64) % 12 + 1).astype(np.float64),
        }
        told = ("month",) if self.unit in _MONTHS else tuple(parts)
        return {name: parts[name] for name in told if parts[name].min() < parts[name].max()}

    def lagged(self, values: Floats, lag: int) -> Floats:
        """Return the value of the same series some steps before each row, NaN where there is none; shape (n_rows,)."""
        order = self._order
        wanted = self._keys - lag
        place = np.clip(np.searchsorted(self._keys[order], wanted), 0, len(order) - 1)
        found = order[place]
        there = (self._keys[found] == wanted) & (self.step >= lag)
        return np.where(there, np.asarray(values, dtype=np.float64)[found], np.nan)

    @cached_property
    def _keys(self) -> Ints:
        return self.series * self.span + self.step

    @cached_property
    def _order(self) -> Ints:
        return np.argsort(self._keys, kind="stable")


def steps_of(time: Moments, series: Ints | None = None) -> Steps:
    """Number the rows of series by step: the usual distance between neighboring moments.

    Months, quarters and years are counted by the calendar, everything else in equal steps.

    Parameters
    ----------
    time : numpy.ndarray of datetime64, shape (n_rows,)
        Moments.
    series : numpy.ndarray of int64, shape (n_rows,), optional
        Series of each row; all one where left out.

    Examples
    --------
    >>> months = steps_of(np.array(["2024-01-01", "2024-02-01", "2024-04-01"], "datetime64[ns]"))
    >>> months.unit, months.step.tolist(), months.seasons
    ('month', [0, 1, 3], ((12, 'year'),))
    >>> months.lagged(np.array([5.0, 6.0, 7.0]), 1).tolist()
    [nan, 5.0, nan]
    """
    series = np.zeros(len(time), np.int64) if series is None else series
    seconds = time.astype("datetime64[ns]").astype(np.int64) / 1e9
    order = np.lexsort((seconds, series))
    distances = np.diff(seconds[order])[np.diff(series[order]) == 0]
    distances = distances[distances > 0]
    usual = float(np.quantile(distances, 0.5, method="lower")) if len(distances) else _DAY
    months = time.astype("datetime64[M]").astype(np.int64)
    for unit, count in _MONTHS.items():
        if abs(usual / (count * _MONTH_S) - 1) < 0.1:
            step = months // count
            return Steps(series, step - step.min(), time, unit, _seasons(unit, 1.0))
    step = np.round((seconds - seconds.min()) / usual).astype(np.int64)
    unit, size = [_UNITS[0], *(one for one in _UNITS[1:] if one[1] <= usual * 1.01)][-1]
    several = usual / size
    named = unit if abs(several - 1) < 0.01 else f"step of {several:.3g} {unit}s"
    return Steps(series, step, time, named, _seasons(unit, several))


def _seasons(unit: str, several: float) -> tuple[tuple[int, str], ...]:
    """Return the seasons that are a whole number of steps, at least two."""
    found = [(count / several, name) for name, count in _SEASONS[unit]]
    return tuple((round(count), name) for count, name in found if count >= 2 and abs(count - round(count)) < 0.01)
