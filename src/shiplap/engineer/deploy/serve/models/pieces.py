"""`Piece`: some rows of a long body, in whatever form they came, ready to be encoded a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.engineer.deploy.serve.bodies import (
    check_depth,
    decode_array,
    decode_each,
    piece_of_array,
    piece_of_lines,
    rest_of_array,
)
from shiplap.engineer.deploy.serve.models.tap import Passed
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import Encoder, JsonRows

__all__ = ["JsonPiece", "JsonReader", "Piece", "RowsPiece"]

Matrix = NDArray[np.float64]
Row = Mapping[str, object]
Raws = Sequence[bytes | msgspec.Raw]


class Piece(Protocol):
    """Some rows."""

    block: int
    """How many are best encoded at once."""

    def __len__(self) -> int: ...

    def matrix(self, part: slice) -> Matrix:
        """Encode a part of the rows; raises ``RowError``, which counts rows from the start of the part."""
        ...

    def rows(self, part: slice) -> Sequence[Row]:
        """Return a part of the rows as they came."""
        ...


class RowsPiece:
    """Rows that are mappings already.

    Parameters
    ----------
    rows : sequence of mapping
        The rows.
    encoder : Encoder
        What they become.
    """

    block = 64

    def __init__(self, rows: Sequence[Row], encoder: Encoder) -> None:
        self._rows, self._encoder = rows, encoder

    def __len__(self) -> int:
        return len(self._rows)

    def matrix(self, part: slice) -> Matrix:
        """Encode a part of the rows; raises ``RowError``."""
        return self._encoder.matrix(self._rows[part])

    def rows(self, part: slice) -> Sequence[Row]:
        """Return a part of the rows."""
        return self._rows[part]


class JsonPiece:
    """Rows as JSON objects, read at full speed where they hold what is expected.

    Parameters
    ----------
    reader : JsonRows
        Reads the usual rows.
    encoder : Encoder
        Takes all others, or says what is wrong.
    raws : sequence of bytes or Raw, or callable
        The rows, not yet decoded, or what returns them.
    read : list, optional
        What `reader` made of them; None where it could make nothing of it.
    first : int
        The place of the first row in the whole body.
    """

    block = 64

    def __init__(
        self, reader: JsonRows, encoder: Encoder, raws: Callable[[], Raws], read: list[Any] | None, first: int
    ) -> None:
        self._reader, self._encoder, self._split, self._read, self._first = reader, encoder, raws, read, first

    def __len__(self) -> int:
        return len(self._raws if self._read is None else self._read)

    def matrix(self, part: slice) -> Matrix:
        """Encode a part of the rows; raises ``RowError``."""
        encoded = None if self._read is None else self._reader.matrix(self._read[part])
        return self._encoder.matrix(self._decoded[part]) if encoded is None else encoded

    def rows(self, part: slice) -> Sequence[Row]:
        """Return a part of the rows, to be decoded when somebody looks."""
        return Passed(self._raws[part])

    @cached_property
    def _raws(self) -> Raws:
        return self._split()

    @cached_property
    def _decoded(self) -> list[dict[str, Any]]:
        return decode_each(self._raws, self._first)


class JsonReader:
    """Reads long bodies of JSON piece by piece, so that others may go between two.

    Parameters
    ----------
    encoder : Encoder
        What rows become.
    depth : int
        How deep they may be nested (400).
    """

    def __init__(self, encoder: Encoder, depth: int) -> None:
        self._encoder = encoder
        self._reader = JsonRows(encoder)
        self._depth = depth

    def array(self, body: bytes) -> Iterator[Piece]:
        """Yield the rows of a JSON array of objects; raises ``ProblemError``."""
        start = first = 0
        going_on = True
        while going_on:
            text, end = piece_of_array(body, start)
            read = self._reader.rows(text)
            if read is None and end and not _is_array(text):  # cut in the middle of a value
                text, end = rest_of_array(body, start), 0
                read = self._reader.rows(text)
            if read is None and not end and not _is_array(text):
                decode_array(body)  # says where
            check_depth(text, self._depth)
            piece = JsonPiece(self._reader, self._encoder, partial(decode_array, text), read, first)
            first += len(piece)
            yield piece
            start, going_on = end, bool(end)

    def lines(self, body: bytes) -> Iterator[Piece]:
        """Yield JSON objects, one a line; raises ``ProblemError``."""
        start = first = 0
        going_on = True
        while going_on:
            lines, end = piece_of_lines(body, start)
            for line in lines:
                check_depth(line, self._depth)
            piece = JsonPiece(self._reader, self._encoder, partial(list, lines), self._reader.each(lines), first)
            first += len(piece)
            yield piece
            start, going_on = end, bool(end) and end < len(body)


def _is_array(text: bytes) -> bool:
    try:
        decode_array(text)
    except ProblemError:
        return False
    return True
