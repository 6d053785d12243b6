"""The Arrow IPC stream, from clients that nobody vouches for: nothing is touched before it is validated.

Refused are compressed buffers, for a few bytes of them may become any number (an HTTP body may be compressed instead),
and types whose values may overlap or stand for more than was sent.

References
----------
https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
https://arrow.apache.org/docs/dev/format/Security.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from shiplap.core.errors import InputError, MissingExtraError, TableError, nearest

try:
    import pyarrow as pa
except ImportError as error:
    raise MissingExtraError("reading Arrow", extra="arrow") from error

__all__ = ["TooManyRowsError", "read_batches", "write_stream"]

_VIEW = 4  # whole numbers of a view: its length, and where the text stands
_BROKEN = (OSError, MemoryError, OverflowError, IndexError, UnicodeDecodeError, struct.error)
_RECORD_BATCH, _DICTIONARY_BATCH = 3, 2  # Message.header_type


class TooManyRowsError(InputError):
    """A stream that holds more rows than are accepted."""


def read_batches(data: bytes, names: Sequence[str], *, rows: int) -> Iterator[Any]:
    """Yield the record batches of a stream, with the columns that are asked for and no other.

    Parameters
    ----------
    data : bytes
        The stream.
    names : sequence of str
        Columns; one that is not there is null in each row.
    rows : int
        How many rows are accepted in all.

    Raises
    ------
    TableError
        It is no Arrow stream, or a broken one.
    InputError
        A column has a type that is not taken, or none of the columns is there.
    TooManyRowsError
        There are more than `rows`.

    Examples
    --------
    >>> data = write_stream({"age": [41, None]})
    >>> [found.to_pydict() for found in read_batches(data, ["age", "plan"], rows=10)]
    [{'age': [41, None], 'plan': [None, None]}]
    """
    try:
        _refuse_compressed(data)
        reader = pa.ipc.open_stream(pa.py_buffer(data))
        present = _columns(reader.schema, names)
        left = rows
        for batch in reader:
            left -= batch.num_rows
            if left < 0:
                raise TooManyRowsError(f"at most {rows} rows are accepted in one request")
            yield _chosen(batch, names, present)
    except (pa.ArrowException, *_BROKEN) as error:
        raise TableError(f"this is no Arrow IPC stream that can be read: {_first_line(error)}") from error


def write_stream(columns: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return columns as an Arrow IPC stream of one batch.

    Parameters
    ----------
    columns : mapping of str to array or sequence
        Values by name; an array of two dimensions is a list a row, a mapping a struct.
    metadata : mapping of str to str, optional
        Metadata of the schema.
    """
    batch = pa.RecordBatch.from_arrays([_array(values) for values in columns.values()], list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema.with_metadata(dict(metadata or {}))) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _array(values: Any) -> Any:
    if isinstance(values, Mapping):
        return pa.StructArray.from_arrays([_array(each) for each in values.values()], list(values))
    if isinstance(values, np.ndarray) and values.ndim > 1:
        array = pa.array(np.ascontiguousarray(values).ravel())
        for size in reversed(values.shape[1:]):
            array = pa.FixedSizeListArray.from_arrays(array, size)
        return array
    return pa.array(values)


def _columns(schema: Any, names: Sequence[str]) -> frozenset[str]:
    """Return the wanted columns that are there, after a look at their types."""
    present = frozenset(names) & frozenset(schema.names)
    if not present:
        first = next(iter(schema.names), "")
        raise InputError("there is none of the model's columns", hint=nearest(first, sorted(names)))
    for name in present:
        if schema.names.count(name) > 1:
            raise InputError(f"column '{name}' is there more than once")
        if not _is_taken(schema.field(name).type):
            raise InputError(
                f"column '{name}' is of the type {str(schema.field(name).type)[:60]}, which is not taken",
                hint="send numbers, booleans, texts, dates, timestamps, decimals, dictionaries or lists of numbers",
            )
    return present


def _is_taken(kind: Any) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind = kind.value_type
        if not _is_number(kind) and not types.is_nested(kind):
            return False
    return _is_plain(kind)


def _is_plain(kind: Any) -> bool:
    types = pa.types
    tests = (types.is_null, types.is_boolean, types.is_decimal, types.is_date, types.is_timestamp, types.is_string)
    others = (types.is_large_string, types.is_string_view, types.is_binary, types.is_large_binary)
    return _is_number(kind) or any(test(kind) for test in (*tests, *others))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _chosen(batch: Any, names: Sequence[str], present: frozenset[str]) -> Any:
    arrays = []
    for name in names:
        if name in present:
            array = batch.column(name)
            array.validate(full=True)
            _refuse_overlap(array)
            arrays.append(array)
        else:
            arrays.append(pa.nulls(batch.num_rows))
    return pa.RecordBatch.from_arrays(arrays, list(names))


def _refuse_overlap(array: Any) -> None:
    """Refuse views that show the same text again and again: together they may be any length."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary
    if pa.types.is_string_view(array.type) and len(array):
        buffers = array.buffers()
        held = sum(buffer.size for buffer in buffers[1:] if buffer is not None)
        views = np.frombuffer(buffers[1], np.int32, (array.offset + len(array)) * _VIEW).reshape(-1, _VIEW)
        if int(views[array.offset :, 0].astype(np.int64).sum()) > held:
            raise InputError("a column of text views holds the same bytes more than once", hint="send plain texts")


def _refuse_compressed(data: bytes) -> None:
    for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(data)):
        if _is_compressed(bytes(message.metadata)):
            raise InputError("the buffers of the stream are compressed", hint="compress the HTTP body instead")


def _is_compressed(metadata: bytes) -> bool:
    """Tell whether a message (a flatbuffer, as ``Message.fbs`` of Arrow lays it out) says that its buffers are."""
    message = struct.unpack_from("<I", metadata)[0]
    kind = _field(metadata, message, 1)
    header = _field(metadata, message, 2)
    if not kind or not header or metadata[kind] not in {_RECORD_BATCH, _DICTIONARY_BATCH}:
        return False
    batch = header + struct.unpack_from("<I", metadata, header)[0]
    if metadata[kind] == _DICTIONARY_BATCH:
        inner = _field(metadata, batch, 1)
        if not inner:
            return False
        batch = inner + struct.unpack_from("<I", metadata, inner)[0]
    return _field(metadata, batch, 3) > 0


def _field(data: bytes, table: int, number: int) -> int:
    """Return where a field of a table of a flatbuffer stands; 0 where it is left out."""
    layout = table - struct.unpack_from("<i", data, table)[0]
    size = struct.unpack_from("<H", data, layout)[0]
    at = 4 + 2 * number
    offset = struct.unpack_from("<H", data, layout + at)[0] if at < size else 0
    return table + offset if offset else 0


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
