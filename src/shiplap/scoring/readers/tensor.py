"""Tensors: numbers in an array of fixed shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Tensor
from shiplap.scoring.values import NAN, UnreadableError, as_number, is_missing

__all__ = ["TensorReader"]


class TensorReader:
    """Reads arrays and nested lists of numbers.

    Parameters
    ----------
    operation : Tensor
        What is to be read.

    Examples
    --------
    >>> reader = TensorReader(Tensor(column="x", shape=(2, 2)))
    >>> reader.one([[1, 2], [3, None]]), reader.one(None)
    ((1.0, 2.0, 3.0, nan), (nan, nan, nan, nan))
    """

    def __init__(self, operation: Tensor) -> None:
        self.column = operation.column
        self.width = prod(operation.shape)
        self._shape = operation.shape
        self._missing = np.full(self.width, NAN)
        self._expected = f"numbers of shape {list(operation.shape)}"

    def flat(self, value: object) -> NDArray[np.float64]:
        """Return the numbers of one value, shape (width,); raises ``UnreadableError``."""
        if not isinstance(value, list | tuple | np.ndarray):
            return self._single(value)
        try:
            array = value if isinstance(value, np.ndarray) else _array(value)
        except ValueError:  # lists of different lengths
            raise UnreadableError(self._expected) from None
        if array.shape != self._shape:
            raise UnreadableError(self._expected)
        if array.dtype.kind in "fiub":
            return array.astype(np.float64).ravel()
        return np.array([as_number(number) for number in array.ravel().tolist()])

    def one(self, value: object) -> tuple[float, ...]:
        """Return the numbers of one value in a tuple; raises ``UnreadableError``."""
        return tuple(self.flat(value).tolist())

    def many(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return the numbers of Python values, shape (n_rows, width); raises ``UnreadableError``."""
        out = np.empty((len(values), self.width))
        for row, value in enumerate(values):
            out[row] = self.flat(value)
        return out

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return an array with a value in each row as doubles, shape (n_rows, width); None for any other."""
        if values.dtype.kind not in "fiub" or values.shape[1:] != self._shape:
            return None
        return values.reshape(len(values), self.width).astype(np.float64)

    def _single(self, value: object) -> NDArray[np.float64]:
        missing = not value.strip() if isinstance(value, str) else is_missing(value)
        if not missing:
            raise UnreadableError(self._expected)
        return self._missing


def _array(value: list[Any] | tuple[Any, ...]) -> NDArray[Any]:
    """Return nested lists as an array; texts stay objects: numpy gives each as much memory as the longest."""
    found = np.array(value, dtype=object)
    if not set(map(type, found.ravel())) <= {int, float, bool}:
        return found
    try:
        return found.astype(np.float64)
    except OverflowError:  # each is read by itself
        return found
