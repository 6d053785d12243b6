"""Numbers, and texts that are numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Number
from shiplap.scoring.values import NAN, as_number, number_of_text, stripped

__all__ = ["NumberReader"]

_PLAIN = {float, int, bool, type(None)}


class NumberReader:
    """Reads numbers.

    Parameters
    ----------
    operation : Number
        What is to be read.

    Examples
    --------
    >>> reader = NumberReader(Number(column="age", missing=("?", "-9")))
    >>> [reader.number(value) for value in ("41", 41, "?", -9, True)]
    [41.0, 41.0, nan, nan, 1.0]
    """

    width = 1

    def __init__(self, operation: Number) -> None:
        self.column = operation.column
        self._markers = frozenset(map(stripped, operation.missing))
        self.marked = frozenset(_finite(self._markers))

    def number(self, value: object) -> float:
        """Return the double of one value; raises ``UnreadableError``."""
        if isinstance(value, str) and stripped(value) in self._markers:
            return NAN
        number = as_number(value)
        return NAN if number in self.marked else number

    def one(self, value: object) -> tuple[float, ...]:
        """Return the double of one value in a tuple; raises ``UnreadableError``."""
        return (self.number(value),)

    def many(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return the doubles of Python values, shape (n_rows, 1); raises ``UnreadableError``."""
        if not self.marked and set(map(type, values)) <= _PLAIN:
            try:
                return np.array(values, dtype=np.float64).reshape(-1, 1)
            except OverflowError:  # an integer beyond all doubles: read one by one
                pass
        return np.fromiter(map(self.number, values), np.float64, len(values)).reshape(-1, 1)

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return a numeric or boolean array as doubles, shape (n_rows, 1); None for any other."""
        if values.dtype.kind not in "fiub":
            return None
        numbers = values.astype(np.float64)
        if self.marked:
            numbers[np.isin(numbers, list(self.marked))] = NAN
        return numbers.reshape(-1, 1)


def _finite(texts: Iterable[str]) -> Iterator[float]:
    for text in texts:
        number = number_of_text(text)
        if number is not None and isfinite(number):
            yield number
