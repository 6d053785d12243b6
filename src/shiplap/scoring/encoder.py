"""`Encoder`: rows to numbers, one row in microseconds or a whole table at once, to the same bits on either way."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Encoding
from shiplap.core.errors import InputError, RowError
from shiplap.scoring.columns import Coded, Column, columns_of, single, stray_row
from shiplap.scoring.generate import row_function
from shiplap.scoring.readers import Reader, reader_of
from shiplap.scoring.values import UnreadableError, shown

__all__ = ["Encoder"]

_CHUNK_BYTES, _FEWEST, _MOST = 4_000_000, 8, 2_048


class Encoder:
    """Turns rows into the matrix that the graph takes.

    Parameters
    ----------
    encoding : Encoding
        The operations.

    Examples
    --------
    >>> from shiplap.core.encoding import Category, Number
    >>> operations = (Number(column="age"), Category(column="color", categories=("red", "blue")))
    >>> encoder = Encoder(Encoding(operations=operations))
    >>> encoder.matrix({"age": [41, "7.5"], "color": ["blue", "green"]})
    array([[41. ,  1. ],
           [ 7.5,  nan]])
    """

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.columns = encoding.columns
        self.width = encoding.width
        self.readers = tuple(reader_of(operation) for operation in encoding.operations)
        self._write: Callable[[Mapping[str, object], NDArray[np.float64]], None] = row_function(self.readers)
        self._names = frozenset(self.columns)
        self.chunk = min(max(_CHUNK_BYTES // (8 * max(self.width, 1)), _FEWEST), _MOST)

    def row(self, values: Mapping[str, object], out: NDArray[np.float64]) -> None:
        """Encode one row.

        Parameters
        ----------
        values : mapping of str to object
            Values by column. A column that is not there is missing; one that is not known is ignored.
        out : ndarray of float64, shape (width,) or (1, width), contiguous
            Where the numbers are written.

        Raises
        ------
        RowError
            A value cannot be read, or none of the columns is there; `out` may be partly written.
        """
        try:
            self._write(values, out)
        except (UnreadableError, TypeError, OverflowError, struct.error, LookupError):
            self._write_slowly(values, out)
        if self._names.isdisjoint(values):
            raise stray_row(values, self.columns, 0)

    def matrix(self, X: Any) -> NDArray[np.float64]:
        """Encode rows.

        Parameters
        ----------
        X : pandas, polars or Arrow table, mapping of columns, sequence of mappings, or one mapping
            The rows; no library is imported for them.

        Returns
        -------
        ndarray of float64, shape (n_rows, width)

        Raises
        ------
        RowError
            A value cannot be read; says which, where, and what was expected.
        InputError
            A table lacks a column, or `X` is nothing that holds rows.
        """
        rows = columns_of(X, self._names)
        return self._encoded({name: rows.get(name) for name in self.columns}, slice(0, rows.n_rows))

    def matrices(self, X: Any) -> Iterator[NDArray[np.float64]]:
        """Encode rows `chunk` at a time: memory stays bounded, and a matrix of some megabytes fits a processor's cache.

        Parameters
        ----------
        X : pandas, polars or Arrow table, mapping of columns, sequence of mappings, or one mapping
            The rows.

        Yields
        ------
        ndarray of float64, shape (n, width)
            At least one, of no rows where there are none.

        Raises
        ------
        RowError
            A value cannot be read; says which, where, and what was expected.
        InputError
            A table lacks a column, or `X` is nothing that holds rows.
        """
        rows = columns_of(X, self._names)
        columns = {name: rows.get(name) for name in self.columns}
        for start in range(0, max(rows.n_rows, 1), self.chunk):
            yield self._encoded(columns, slice(start, min(start + self.chunk, rows.n_rows)))

    def _encoded(self, columns: Mapping[str, Column], rows: slice) -> NDArray[np.float64]:
        out = np.empty((rows.stop - rows.start, self.width))
        at = 0
        for reader in self.readers:
            try:
                out[:, at : at + reader.width] = _encoded(reader, _part(columns[reader.column], rows))
            except _UnreadableRowError as error:
                raise _row_error(reader.column, error.value, error.reason, rows.start + error.row) from None
            at += reader.width
        return out

    def _write_slowly(self, values: Mapping[str, object], out: NDArray[np.float64]) -> None:
        flat, at = out.reshape(-1), 0
        for reader in self.readers:
            value = values.get(reader.column)
            try:
                flat[at : at + reader.width] = reader.one(value)
            except UnreadableError as error:
                raise _row_error(reader.column, value, error, None) from None
            at += reader.width


class _UnreadableRowError(Exception):
    """The first value of a column that cannot be read: where it stands, what it is, and why."""

    def __init__(self, row: int, value: object, reason: UnreadableError) -> None:
        super().__init__(row)
        self.row, self.value, self.reason = row, value, reason


def _encoded(reader: Reader, column: Column) -> NDArray[np.float64]:
    """Encode a column; raises ``_UnreadableRowError``."""
    if isinstance(column, np.ndarray) and column.ndim > 1 and not hasattr(reader, "flat"):
        raise InputError(f"a column has one dimension, not {column.ndim}")
    try:
        if isinstance(column, Coded):
            return _of_codes(reader, column)
        numbers = reader.array(column) if isinstance(column, np.ndarray) else None
        return reader.many(single(column)) if numbers is None else numbers
    except (UnreadableError, TypeError):
        return _one_by_one(reader, single(column))


def _of_codes(reader: Reader, column: Coded) -> NDArray[np.float64]:
    used = np.unique(column.codes)
    rows = reader.many([None if code < 0 else column.values[code] for code in used.tolist()])
    return rows[np.searchsorted(used, column.codes)]


def _part(column: Column, rows: slice) -> Column:
    return Coded(column.codes[rows], column.values) if isinstance(column, Coded) else column[rows]


def _one_by_one(reader: Reader, values: Sequence[object]) -> NDArray[np.float64]:
    out = np.empty((len(values), reader.width))
    for index, value in enumerate(values):
        try:
            out[index] = reader.one(value)
        except UnreadableError as error:
            raise _UnreadableRowError(index, value, error) from None
    return out


def _row_error(column: str, value: object, error: UnreadableError, row: int | None) -> RowError:
    where = f"column '{column}'" if row is None else f"row {row}, column '{column}'"
    return RowError(f"{where}: expected {error.expected}, got {shown(value)}", row=row or 0, column=column)
