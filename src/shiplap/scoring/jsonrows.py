"""`JsonRows`: rows from JSON straight to numbers, without a dictionary in between."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.scoring.encoder import Encoder
from shiplap.scoring.generate import read_row_function, row_type
from shiplap.scoring.values import UnreadableError

__all__ = ["JsonRows"]

_UNUSUAL = (
    *(msgspec.DecodeError, RecursionError, UnicodeDecodeError),  # the text
    *(UnreadableError, TypeError, OverflowError, struct.error, LookupError),  # a value
    AttributeError,  # a struct without fields
)


class JsonRows:
    """Reads the rows that hold what is expected, at full speed; all others are left to `Encoder`, which says why.

    A JSON object is decoded into a struct made for the encoding, and from there into the matrix. Whatever is read here
    is read to the same bits as by `Encoder.row`.

    Parameters
    ----------
    encoder : Encoder
        What rows become.

    Examples
    --------
    >>> from shiplap.core.encoding import Encoding, Number
    >>> rows = JsonRows(Encoder(Encoding(operations=(Number(column="age"),))))
    >>> out = np.empty((1, 1))
    >>> rows.row(b'{"age": 41}', out), out
    (True, array([[41.]]))
    >>> rows.row(b'{"age": [41]}', out)
    False
    """

    def __init__(self, encoder: Encoder) -> None:
        kind = row_type(encoder.readers)
        self._write = read_row_function(encoder.readers)
        self._one = msgspec.json.Decoder(kind).decode
        self._many = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]
        self._width = encoder.width

    def row(self, text: bytes, out: NDArray[np.float64]) -> bool:
        """Read a JSON object and encode it.

        Parameters
        ----------
        text : bytes
            The object.
        out : ndarray of float64, shape (width,) or (1, width), contiguous
            Where the numbers are written.

        Returns
        -------
        bool
            False where `Encoder.row` is to be asked; `out` may then be partly written.
        """
        try:
            self._write(self._one(text), out)
        except _UNUSUAL:
            return False
        return True

    def rows(self, text: bytes) -> list[Any] | None:
        """Read a JSON array of objects for `matrix`; None where they are to be read as dictionaries."""
        try:
            return self._many(text)
        except _UNUSUAL:
            return None

    def each(self, texts: Sequence[bytes]) -> list[Any] | None:
        """Read JSON objects for `matrix`; None where they are to be read as dictionaries."""
        try:
            return list(map(self._one, texts))
        except _UNUSUAL:
            return None

    def matrix(self, rows: Sequence[Any]) -> NDArray[np.float64] | None:
        """Encode what `rows` gave, shape (n_rows, width); None where `Encoder.matrix` is to be asked."""
        out = np.empty((len(rows), self._width))
        write = self._write
        try:
            for row, place in zip(rows, out, strict=True):
                write(row, place)
        except _UNUSUAL:
            return None
        return out
