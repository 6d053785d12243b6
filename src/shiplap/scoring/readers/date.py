"""Moments and their parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Date, DatePart
from shiplap.scoring.values import NAN, UnreadableError, as_moment, moment_of_text, number_of, seconds_of, stripped

__all__ = ["DateReader"]

_FIRST, _END = np.datetime64("0001-01-01"), np.datetime64("10000-01-01")
_COARSE = {"Y", "M", "W", "D", "h", "m", "s", "ms", "us"}

_OF_MOMENT: dict[DatePart, Callable[[datetime], float]] = {
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "weekday": lambda moment: moment.weekday(),
    "day_of_year": lambda moment: moment.timetuple().tm_yday,
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
    "epoch_s": seconds_of,
}


class DateReader:
    """Reads moments and writes parts of them.

    Parameters
    ----------
    operation : Date
        What is to be read, and which parts.

    Examples
    --------
    >>> reader = DateReader(Date(column="at", parts=("weekday", "hour")))
    >>> reader.one("2013-01-01T05:00:00Z"), reader.one(None)
    ((1.0, 5.0), (nan, nan))
    """

    def __init__(self, operation: Date) -> None:
        self.column = operation.column
        self.width = operation.width
        self._parts = operation.parts
        self._format = operation.format
        self._markers = frozenset(map(stripped, operation.missing)) | {""}
        self._getters = tuple(_OF_MOMENT[part] for part in operation.parts)
        self._missing = (NAN,) * operation.width

    def one(self, value: object) -> tuple[float, ...]:
        """Return the parts of one value; raises ``UnreadableError``."""
        moment = self._moment(value)
        if moment is None:
            return self._missing
        return tuple([float(get(moment)) for get in self._getters])

    def many(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return the parts of Python values, shape (n_rows, width); raises ``UnreadableError``."""
        seen: dict[str, tuple[float, ...]] = {}
        rows = []
        for value in values:
            if type(value) is not str:
                rows.append(self.one(value))
                continue
            row = seen.get(value)
            if row is None:
                row = seen[value] = self.one(value)
            rows.append(row)
        return np.array(rows, dtype=np.float64).reshape(len(rows), self.width)

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return the parts of a datetime64 array, shape (n_rows, width); None for any other."""
        if values.dtype.kind != "M" or not _in_range(values):
            return None
        moments = values.astype("M8[us]")
        out = np.empty((len(moments), self.width))
        for index, part in enumerate(self._parts):
            out[:, index] = _OF_ARRAY[part](moments)
        out[np.isnat(moments)] = NAN
        return out

    def _moment(self, value: object) -> datetime | None:
        if isinstance(value, str):
            text = stripped(value)
            return None if text in self._markers else moment_of_text(text, self._format)
        if self._format and not isinstance(value, bool | np.bool_):
            number = number_of(value)
            if number is not None and number.is_integer():  # 20130131 where the format is %Y%m%d
                return None if str(int(number)) in self._markers else moment_of_text(str(int(number)), self._format)
        try:
            return as_moment(value)
        except UnreadableError:
            raise UnreadableError(
                f"a date of the form {self._format}" if self._format else "a date (ISO 8601)"
            ) from None


def _in_range(moments: NDArray[Any]) -> bool:
    unit, _ = np.datetime_data(moments.dtype)
    if unit not in _COARSE:  # finer units span less than the years 1 to 9999
        return True
    known = moments[~np.isnat(moments)]
    return bool(((known >= _FIRST.astype(moments.dtype)) & (known < _END.astype(moments.dtype))).all())


def _since(moments: NDArray[Any], unit: str, finer: str) -> NDArray[np.int64]:
    """Return how many `finer` units passed since the start of the `unit` that a moment lies in."""
    passed: NDArray[Any] = moments.astype(f"M8[{finer}]") - moments.astype(f"M8[{unit}]").astype(f"M8[{finer}]")
    return passed.astype(np.int64)


_OF_ARRAY: dict[DatePart, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "year": lambda moments: moments.astype("M8[Y]").astype(np.int64) + 1970,
    "month": lambda moments: _since(moments, "Y", "M") + 1,
    "day": lambda moments: _since(moments, "M", "D") + 1,
    "weekday": lambda moments: (moments.astype("M8[D]").astype(np.int64) + 3) % 7,
    "day_of_year": lambda moments: _since(moments, "Y", "D") + 1,
    "hour": lambda moments: _since(moments, "D", "h"),
    "minute": lambda moments: _since(moments, "h", "m"),
    "second": lambda moments: _since(moments, "m", "s"),
    "epoch_s": lambda moments: moments.astype(np.int64) / 1e6,
}
