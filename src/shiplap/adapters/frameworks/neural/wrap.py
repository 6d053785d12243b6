"""A network's ONNX model as a ship's graph: one double matrix in, one double matrix out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shiplap.adapters.frameworks.graph import INPUT, OUTPUT
from shiplap.core.errors import RefusedError

__all__ = ["Wire", "wrap"]

_OLDEST_OPSET = 13


@dataclass(frozen=True)
class Wire:
    """Which columns of the matrix an input of the network takes.

    Parameters
    ----------
    name : str
        The input of the ONNX model.
    start : int
        First column.
    shape : tuple of int
        Shape of one row's value; empty for a plain number.
    dtype : str
        NumPy's name of the type that the network reads.
    """

    name: str
    start: int
    shape: tuple[int, ...]
    dtype: str

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return prod(self.shape)


def wrap(model: Any, wires: Sequence[Wire], *, width: int, both: str = "", guarded: bool = False) -> bytes:
    """Put a network between a matrix of doubles and a matrix of doubles.

    Parameters
    ----------
    model : onnx.ModelProto
        The network; the first axis of every input and output is the batch.
    wires : sequence of Wire
        One for each input.
    width : int
        Columns of the matrix.
    both : {"", "probability", "score"}
        Whether the one column that comes out is the probability or score of the second of two classes, and stands for
        both: ``(1 - p, p)`` or ``(-s, s)``.
    guarded : bool
        Whether a row with NaN in a float column answers NaN, as the original does: runtimes lose NaN on the way. A row
        with NaN in a column of whole numbers always does, as no original reads one.

    Returns
    -------
    bytes
        ONNX model with the input ``rows`` of shape (n, width) and the output ``output`` of shape (n, n_outputs).

    Raises
    ------
    RefusedError
        The operators are of a version too old to stand beside those that are added.
    """
    _require_recent(model)
    body, prefix = _apart(model)
    graph = body.graph
    before, after = _Writer(_free("ship_in", graph)), _Writer(_free("ship_out", graph))
    for wire in wires:
        before.feed(wire, f"{prefix}{wire.name}", width)
    last = after.matrix([(port.name, _rank(port)) for port in graph.output])
    last = after.two(last, both) if both else last
    last = after.guard(last, wires, width, "fiub" if guarded else "iub")
    after.op("Identity", last, output=OUTPUT)
    made = helper.make_graph(
        [*before.nodes, *graph.node, *after.nodes],
        graph.name or "network",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, ["n", width])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, ["n", None])],
        [*graph.initializer, *before.constants, *after.constants],
    )
    made.sparse_initializer.extend(graph.sparse_initializer)
    graph.CopyFrom(made)
    serialized: bytes = body.SerializeToString()
    return serialized


class _Writer:
    """Nodes and constants with names that nobody else has."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.filled = ""

    def op(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{self.prefix}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{self.prefix}{op}_{output}", **attributes))
        return output

    def constant(self, values: Any) -> str:
        name = f"{self.prefix}c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def feed(self, wire: Wire, name: str, width: int) -> None:
        tensor = INPUT if np.dtype(wire.dtype).kind == "f" else self.known()
        if wire.width != width:
            ends = [self.constant(np.array([place], np.int64)) for place in (wire.start, wire.start + wire.width, 1)]
            tensor = self.op("Slice", tensor, *ends)
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(wire.dtype))
        cast = self.op("Cast", tensor, to=kind)
        shape = self.constant(np.array([-1, *wire.shape], np.int64))
        self.op("Reshape", cast, shape, output=name)

    def known(self) -> str:
        """Return the matrix with 0 for NaN, which would be any number at all as a whole one."""
        if not self.filled:
            lost = self.op("IsNaN", INPUT)
            self.filled = self.op("Where", lost, self.constant(np.float64(0.0)), INPUT)
        return self.filled

    def matrix(self, outputs: Sequence[tuple[str, int]]) -> str:
        parts = []
        for name, rank in outputs:
            flat = self.op("Reshape", name, self.constant(np.array([-1, 1], np.int64))) if rank == 1 else name
            flat = self.op("Flatten", flat, axis=1) if rank != 2 else flat
            parts.append(self.op("Cast", flat, to=TensorProto.DOUBLE))
        return parts[0] if len(parts) == 1 else self.op("Concat", *parts, axis=1)

    def two(self, column: str, both: str) -> str:
        first = np.array([1.0 if both == "probability" else 0.0, 0.0])
        return self.op("Gemm", column, self.constant(np.array([[-1.0, 1.0]])), self.constant(first))

    def guard(self, answer: str, wires: Sequence[Wire], width: int, kinds: str) -> str:
        watched = np.zeros((width, 1))
        for wire in wires:
            if np.dtype(wire.dtype).kind in kinds:
                watched[wire.start : wire.start + wire.width] = 1.0
        if not watched.any():
            return answer
        lost = self.op("Cast", self.op("IsNaN", INPUT), to=TensorProto.DOUBLE)
        found = self.op("Greater", self.op("MatMul", lost, self.constant(watched)), self.constant(0.5))
        return self.op("Where", found, self.constant(np.nan), answer)


def _require_recent(model: Any) -> None:
    version = next((opset.version for opset in model.opset_import if opset.domain in {"", "ai.onnx"}), 0)
    if version < _OLDEST_OPSET:
        raise RefusedError(
            f"the network's ONNX operators are of version {version}, and {_OLDEST_OPSET} is the oldest that fits",
            hint="export it again with a newer opset",
        )


def _apart(model: Any) -> tuple[Any, str]:
    """Return a copy, and the prefix its names got where the network itself uses the names of the ship's own ports."""
    if {INPUT, OUTPUT} & _names(model.graph):
        prefix = _free("net", model.graph)
        return onnx.compose.add_prefix(model, prefix), prefix
    body = onnx.ModelProto()
    body.CopyFrom(model)
    return body, ""


def _names(graph: Any) -> set[str]:
    made = {name for node in graph.node for name in (*node.output, *node.input, node.name)}
    return made | {held.name for held in (*graph.initializer, *graph.input, *graph.output)}


def _free(prefix: str, graph: Any) -> str:
    taken = _names(graph)
    while any(name.startswith(prefix) for name in taken):
        prefix += "_"
    return f"{prefix}_"


def _rank(port: Any) -> int:
    return len(port.type.tensor_type.shape.dim)
