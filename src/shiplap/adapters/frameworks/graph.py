"""Build an ONNX graph of doubles: one matrix ``rows`` in, one matrix ``output`` out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

__all__ = ["INPUT", "IR_VERSION", "ML_OPSET", "OPSET", "OUTPUT", "GraphBuilder"]

INPUT, OUTPUT = "rows", "output"
# What onnxruntime 1.22 loads; newer runtimes keep loading it.
OPSET, ML_OPSET, IR_VERSION = 18, 5, 10


class _Node:
    __slots__ = ("attributes", "domain", "inputs", "label", "op", "output")

    def __init__(
        self, op: str, inputs: tuple[str, ...], output: str, label: str, attributes: dict[str, Any], domain: str
    ) -> None:
        self.op, self.inputs, self.output = op, inputs, output
        self.label, self.attributes, self.domain = label, attributes, domain


class GraphBuilder:
    """Nodes and constants in the order they were asked for; what nothing uses is left out when it is built.

    Examples
    --------
    >>> graph = GraphBuilder()
    >>> doubled = graph.op("Mul", "rows", graph.constant(np.array([2.0])))
    >>> len(graph.build(doubled, width=1)) > 0
    True
    """

    def __init__(self) -> None:
        self._nodes: list[_Node] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self._names: dict[tuple[str, bytes, tuple[int, ...]], str] = {}
        self._made: dict[tuple[str, tuple[str, ...], str], str] = {}
        self.label = ""

    def constant(self, values: NDArray[Any]) -> str:
        """Keep an array and return its name; equal arrays share one."""
        array = np.ascontiguousarray(values)
        key = (array.dtype.str, array.tobytes(), array.shape)
        if key not in self._names:
            self._names[key] = f"c{len(self._names)}"
            self._constants[self._names[key]] = array
        return self._names[key]

    def op(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name; the same node twice is one node."""
        output = f"t{len(self._nodes)}"
        key = (op, inputs, repr(sorted(attributes.items())))
        if not domain and key in self._made:
            return self._made[key]
        self._made[key] = output
        self._nodes.append(_Node(op, inputs, output, self.label, attributes, domain))
        return output

    def loop(self, state: str, go: str, step: Callable[[GraphBuilder, str], tuple[str, str]]) -> str:
        """Renew a tensor again and again, as long as a step says so.

        Parameters
        ----------
        state : str
            The tensor to begin with.
        go : str
            One boolean: whether to take a first step.
        step : callable
            ``step(graph, state) -> (go, state)``: nodes of the one step, which knows nothing but the state.

        Returns
        -------
        str
            The state after the last step.

        Examples
        --------
        >>> graph = GraphBuilder()
        >>> def halve(inner, state):
        ...     half = inner.op("Div", state, inner.constant(np.array([2.0])))
        ...     largest = inner.op("ReduceMax", half, keepdims=0)
        ...     return inner.op("Greater", largest, inner.constant(np.array(1.0))), half
        >>> graph.loop("rows", graph.constant(np.array(True)), halve)
        't1'
        """
        go = self.op("Squeeze", go)
        inner = GraphBuilder()
        again, renewed = step(inner, "state")
        body = inner._body(inner.op("Squeeze", again), renewed, prefix=f"t{len(self._nodes)}.")
        output = f"t{len(self._nodes)}"
        self._nodes.append(_Node("Loop", ("", go, state), output, self.label, {"body": body}, ""))
        return output

    def _body(self, again: str, renewed: str, *, prefix: str) -> onnx.GraphProto:
        live = self._live(again, {}) | self._live(renewed, {})
        nodes = [node for node in self._nodes if node.output in live]
        names = {name: f"{prefix}{name}" for name in (*live, *self._constants)}
        protos = [_proto(node, names) for node in nodes]
        for proto in protos:
            proto.output[:] = [names.get(name, f"{prefix}{name}") for name in proto.output]
        types = onnx.TensorProto
        return helper.make_graph(
            protos,
            "step",
            [
                helper.make_tensor_value_info(f"{prefix}count", types.INT64, []),
                helper.make_tensor_value_info(f"{prefix}before", types.BOOL, []),
                helper.make_tensor_value_info(f"{prefix}state", types.DOUBLE, None),
            ],
            [
                helper.make_tensor_value_info(names[again], types.BOOL, []),
                helper.make_tensor_value_info(names[renewed], types.DOUBLE, None),
            ],
            [numpy_helper.from_array(self._constants[name], names[name]) for name in self._constants if name in live],
        )

    def maker(self, tensor: str) -> tuple[str, tuple[str, ...]]:
        """Return the operator that makes a tensor, and what it reads; nothing for the input and constants."""
        return next(((node.op, node.inputs) for node in reversed(self._nodes) if node.output == tensor), ("", ()))

    def columns(self, tensor: str, indices: list[int]) -> str:
        """Take columns of a matrix; on the input, taking all of them in order costs nothing."""
        return self.op("Gather", tensor, self.constant(np.array(indices, np.int64)), axis=1)

    def top(self, tensor: str, count: int, *, largest: bool = False) -> str:
        """Return the positions of the `count` smallest or largest numbers of each row, in order; of equals the first.

        Returns
        -------
        str
            Matrix of int64, of shape (n, count).
        """
        return self.op("TopK", tensor, self.constant(np.array([count])), axis=1, largest=int(largest), sorted=1)

    def taken(self, output: str) -> list[int]:
        """Return the input columns that `output` depends on, in the order in which nodes take them."""
        live = self._live(output, {})
        taken = [index for node in self._nodes if node.output in live and _takes(node) for index in self._indices(node)]
        return list(dict.fromkeys(taken))

    def moved(self, places: dict[int, int]) -> None:
        """Say where input columns stand now; nodes that take a column no longer there must not be needed."""
        for node in self._nodes:
            if _takes(node):
                indices = [places.get(index, 0) for index in self._indices(node)]
                node.inputs = (INPUT, self.constant(np.array(indices, np.int64)))

    def _indices(self, node: _Node) -> list[int]:
        indices: list[int] = self._constants[node.inputs[1]].tolist()
        return indices

    def build(self, output: str, *, width: int) -> bytes:
        """Serialize the model whose answer is `output`.

        Parameters
        ----------
        output : str
            Name of a double matrix, as `op` returned it; or ``rows`` itself.
        width : int
            Columns of the input matrix.

        Returns
        -------
        bytes
            ONNX model with one input ``rows`` of shape (n, width) and one output ``output`` of shape (n, k).
        """
        alias = self._identities(width)
        live = self._live(output, alias)
        nodes = [_proto(node, alias) for node in self._nodes if node.output in live and node.output not in alias]
        last = alias.get(output, output)
        used = {name for node in nodes for name in node.input}
        nodes.append(helper.make_node("Identity", [last], [OUTPUT]))
        _rename_last(nodes, last)
        constants = [numpy_helper.from_array(values, name) for name, values in self._constants.items() if name in used]
        double = onnx.TensorProto.DOUBLE
        graph = helper.make_graph(
            nodes,
            "model",
            [helper.make_tensor_value_info(INPUT, double, ["n", width])],
            [helper.make_tensor_value_info(OUTPUT, double, ["n", None])],
            constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="shiplap")
        serialized: bytes = model.SerializeToString()
        return serialized

    def _identities(self, width: int) -> dict[str, str]:
        whole = list(range(width))
        return {node.output: INPUT for node in self._nodes if _takes(node) and self._indices(node) == whole}

    def _live(self, output: str, alias: dict[str, str]) -> set[str]:
        live = {output}
        for node in reversed(self._nodes):
            if node.output in live and node.output not in alias:
                live.update(node.inputs)
        return live


def _takes(node: _Node) -> bool:
    return node.op == "Gather" and node.inputs[0] == INPUT


def _proto(node: _Node, alias: dict[str, str]) -> Any:
    attributes = {
        key: numpy_helper.from_array(value, key) if isinstance(value, np.ndarray) else value
        for key, value in node.attributes.items()
    }
    inputs = [alias.get(name, name) for name in node.inputs]
    name = f"{node.label} [{node.output}]" if node.label else node.output
    # Of the two things that TopK gives, the positions are taken: GatherElements finds the numbers.
    outputs = [f"{node.output}_numbers", node.output] if node.op == "TopK" else [node.output]
    return helper.make_node(node.op, inputs, outputs, name=name, domain=node.domain or None, **attributes)


def _rename_last(nodes: list[Any], last: str) -> None:
    """Let the node that makes `last` write the output itself when nothing else reads it."""
    readers = sum(list(node.input).count(last) for node in nodes)
    maker = next((node for node in nodes if last in node.output), None)
    if maker is not None and readers == 1:
        maker.output[-1] = OUTPUT
        nodes.pop()
