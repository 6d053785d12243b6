"""Tables as bodies, CSV and the Arrow IPC stream, read in pieces whose columns are encoded at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import InputError, MissingExtraError, TableError, nearest
from shiplap.engineer.deploy.serve.models.pieces import Piece
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import Encoder
from shiplap.scoring.columns import columns_of, single

__all__ = ["ARROW", "CSV", "TablePiece", "arrow_pieces", "csv_pieces"]

ARROW, CSV = "application/vnd.apache.arrow.stream", "text/csv"
_LINES = 512  # of CSV, in a piece


class TablePiece:
    """Rows of a table.

    Parameters
    ----------
    n_rows : int
        How many there are.
    cut : callable
        ``cut(part)`` returns a part of the table, as the encoder takes it.
    listed : callable
        ``listed(part)`` returns a part of the rows as mappings.
    encoder : Encoder
        What they become.
    """

    block = 1_024

    def __init__(
        self,
        n_rows: int,
        cut: Callable[[slice], Any],
        listed: Callable[[slice], Sequence[Mapping[str, object]]],
        encoder: Encoder,
    ) -> None:
        self._n_rows, self._cut, self._encoder = n_rows, cut, encoder
        self.rows = listed

    def __len__(self) -> int:
        return self._n_rows

    def matrix(self, part: slice) -> NDArray[np.float64]:
        """Encode a part of the rows; raises ``RowError``."""
        return self._encoder.matrix(self._cut(part))


def csv_pieces(body: bytes, encoder: Encoder, *, header: bool = True) -> Iterator[Piece]:
    """Yield the rows of CSV (RFC 4180).

    Parameters
    ----------
    body : bytes
        UTF-8; the names of the columns stand in the first line.
    encoder : Encoder
        What rows become; a column that is not there is missing, one that it does not know is ignored.
    header : bool
        False where the first line is a row already; the order is the encoder's then.

    Raises
    ------
    ProblemError
        400: it is not UTF-8, or no CSV. 422: none of the columns is there, or a line has another number of values.
    """
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline=""), strict=True)
    first = 0
    try:
        names = _header(next(lines, []), encoder) if header else list(encoder.columns)
        while records := list(islice(lines, _LINES)):
            records = [record for record in records if record]  # empty lines are none
            yield _of_records(records, names, encoder, first)
            first += len(records)
    except csv.Error as error:
        raise ProblemError(400, f"this is not CSV: {error}", row=first) from error
    except UnicodeDecodeError as error:
        raise ProblemError(400, "the body is not UTF-8") from error


def arrow_pieces(body: bytes, encoder: Encoder, *, rows: int) -> Iterator[Piece]:
    """Yield the rows of an Arrow IPC stream.

    Parameters
    ----------
    body : bytes
        The stream.
    encoder : Encoder
        What rows become; a column that is not there is missing, one that it does not know is ignored.
    rows : int
        How many are accepted.

    Raises
    ------
    ProblemError
        400: it is no such stream. 415: pyarrow is not installed. 422: a column of a type that is not taken, or none of
        the columns is there.
    """
    try:
        from shiplap.adapters.arrow import TooManyRowsError, read_batches  # noqa: PLC0415  (an extra)
    except MissingExtraError as error:
        raise ProblemError(415, error.message, field="Content-Type", value=ARROW, hint=error.hint) from error
    try:
        for batch in read_batches(body, encoder.columns, rows=rows):
            yield _of_batch(batch, encoder)
    except TooManyRowsError as error:
        raise ProblemError(413, error.message) from error
    except TableError as error:
        raise ProblemError(400, error.message) from error
    except ProblemError:
        raise
    except InputError as error:
        raise ProblemError(422, error.message, hint=error.hint or None) from error


def _of_batch(batch: Any, encoder: Encoder) -> TablePiece:
    def cut(part: slice) -> Any:
        return batch.slice(part.start, part.stop - part.start)

    def listed(part: slice) -> list[Mapping[str, object]]:
        columns = columns_of(cut(part), encoder.columns)
        values = (single(columns.get(name)) for name in encoder.columns)
        return [dict(zip(encoder.columns, row, strict=True)) for row in zip(*values, strict=True)]

    return TablePiece(batch.num_rows, cut, listed, encoder)


def _header(names: list[str], encoder: Encoder) -> list[str]:
    known = set(encoder.columns)
    twice = next((name for name in names if names.count(name) > 1 and name in known), None)
    if twice is not None:
        raise ProblemError(422, f"column '{twice}' is there more than once", field=twice)
    if known.isdisjoint(names):
        hint = nearest(names[0] if names else "", sorted(known))
        detail = "the first line names none of the model's columns"
        raise ProblemError(422, detail, hint=hint, expected=", ".join(encoder.columns))
    return names


def _of_records(records: list[list[str]], names: list[str], encoder: Encoder, first: int) -> TablePiece:
    width = len(names)
    for place, record in enumerate(records):
        if len(record) != width:
            row = first + place
            detail = f"row {row}: {width} values are expected, not {len(record)}"
            raise ProblemError(422, detail, row=row, expected=", ".join(names))
    columns = dict(zip(names, zip(*records, strict=True), strict=True)) if records else {}

    def cut(part: slice) -> dict[str, Sequence[Any]]:
        absent = (None,) * len(records)
        return {name: columns.get(name, absent)[part] for name in encoder.columns}

    def listed(part: slice) -> list[Mapping[str, object]]:
        return [dict(zip(names, record, strict=True)) for record in records[part]]

    return TablePiece(len(records), cut, listed, encoder)
