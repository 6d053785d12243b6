"""What a reader offers, and which reader an operation gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Boolean, Category, Image, Number, Operation, Tensor, Text
from shiplap.scoring.readers.date import DateReader
from shiplap.scoring.readers.image import ImageReader
from shiplap.scoring.readers.lookup import boolean_reader, category_reader
from shiplap.scoring.readers.number import NumberReader
from shiplap.scoring.readers.tensor import TensorReader
from shiplap.scoring.readers.text import TextReader

__all__ = ["Reader", "reader_of"]


class Reader(Protocol):
    """One operation at work.

    Attributes
    ----------
    column : str
        The column it reads.
    width : int
        How many numbers it writes.
    """

    column: str
    width: int

    def one(self, value: object) -> tuple[float, ...]:
        """Return the numbers of one value; raises ``UnreadableError``."""
        ...

    def many(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return the numbers of Python values, shape (n_rows, width); raises ``UnreadableError`` or ``TypeError``."""
        ...

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return the numbers of a numeric, boolean or datetime64 array; None where it takes only single values."""
        ...


def reader_of(operation: Operation) -> Reader:
    """Return the reader of an operation.

    Examples
    --------
    >>> from shiplap.core.encoding import Date
    >>> reader_of(Category(column="color", categories=("red", "blue"))).one("blue")
    (1.0,)
    >>> reader_of(Date(column="at", parts=("month", "weekday"))).one("2013-12-31")
    (12.0, 1.0)
    """
    if isinstance(operation, Number):
        return NumberReader(operation)
    if isinstance(operation, Boolean):
        return boolean_reader(operation)
    if isinstance(operation, Category):
        return category_reader(operation)
    if isinstance(operation, Tensor):
        return TensorReader(operation)
    if isinstance(operation, Text):
        return TextReader(operation)
    if isinstance(operation, Image):
        return ImageReader(operation)
    return DateReader(operation)
