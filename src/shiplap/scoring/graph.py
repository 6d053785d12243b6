"""What can be known of an ONNX graph without running it: its ports, and that nothing in it reaches outside.

ONNX is a Protocol Buffers message; the few fields that matter are read here directly, so that a ship file can be
audited before any runtime sees it. Field numbers follow ``onnx.proto3`` of ONNX 1.19.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import msgspec

from shiplap.core.errors import ShipError

__all__ = ["Outside", "Ports", "audit_graph"]

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_DEPTH = 24
_DOUBLE = 11
_NUMBERS = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8"}
_WEIGHTS = "graph.data"
_HINT = "do not use it; pack it again from the model"

_Field = tuple[int, int | memoryview]


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """A constant of the graph whose numbers lie in ``graph.data``.

    Parameters
    ----------
    name : str
        Its name in the graph.
    dtype : str
        Type of its numbers, as numpy spells it.
    shape : tuple of int
        Its shape.
    offset : int
        Where its numbers begin.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def size_bytes(self) -> int:
        """How many bytes it takes."""
        return prod(self.shape) * (1 if self.dtype == "?" else int(self.dtype[1:]))


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The one input and the one output of a graph.

    Parameters
    ----------
    input, output : str
        Their names.
    width : int
        Second dimension of the input.
    n_outputs : int
        Second dimension of the output; 0 where the graph leaves it open.
    outside : tuple of Outside
        Constants that lie in ``graph.data``, in the order in which they lie there.
    """

    input: str
    output: str
    width: int
    n_outputs: int = 0
    outside: tuple[Outside, ...] = ()


def audit_graph(graph: bytes, *, n_data: int = 0) -> Ports:
    """Check that a graph is self-contained and plain, and return its ports.

    Parameters
    ----------
    graph : bytes
        A serialized ONNX ``ModelProto``.
    n_data : int
        Size of ``graph.data`` in bytes; 0 where there is none.

    Raises
    ------
    ShipError
        It is no ONNX model, keeps tensors in other files than ``graph.data``, uses operators outside ``ai.onnx``,
        ``ai.onnx.ml`` and its own functions, carries training information, or does not take one double matrix and
        give one.
    """
    try:
        return _audit_model(memoryview(graph), n_data)
    except (IndexError, UnicodeDecodeError, TypeError) as error:
        raise ShipError("has a graph that is no ONNX model", hint=_HINT) from error


def _audit_model(model: memoryview, n_data: int) -> Ports:
    body: memoryview | None = None
    functions = []
    for number, value in _fields(model):
        if number == 7:
            if body is not None:
                raise ShipError("has a graph that is given twice", hint=_HINT)
            body = _message(value)
        elif number == 25:
            functions.append(_message(value))
        elif number == 20:
            raise ShipError("has a graph that carries training information", hint=_HINT)
    if body is None:
        raise ShipError("has a graph that is no ONNX model: it holds no nodes", hint=_HINT)
    local = frozenset((_text_of(function, 10), _text_of(function, 1)) for function in functions)
    for function in functions:
        _audit_function(function, local)
    _audit_body(body, local, 0)
    return msgspec.structs.replace(_ports(body), outside=_outside(body, n_data))


def _audit_function(function: memoryview, local: frozenset[tuple[str, str]]) -> None:
    for number, value in _fields(function):
        if number == 7:
            _audit_node(_message(value), local, 0)
        elif number == 11:
            _audit_attribute(_message(value), local, 0)


def _audit_body(graph: memoryview, local: frozenset[tuple[str, str]], depth: int) -> None:
    if depth > _DEPTH:
        raise ShipError(f"has a graph that nests deeper than {_DEPTH} levels", hint=_HINT)
    for number, value in _fields(graph):
        if number == 1:
            _audit_node(_message(value), local, depth)
        elif number == 5 and not (depth == 0 and _lies_outside(_message(value))):
            _audit_tensor(_message(value))
        elif number == 15:
            _audit_sparse(_message(value))


def _audit_node(node: memoryview, local: frozenset[tuple[str, str]], depth: int) -> None:
    domain, kind = _text_of(node, 7), _text_of(node, 4)
    if domain not in _DOMAINS and (domain, kind) not in local:
        raise ShipError(
            f"has a graph that uses the operator '{domain[:40]}:{kind[:40]}'",
            hint="a ship holds operators of ai.onnx and ai.onnx.ml only",
        )
    for number, value in _fields(node):
        if number == 5:
            _audit_attribute(_message(value), local, depth)


def _audit_attribute(attribute: memoryview, local: frozenset[tuple[str, str]], depth: int) -> None:
    for number, value in _fields(attribute):
        if number in {5, 10}:
            _audit_tensor(_message(value))
        elif number in {6, 11}:
            _audit_body(_message(value), local, depth + 1)
        elif number in {22, 23}:
            _audit_sparse(_message(value))


def _audit_sparse(sparse: memoryview) -> None:
    for number, value in _fields(sparse):
        if number in {1, 2}:
            _audit_tensor(_message(value))


def _audit_tensor(tensor: memoryview) -> None:
    for number, value in _fields(tensor):
        if number == 13 or (number == 14 and value != 0):
            raise ShipError("has a graph that keeps tensors in other files", hint="a ship holds its whole graph")


def _lies_outside(tensor: memoryview) -> bool:
    return _last(tensor, 14) == 1


def _outside(body: memoryview, n_data: int) -> tuple[Outside, ...]:
    """Return the constants that lie in ``graph.data``, one after the other; at least one where it is there."""
    tensors = [_message(value) for number, value in _fields(body) if number == 5]
    found = sorted((_placed(tensor) for tensor in tensors if _lies_outside(tensor)), key=lambda one: one.offset)
    if found and not n_data:
        raise ShipError("has a graph that keeps tensors in other files", hint="a ship holds its whole graph")
    if n_data and not found:
        raise ShipError(f"holds a '{_WEIGHTS}' that its graph does not read", hint=_HINT)
    end = 0
    for one in found:
        if one.offset < end or one.offset + one.size_bytes > n_data:
            raise ShipError(f"has a graph whose constants overlap in '{_WEIGHTS}', or reach beyond it", hint=_HINT)
        end = one.offset + one.size_bytes
    if len({one.name for one in found}) < len(found):
        raise ShipError("has a graph that names a constant twice", hint=_HINT)
    return tuple(found)


def _placed(tensor: memoryview) -> Outside:
    """Read where a constant's numbers lie; it may say nothing else."""
    if {number for number, _ in _fields(tensor)} - {1, 2, 8, 12, 13, 14}:
        raise ShipError("has a graph with a constant that is given twice", hint=_HINT)
    entries = [_message(value) for number, value in _fields(tensor) if number == 13]
    said = {_text_of(entry, 1): _text_of(entry, 2) for entry in entries}
    kind = _last(tensor, 2)
    if len(entries) != 3 or set(said) != {"location", "offset", "length"} or said["location"] != _WEIGHTS:
        raise ShipError("has a graph that keeps tensors in other files", hint=f"a ship holds them in '{_WEIGHTS}'")
    if not (isinstance(kind, int) and kind in _NUMBERS):
        raise ShipError(f"has a graph whose '{_WEIGHTS}' holds numbers of a type that it may not", hint=_HINT)
    found = Outside(
        name=_text_of(tensor, 8), dtype=_NUMBERS[kind], shape=_lengths(tensor), offset=_whole(said["offset"])
    )
    if found.size_bytes != _whole(said["length"]):
        raise ShipError(f"has a graph whose constant '{found.name[:60]}' has another size than its shape", hint=_HINT)
    return found


def _lengths(tensor: memoryview) -> tuple[int, ...]:
    """Read the shape of a constant, written number by number or all in one."""
    lengths: list[int] = []
    for number, value in _fields(tensor):
        if number == 1 and isinstance(value, int):
            lengths.append(value)
        elif number == 1:
            position, packed = 0, _message(value)
            while position < len(packed):
                length, position = _varint(packed, position)
                lengths.append(length)
    return tuple(lengths)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ShipError("has a graph that says where a constant lies in a way that cannot be read", hint=_HINT)
    return int(text)


def _ports(graph: memoryview) -> Ports:
    held = {_text_of(_message(value), 8) for number, value in _fields(graph) if number == 5}
    inputs = [_message(value) for number, value in _fields(graph) if number == 11]
    outputs = [_message(value) for number, value in _fields(graph) if number == 12]
    inputs = [port for port in inputs if _text_of(port, 1) not in held]
    if len(inputs) != 1 or len(outputs) != 1:
        raise ShipError(
            f"has a graph with {len(inputs)} inputs and {len(outputs)} outputs",
            hint="a ship's graph takes one double matrix and gives one",
        )
    width, n_outputs = _columns(inputs[0], "input"), _columns(outputs[0], "output")
    if width < 1:
        raise ShipError("has a graph that leaves the width of its input open", hint=_HINT)
    return Ports(input=_text_of(inputs[0], 1), output=_text_of(outputs[0], 1), width=width, n_outputs=n_outputs)


def _columns(port: memoryview, side: str) -> int:
    """Return the second dimension of a double matrix; 0 where it is open."""
    tensor = _find(_find(port, 2), 1)
    dimensions = [_message(value) for number, value in _fields(_find(tensor, 2)) if number == 1]
    if _last(tensor, 1) != _DOUBLE or len(dimensions) != 2:
        raise ShipError(f"has a graph whose {side} is no double matrix", hint="a ship's graph takes one and gives one")
    size = _last(dimensions[1], 1)
    return size if isinstance(size, int) else 0


def _last(message: memoryview, wanted: int) -> int | memoryview | None:
    """Return a field's value; where it is given twice, the last one counts, as everywhere in Protocol Buffers."""
    last = None
    for number, value in _fields(message):
        if number == wanted:
            last = value
    return last


def _find(message: memoryview, wanted: int) -> memoryview:
    found = _last(message, wanted)
    return memoryview(b"") if found is None else _message(found)


def _text_of(message: memoryview, wanted: int) -> str:
    return str(_find(message, wanted), "utf-8")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise TypeError("a message was expected")
    return value


def _fields(message: memoryview) -> Iterator[_Field]:
    """Yield number and value of each field: bytes as they are, every other wire type as an integer.

    Raises
    ------
    IndexError
        The message breaks off, or holds a wire type that ONNX does not use.
    """
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        if not 8 <= key < 1 << 32:  # some readers drop the bits above, and then see another field than this one
            raise IndexError(key)
        wire = key & 7
        if wire == 0:
            size = 0
            value, position = _varint(message, position)
        elif wire == 2:
            size, position = _varint(message, position)
        else:
            size = {1: 8, 5: 4}.get(wire, end)
        if position + size > end:
            raise IndexError(size)
        if wire == 0:
            yield key >> 3, value
        elif wire == 2:
            yield key >> 3, message[position : position + size]
        else:
            yield key >> 3, int.from_bytes(message[position : position + size], "little")
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise IndexError(shift)
