"""Numbers, and texts that are numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, cast

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
        self._instead = dict.fromkeys((*self._markers, ""), "nan")
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
        kinds = set(map(type, values))
        numbers = None
        if kinds <= _PLAIN:
            numbers = _of_plain(values)
        elif kinds == {str}:
            numbers = self._of_texts(cast("Sequence[str]", values))
        if numbers is None:
            numbers = np.fromiter(map(self.number, values), np.float64, len(values))
        return self._without_marked(numbers).reshape(-1, 1)

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return a numeric or boolean array as doubles, shape (n_rows, 1); None for any other."""
        if values.dtype.kind not in "fiub":
            return None
        return self._without_marked(values.astype(np.float64)).reshape(-1, 1)

    def _of_texts(self, texts: Sequence[str]) -> NDArray[np.float64] | None:
        """Read texts at the speed of ``float``, or return None where it might take what is no number here."""
        joined = " ".join(texts)
        if not (joined.isascii() and joined.isprintable()) or "_" in joined:
            return None
        instead = self._instead.get
        try:
            return np.array([float(instead(text, text)) for text in texts])
        except ValueError:
            return None

    def _without_marked(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.marked:
            numbers[np.isin(numbers, list(self.marked))] = NAN
        return numbers


def _of_plain(values: Sequence[object]) -> NDArray[np.float64] | None:
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:  # an integer beyond all doubles
        return None


def _finite(texts: Iterable[str]) -> Iterator[float]:
    for text in texts:
        number = number_of_text(text)
        if number is not None and isfinite(number):
            yield number
