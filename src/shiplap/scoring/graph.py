"""What can be known of an ONNX graph without running it: its ports, and that nothing in it reaches outside.

ONNX is a Protocol Buffers message; the few fields that matter are read here directly, so that a ship file can be
audited before any runtime sees it. Field numbers follow ``onnx.proto3`` of ONNX 1.19.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shiplap.core.errors import ShipError

__all__ = ["Ports", "audit_graph"]

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_DEPTH = 24
_DOUBLE = 11
_HINT = "do not use it; pack it again from the model"

_Field = tuple[int, int | memoryview]


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
    """

    input: str
    output: str
    width: int
    n_outputs: int = 0


def audit_graph(graph: bytes) -> Ports:
    """Check that a graph is self-contained and plain, and return its ports.

    Parameters
    ----------
    graph : bytes
        A serialized ONNX ``ModelProto``.

    Raises
    ------
    ShipError
        It is no ONNX model, keeps tensors in other files, uses operators outside ``ai.onnx`` and ``ai.onnx.ml`` and
        its own functions, carries training information, or does not take one double matrix and give one.
    """
    try:
        return _audit_model(memoryview(graph))
    except (IndexError, UnicodeDecodeError, TypeError) as error:
        raise ShipError("has a graph that is no ONNX model", hint=_HINT) from error


def _audit_model(model: memoryview) -> Ports:
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
    return _ports(body)


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
        elif number == 5:
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
