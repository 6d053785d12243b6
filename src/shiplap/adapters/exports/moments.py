"""Parts of a moment in whole-number arithmetic that ONNX has: no calendar is needed.

The day is turned into year, month and day as in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms":
years begin on the first of March, so the leap day is the last of its year.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from shiplap.core.encoding import DatePart

__all__ = ["MISSING", "part_of"]

MISSING = np.iinfo(np.int64).min
"""Stands for a missing moment, as it does in numpy's own ``datetime64``."""

_DAY = 86_400_000_000


class _Writer(Protocol):
    def op(self, kind: str, *inputs: str, **attributes: object) -> str: ...

    def whole(self, value: int) -> str: ...


class _Whole:
    """A whole-number tensor with the usual signs; every division is of numbers that are not negative."""

    def __init__(self, writer: _Writer, name: str) -> None:
        self.writer, self.name = writer, name

    def _with(self, kind: str, other: int | _Whole) -> _Whole:
        name = other.name if isinstance(other, _Whole) else self.writer.whole(other)
        return _Whole(self.writer, self.writer.op(kind, self.name, name))

    def __add__(self, other: int | _Whole) -> _Whole:
        return self._with("Add", other)

    def __sub__(self, other: int | _Whole) -> _Whole:
        return self._with("Sub", other)

    def __mul__(self, other: int | _Whole) -> _Whole:
        return self._with("Mul", other)

    def __floordiv__(self, other: int) -> _Whole:
        return self._with("Div", other)

    def __mod__(self, other: int) -> _Whole:
        return self._with("Mod", other)

    def where(self, condition: str, other: _Whole) -> _Whole:
        return _Whole(self.writer, self.writer.op("Where", condition, self.name, other.name))

    def below(self, limit: int) -> str:
        return self.writer.op("Less", self.name, self.writer.whole(limit))

    def divisible(self, by: int) -> str:
        return self.writer.op("Equal", (self % by).name, self.writer.whole(0))


def part_of(writer: _Writer, moment: str, part: DatePart) -> str:
    """Write down a part of a moment.

    Parameters
    ----------
    writer : object
        ``op(kind, *inputs)`` adds a node, ``whole(value)`` a constant of int64.
    moment : str
        Tensor of int64: microseconds since 1970-01-01 00:00.
    part : str
        Which part; ``epoch_s`` is written by the caller.

    Returns
    -------
    str
        Tensor of int64.
    """
    micros = _Whole(writer, moment)
    of_day = micros % _DAY  # the remainder has the sign of the divisor: never negative
    if part in {"hour", "minute", "second"}:
        unit, most = {"hour": (3_600_000_000, 24), "minute": (60_000_000, 60), "second": (1_000_000, 60)}[part]
        return ((of_day // unit) % most).name
    days = (micros - of_day)._with("Div", _DAY)  # exact, so the sign does no harm
    if part == "weekday":
        return ((days + 3) % 7).name
    return _CALENDAR[part](days).name


def _march(days: _Whole) -> tuple[_Whole, _Whole]:
    """Return the year that begins in March, and the day in it from 0."""
    since = days + 719_468
    of_era = since % 146_097
    era = (since - of_era)._with("Div", 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    return era * 400 + year, of_era - (year * 365 + year // 4 - year // 100)


def _month(days: _Whole) -> _Whole:
    shifted = (_march(days)[1] * 5 + 2) // 153
    return (shifted + 3).where(shifted.below(10), shifted - 9)


def _year(days: _Whole) -> _Whole:
    year, day = _march(days)
    return year.where(day.below(306), year + 1)


def _day(days: _Whole) -> _Whole:
    day = _march(days)[1]
    shifted = (day * 5 + 2) // 153
    return day - (shifted * 153 + 2) // 5 + 1


def _day_of_year(days: _Whole) -> _Whole:
    march, day = _march(days)
    every = days.writer.op("Not", march.divisible(100))
    leap = days.writer.op("Or", days.writer.op("And", march.divisible(4), every), march.divisible(400))
    return ((day + 61).where(leap, day + 60)).where(day.below(306), day - 305)


_CALENDAR: dict[str, Callable[[_Whole], _Whole]] = {
    "year": _year,
    "month": _month,
    "day": _day,
    "day_of_year": _day_of_year,
}
