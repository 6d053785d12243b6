"""Build an ONNX graph whose every shape is known while it is built; what depends on constants alone is computed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from shiplap.adapters.frameworks.graph import IR_VERSION, OPSET
from shiplap.core.errors import RefusedError

__all__ = ["BATCH", "Network"]

BATCH = 1_000_003
"""Stands for the number of rows while shapes are reckoned: a prime, so what is a multiple of it came from the batch."""

_LARGEST = 2**28
_OPSETS = [helper.make_opsetid("", OPSET)]


class Network:
    """Nodes and constants, each tensor with its type and shape.

    Parameters
    ----------
    where : str
        What is being built, for messages.

    Examples
    --------
    >>> network = Network()
    >>> rows = network.input("rows", np.float32, (3,))
    >>> network.shape(network.op("Flatten", rows, axis=1)) == (BATCH, 3)
    True
    """

    def __init__(self) -> None:
        self.where = ""
        self._nodes: list[onnx.NodeProto] = []
        self._types: dict[str, onnx.TypeProto] = {}
        self._inputs: list[str] = []
        self._values: dict[str, NDArray[Any]] = {}
        self._names: dict[tuple[str, bytes, tuple[int, ...]], str] = {}
        self._made = 0

    def input(self, name: str, dtype: Any, shape: Sequence[int]) -> str:
        """Add an input; `shape` is that of one row."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._types[name] = helper.make_tensor_type_proto(kind, [BATCH, *shape])
        self._inputs.append(name)
        return name

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Keep an array and return its name; equal arrays share one."""
        array = np.ascontiguousarray(values, dtype=dtype).reshape(np.shape(values))
        key = (array.dtype.str, array.tobytes(), array.shape)
        if key not in self._names:
            name = self._names[key] = f"c{len(self._names)}"
            self._values[name] = array
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            self._types[name] = helper.make_tensor_type_proto(kind, array.shape)
        return self._names[key]

    def like(self, tensor: str, values: Any) -> str:
        """Keep an array in the type of a tensor."""
        return self.constant(np.asarray(values), self.dtype(tensor))

    def sizes(self, values: Sequence[int]) -> str:
        """Keep integers, as shapes and axes are given; a multiple of the batch becomes -1."""
        return self.constant(np.array([-1 if value and value % BATCH == 0 else value for value in values], np.int64))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        return self.ops(kind, *inputs, n_outputs=1, **attributes)[0]

    def ops(self, kind: str, *inputs: str, n_outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        outputs = [f"t{self._made + step}" for step in range(n_outputs)]
        self._made += n_outputs
        node = helper.make_node(kind, inputs, outputs, name=f"{self.where} [{outputs[0]}]", **attributes)
        self._infer(node)
        if inputs and all(name in self._values for name in inputs if name):
            self._require_room(outputs)
            return [self.constant(value) for value in self._computed(node)]
        self._nodes.append(node)
        return outputs

    def _require_room(self, outputs: list[str]) -> None:
        for name in outputs:
            shape = [axis.dim_value for axis in self._types[name].tensor_type.shape.dim]
            if prod(shape) > _LARGEST:
                raise RefusedError(f"'{self.where}' makes a constant of {prod(shape):,} numbers")

    def _computed(self, node: onnx.NodeProto) -> list[NDArray[Any]]:
        feeds = {name: self._values[name] for name in node.input if name}
        graph = helper.make_graph(
            [node],
            "constants",
            [helper.make_value_info(name, self._types[name]) for name in feeds],
            [helper.make_empty_tensor_value_info(name) for name in node.output],
        )
        model = helper.make_model(graph, opset_imports=_OPSETS, ir_version=IR_VERSION)
        return [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feeds)]

    def _infer(self, node: onnx.NodeProto) -> None:
        schema = onnx.defs.get_schema(node.op_type, OPSET, "")
        known = {name: self._types[name] for name in node.input if name}
        data = {
            name: numpy_helper.from_array(self._values[name], name)
            for name in node.input
            if name in self._values and self._values[name].size <= 64
        }
        try:
            found = shape_inference.infer_node_outputs(
                schema, node, known, data, opset_imports=_OPSETS, ir_version=IR_VERSION
            )
        except (shape_inference.InferenceError, onnx.checker.ValidationError, RuntimeError) as error:
            raise RefusedError(
                f"'{self.where}' does not fit its inputs: {str(error).strip().splitlines()[-1]}"
            ) from error
        self._types.update(found)

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Return the shape of a tensor; the axis of the rows has the length `BATCH`."""
        kind = self._types[tensor].tensor_type
        if not kind.HasField("shape") or not all(axis.HasField("dim_value") for axis in kind.shape.dim):
            raise RefusedError(f"the shape of what '{self.where}' reads cannot be told")
        return tuple(axis.dim_value for axis in kind.shape.dim)

    def declare(self, tensor: str, shape: Sequence[int]) -> str:
        """Say the shape of a tensor that depends on the number of rows in a way that inference does not follow."""
        kind = self._types[tensor].tensor_type.elem_type
        self._types[tensor] = helper.make_tensor_type_proto(kind, shape)
        return tensor

    def dtype(self, tensor: str) -> np.dtype[Any]:
        """Return the type of a tensor's numbers."""
        return np.dtype(helper.tensor_dtype_to_np_dtype(self._types[tensor].tensor_type.elem_type))

    def value(self, tensor: str) -> NDArray[Any] | None:
        """Return the numbers of a constant; None for what depends on the rows."""
        return self._values.get(tensor)

    def axis(self, tensor: str, axis: int) -> int:
        """Return an axis counted from the front."""
        n_axes = len(self.shape(tensor))
        if not -n_axes <= axis < n_axes:
            raise RefusedError(f"'{self.where}' asks for axis {axis} of {n_axes}")
        return axis % n_axes

    def require_within_rows(self, tensor: str, axes: Sequence[int]) -> None:
        """Refuse to work along the axis of the rows: one row's answer would depend on the others."""
        shape = self.shape(tensor)
        if any(shape[axis] % BATCH == 0 and shape[axis] for axis in axes):
            raise RefusedError(
                f"'{self.where}' works along the batch: one row's answer depends on the others",
                hint="export the network as it answers single rows",
            )

    def build(self, outputs: Sequence[str]) -> onnx.ModelProto:
        """Return the model that answers `outputs`, with an open batch axis."""
        named = [self._renamed(output, f"output{place or ''}") for place, output in enumerate(outputs)]
        live = set(named)
        for node in reversed(self._nodes):
            if live.intersection(node.output):
                live.update(node.input)
        constants = [numpy_helper.from_array(value, name) for name, value in self._values.items() if name in live]
        graph = helper.make_graph(
            [node for node in self._nodes if live.intersection(node.output)],
            "model",
            [self._port(name) for name in self._inputs],
            [self._port(name) for name in named],
            constants,
        )
        model = helper.make_model(graph, opset_imports=_OPSETS, ir_version=IR_VERSION, producer_name="shiplap")
        onnx.checker.check_model(model)
        return model

    def _renamed(self, tensor: str, name: str) -> str:
        self._types[name] = self._types[tensor]
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=name))
        return name

    def _port(self, name: str) -> onnx.ValueInfoProto:
        shape = self.shape(name)
        if not shape or shape[0] != BATCH:
            raise RefusedError(
                "the network's answer has no row for each row of its input",
                hint="export it so that the first axis is the batch",
            )
        kind = self._types[name].tensor_type.elem_type
        return helper.make_tensor_value_info(name, kind, ["n", *shape[1:]])
