"""The function that encodes one row, generated for an encoding.

The source holds nothing but names made here and positions: columns, vocabularies and every other text of a ship file
reach it as data, through the namespace it runs in.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.scoring.readers import Reader
from shiplap.scoring.readers.lookup import LookupReader
from shiplap.scoring.readers.number import NumberReader

__all__ = ["row_function"]


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
    space: dict[str, Any] = {"kind": type, "float": float, "int": int, "__builtins__": {}}
    layout, lines, terms, later = "=", [], [], []
    names: dict[str, str] = {}
    at = 0
    for index, reader in enumerate(readers):
        if reader.column not in names:
            value = names[reader.column] = f"v{len(names)}"
            space[f"c{value}"] = reader.column
            lines.append(f" {value} = get(c{value})")
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
    lines.append(f" pack({', '.join(['out', '0', *terms])})")
    if later:
        lines.extend([" flat = out.reshape(-1)", *later])
    source = "\n".join(["def row(values, out):", " get = values.get", *lines])
    exec(compile(source, "<row encoder>", "exec"), space)  # noqa: S102
    made: Callable[[Mapping[str, object], NDArray[np.float64]], None] = space["row"]
    return made


def _term(reader: Reader, value: str, index: int, space: dict[str, Any]) -> tuple[str, str]:
    """Return the expression that gives the numbers of one operation, and how they are packed."""
    held = f"r{index}"
    if isinstance(reader, NumberReader):
        space[held] = reader.number
        if reader.marked:
            return f"{held}({value})", "d"
        return f"{value} if kind({value}) is float or kind({value}) is int else {held}({value})", "d"
    if isinstance(reader, LookupReader):
        space[held] = reader.table
        return f"{held}[{value}]", "d" if reader.width == 1 else f"{8 * reader.width}s"
    space[held] = reader.one
    return f"*{held}({value})", "d" * reader.width
