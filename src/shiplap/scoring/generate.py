"""The functions that encode one row, generated for an encoding, and the struct that a JSON object is read into.

The source holds nothing but names made here and positions: columns, vocabularies and every other text of a ship file
reach it as data, through the namespace it runs in.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.scoring.readers import Reader
from shiplap.scoring.readers.lookup import LookupReader
from shiplap.scoring.readers.number import NumberReader
from shiplap.scoring.values import NAN

__all__ = ["read_row_function", "row_function", "row_type"]

Write = Callable[[Any, NDArray[np.float64]], None]


def row_type(readers: Sequence[Reader]) -> type[msgspec.Struct]:
    """Return the struct that a row is read into, with the fields ``v0``, ``v1`` ... in the order of the columns.

    It has no fields at all where a column has a name that no struct can have.

    Examples
    --------
    >>> from shiplap.core.encoding import Number
    >>> kind = row_type([NumberReader(Number(column="age"))])
    >>> msgspec.json.decode(b'{"age": 41, "other": []}', type=kind)
    Row(v0=41.0)
    """
    kinds: dict[str, Any] = {}
    for reader in readers:  # a column of numbers is read as doubles at once; what is none is found by its reader
        number = isinstance(reader, NumberReader) and kinds.get(reader.column, float) is not Any
        kinds[reader.column] = float | str | bool | None if number else Any
    fields = [(f"v{place}", kind, None) for place, kind in enumerate(kinds.values())]
    names = {f"v{place}": name for place, name in enumerate(kinds)}
    try:
        return msgspec.defstruct("Row", fields, rename=names, gc=False)
    except ValueError:
        return msgspec.defstruct("Row", [])


def row_function(readers: Sequence[Reader]) -> Callable[[Mapping[str, object], NDArray[np.float64]], None]:
    """Return a function that encodes a row into a buffer.

    It raises ``UnreadableError``, ``TypeError``, ``OverflowError`` or ``struct.error`` for a row that it cannot encode;
    what exactly is wrong is then found by reading value by value.

    Examples
    --------
    >>> from shiplap.core.encoding import Number
    >>> out = np.empty(1)
    >>> row_function([NumberReader(Number(column="age"))])({"age": "41"}, out)
    >>> out
    array([41.])
    """
    space: dict[str, Any] = {}
    lines = [" get = values.get"]
    for place, column in enumerate(_columns(readers)):
        space[f"c{place}"] = column
        lines.append(f" v{place} = get(c{place})")
    return _made([*lines, *_writing(readers, space)], space)


def read_row_function(readers: Sequence[Reader]) -> Write:
    """Return a function that encodes a struct of `row_type` into a buffer, to the bits of `row_function`.

    It raises what that one raises, and ``LookupError`` for a row that has no value at all: whether any of the columns
    was there is then to be found out.
    """
    columns = _columns(readers)
    lines = [f" v{place} = values.v{place}" for place in range(len(columns))]
    none = " and ".join(f"v{place} is None" for place in range(len(columns)))
    lines.append(f" if {none}: raise error")
    space: dict[str, Any] = {"error": LookupError}
    return _made([*lines, *_writing(readers, space)], space)


def _columns(readers: Sequence[Reader]) -> list[str]:
    return list(dict.fromkeys(reader.column for reader in readers))


def _made(lines: Sequence[str], space: dict[str, Any]) -> Write:
    source = "\n".join(["def row(values, out):", *lines])
    space |= {"kind": type, "float": float, "int": int, "nan": NAN, "__builtins__": {}}
    exec(compile(source, "<row encoder>", "exec"), space)  # noqa: S102
    made: Write = space["row"]
    return made


def _writing(readers: Sequence[Reader], space: dict[str, Any]) -> list[str]:
    """Return the lines that write the values ``v0``, ``v1`` ... of the columns into ``out``."""
    names = {column: f"v{place}" for place, column in enumerate(_columns(readers))}
    layout, terms, later = "=", [], []
    at = 0
    for index, reader in enumerate(readers):
        if hasattr(reader, "flat"):  # many numbers: written as an array, where the packed row leaves a gap
            space[f"r{index}"] = reader.flat
            later.append(f" flat[{at}:{at + reader.width}] = r{index}({names[reader.column]})")
            layout += f"{8 * reader.width}x"
        else:
            term, code = _term(reader, names[reader.column], index, space)
            terms.append(term)
            layout += code
        at += reader.width
    space["pack"] = struct.Struct(layout).pack_into
    lines = [f" pack({', '.join(['out', '0', *terms])})"]
    return [*lines, " flat = out.reshape(-1)", *later] if later else lines


def _term(reader: Reader, value: str, index: int, space: dict[str, Any]) -> tuple[str, str]:
    """Return the expression that gives the numbers of one operation, and how they are packed."""
    held = f"r{index}"
    if isinstance(reader, NumberReader):
        space[held] = reader.number
        if reader.marked:
            return f"{held}({value})", "d"
        plain = f"{value} if kind({value}) is float or kind({value}) is int"
        return f"{plain} else nan if {value} is None else {held}({value})", "d"
    if isinstance(reader, LookupReader):
        space[held] = reader.table
        return f"{held}[{value}]", "d" if reader.width == 1 else f"{8 * reader.width}s"
    space[held] = reader.one
    return f"*{held}({value})", "d" * reader.width
