"""Write ONNX nodes for arrays of any type, with the number of rows left open and bodies for loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from shiplap.adapters.frameworks.graph import IR_VERSION, OPSET
from shiplap.core.errors import RefusedError

__all__ = ["Value", "Writer", "element_type"]

Value = NDArray[Any] | str
"""A constant that is known now, or the name of a tensor that the graph computes."""


def element_type(dtype: Any) -> int:
    """Return ONNX's number for a dtype.

    Raises
    ------
    RefusedError
        It has none that ONNX Runtime computes with on a processor.

    Examples
    --------
    >>> element_type("float32") == onnx.TensorProto.FLOAT
    True
    """
    known = {"float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool"}
    name = np.dtype(dtype).name
    if name not in known:
        raise RefusedError(
            f"the model computes with {name}, which ONNX Runtime does not on a processor",
            hint="give the model float32 parameters and rows",
        )
    return helper.np_dtype_to_tensor_dtype(np.dtype(name))


class Writer:
    """Nodes in the order in which they were asked for.

    Parameters
    ----------
    batch : any
        The symbol that stands for the number of rows in shapes.
    run : callable
        ``run(writer, function, inputs)`` writes a traced function; loops and branches write their bodies with it.

    Examples
    --------
    >>> writer = Writer(batch=None, run=None)
    >>> doubled = writer.op("Mul", "x", np.float32([2.0]))
    >>> model = writer.model({"x": (np.dtype("float32"), (3,))}, {"y": (doubled, np.dtype("float32"), (3,))})
    >>> [node.op_type for node in model.graph.node]
    ['Mul', 'Identity']
    """

    def __init__(self, batch: Any, run: Any) -> None:
        self.batch = batch
        self._run = run
        self._nodes: list[Any] = []
        self._constants: dict[tuple[str, bytes, tuple[int, ...]], tuple[str, NDArray[Any]]] = {}
        self._made = 0
        self._rows = ""

    def run(self, function: Any, inputs: Sequence[Value]) -> tuple[Value, ...]:
        """Write a traced function and return what it computes."""
        made: tuple[Value, ...] = self._run(self, function, inputs)
        return made

    def fresh(self) -> str:
        """Return a name that nothing has yet."""
        self._made += 1
        return f"t{self._made}"

    def name(self, value: Value) -> str:
        """Return the name of a value; equal constants share one."""
        if isinstance(value, str):
            return value
        array = np.asarray(value)
        key = (array.dtype.str, array.tobytes(), array.shape)
        if key not in self._constants:
            element_type(array.dtype)
            self._constants[key] = (f"c{len(self._constants)}", array)
        return self._constants[key][0]

    def op(self, op: str, *inputs: Value, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.ops(op, inputs, 1, **attributes)[0]

    def ops(self, op: str, inputs: Sequence[Value], outputs: int, **attributes: Any) -> tuple[str, ...]:
        """Add a node with several outputs and return their names."""
        names = tuple(self.fresh() for _ in range(outputs))
        self._nodes.append(helper.make_node(op, [self.name(value) for value in inputs], list(names), **attributes))
        return names

    def count_rows(self, tensor: str) -> None:
        """Say which input tensor tells the number of rows, by its first axis."""
        self._rows = self.op("Gather", self.op("Shape", tensor), np.array([0], np.int64))

    def dimensions(self, shape: Sequence[Any]) -> Value:
        """Return a shape as a tensor of whole numbers; the number of rows is found when the graph runs."""
        if all(isinstance(size, int) for size in shape):
            return np.array(shape, np.int64)
        return self.op("Concat", *(self._dimension(size) for size in shape), axis=0)

    def _dimension(self, size: Any) -> Value:
        if isinstance(size, int):
            return np.array([size], np.int64)
        factor = size // self.batch
        if not isinstance(factor, int) or size != factor * self.batch:
            raise RefusedError(
                f"a shape inside the model is {size}, where {self.batch} is the number of rows",
                hint="keep the rows on an axis of their own",
            )
        return self._rows if factor == 1 else self.op("Mul", self._rows, np.array([factor], np.int64))

    def reshape(self, value: Value, shape: Sequence[Any]) -> Value:
        """Give a value another shape."""
        if not isinstance(value, str):
            return value.reshape(tuple(shape))
        if sum(not isinstance(size, int) for size in shape) > 1:
            return self.op("Reshape", value, self.dimensions(shape))
        return self.op("Reshape", value, np.array([size if isinstance(size, int) else -1 for size in shape], np.int64))

    def transpose(self, value: Value, order: Sequence[int]) -> Value:
        """Reorder the axes of a value."""
        if list(order) == list(range(len(order))):
            return value
        return self.op("Transpose", value, perm=list(order)) if isinstance(value, str) else value.transpose(order)

    def cast(self, value: Value, dtype: Any) -> Value:
        """Give a value another type; the numbers have to fit."""
        if isinstance(value, str):
            return self.op("Cast", value, to=element_type(dtype))
        return value.astype(dtype)

    @contextmanager
    def body(self) -> Iterator[list[Any]]:
        """Collect the nodes that are added meanwhile, for the body of a loop or a branch."""
        outer, self._nodes = self._nodes, []
        try:
            yield self._nodes
        finally:
            self._nodes = outer

    def graph(
        self, nodes: list[Any], inputs: Sequence[tuple[str, Any, int]], outputs: Sequence[tuple[Value, Any]]
    ) -> Any:
        """Return nodes as a body: its inputs as (name, dtype, rank), its outputs as (value, dtype)."""
        closing = []
        made = []
        for value, dtype in outputs:
            made.append(helper.make_tensor_value_info(self.fresh(), element_type(dtype), None))
            closing.append(helper.make_node("Identity", [self.name(value)], [made[-1].name]))
        taken = [
            helper.make_tensor_value_info(name, element_type(dtype), [None] * rank) for name, dtype, rank in inputs
        ]
        return helper.make_graph([*nodes, *closing], f"body{self.fresh()}", taken, made)

    def model(
        self,
        inputs: dict[str, tuple[Any, tuple[int, ...]]],
        outputs: dict[str, tuple[Value, Any, tuple[int, ...]]],
    ) -> onnx.ModelProto:
        """Return the model.

        Parameters
        ----------
        inputs : dict of str to (dtype, shape of one row)
            Its inputs.
        outputs : dict of str to (value, dtype, shape of one row)
            Its outputs.
        """
        closing = [helper.make_node("Identity", [self.name(made[0])], [name]) for name, made in outputs.items()]
        graph = helper.make_graph(
            [*self._nodes, *closing],
            "model",
            [
                helper.make_tensor_value_info(name, element_type(dtype), ["n", *shape])
                for name, (dtype, shape) in inputs.items()
            ],
            [
                helper.make_tensor_value_info(name, element_type(dtype), ["n", *shape])
                for name, (_, dtype, shape) in outputs.items()
            ],
            [numpy_helper.from_array(array, name) for name, array in self._constants.values()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="shiplap")
