"""Rows into a Parquet file, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shiplap.adapters.frames.source import format_of
from shiplap.core.errors import InputError, TableError

__all__ = ["BatchWriter"]


class BatchWriter:
    """Writes Parquet in constant memory.

    The first batch settles the types; a column that is all missing there, or holds values of several types, becomes
    text. Whoever wants the file whole or not at all gives a temporary name such as ``.rows.parquet.1a2b.part``.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        Its name says that something else than Parquet is wanted, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "rows.parquet"
    >>> writer = BatchWriter(file)
    >>> writer.write({"age": [31, None], "plan": ["basic", "gold"]})
    >>> writer.write({"age": [45], "plan": [None]})
    >>> writer.close()
    >>> pq.read_table(file).to_pydict()
    {'age': [31, None, 45], 'plan': ['basic', 'gold', None]}
    """

    def __init__(self, path: Path) -> None:
        wanted = path.name.lstrip(".").rsplit(".", 2)[0] if path.suffix == ".part" else path.name
        if format_of(Path(wanted)) != "parquet":
            raise InputError(
                f"rows cannot be written to '{wanted}'", hint="name a .parquet, .csv, .tsv, .jsonl or .ndjson file"
            )
        self._path = path
        self._schema = pa.schema([])
        self._file: pq.ParquetWriter | None = None

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows.

        Parameters
        ----------
        columns : mapping of str to sequence
            Values by name, of equal lengths; every call has the columns of the first.

        Raises
        ------
        TableError
            The columns differ from those of the first call, or a value does not fit the type that was settled.
        """
        if self._file is None:
            self._schema = pa.schema([(name, _type(values)) for name, values in columns.items()])
            self._file = self._opened()
        if list(columns) != self._schema.names:
            raise TableError(f"these rows have the columns {list(columns)}, the first had {self._schema.names}")
        arrays = [_array(field, columns[field.name]) for field in self._schema]
        self._file.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file; without any rows there is none."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> pq.ParquetWriter:
        try:
            return pq.ParquetWriter(self._path, self._schema)
        except OSError as error:
            raise InputError(f"'{self._path}' cannot be written: {error.strerror or error}") from error


def _type(values: Sequence[Any]) -> pa.DataType:
    try:
        kind = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.string()
    return pa.string() if pa.types.is_null(kind) else kind


def _array(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    if pa.types.is_string(field.type):
        values = [None if value is None else str(value) for value in values]
    try:
        return pa.array(values, type=field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise TableError(
            f"column '{field.name}' holds {field.type} in its first rows and something else later: {error}",
            hint="write a .csv or .jsonl file instead",
        ) from error
