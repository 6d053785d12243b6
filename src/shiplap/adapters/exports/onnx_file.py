"""Put a ship's encoder and graph together as one plain ONNX model with named inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx import compose as onnx_compose

from shiplap.adapters.exports.moments import MISSING, part_of
from shiplap.adapters.exports.plan import Flat, Lookup, Moment, Part, Plain, Plan, Port
from shiplap.core.brief import Label
from shiplap.core.errors import RefusedError

__all__ = ["PlainModel", "compose"]

_PREFIX = "model/"
_TYPES = {
    "number": TensorProto.DOUBLE,
    "tensor": TensorProto.DOUBLE,
    "boolean": TensorProto.BOOL,
    "text": TensorProto.STRING,
    "moment": TensorProto.INT64,
}


class _Writer:
    """Nodes and constants that go around the ship's graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"shiplap/{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, values: Any) -> str:
        array = np.asarray(values)
        name = f"shiplap/c{len(self.constants)}"
        if array.dtype.kind in "UO":
            texts = [str(value).encode() for value in array.ravel()]
            self.constants[name] = TensorProto(
                name=name, data_type=TensorProto.STRING, dims=array.shape, string_data=texts
            )
        else:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        return name

    def whole(self, value: int) -> str:
        return self.constant(np.int64(value))

    def rename(self, old: str, new: str) -> None:
        self.nodes.append(helper.make_node("Identity", [old], [new], name=new))


def compose(graph: bytes, plan: Plan) -> bytes:
    """Put named inputs before a ship's graph, and label and decision behind it.

    Parameters
    ----------
    graph : bytes
        The ship's graph: one double matrix in, one out.
    plan : Plan
        Inputs, encoding, and what is answered.

    Returns
    -------
    bytes
        ONNX model. Inputs by the names of the columns, each of shape (n, 1), or (n, ...) for a tensor. Outputs
        ``prediction``, ``probabilities`` or ``scores`` where there are classes, and ``decision``.

    Raises
    ------
    RefusedError
        The classes are of several types.
    """
    model = onnx.load_model_from_string(graph)
    inner = onnx_compose.add_prefix_graph(model.graph, _PREFIX)
    held = {constant.name for constant in inner.initializer}
    source = next(port.name for port in inner.input if port.name not in held)
    writer = _Writer()
    pieces = [_part(writer, part) for part in plan.parts]
    writer.rename(pieces[0] if len(pieces) == 1 else writer.op("Concat", *pieces, axis=1), source)
    n_encoders = len(writer.nodes)
    before = {port.name for port in plan.ports}
    outputs = _answers(writer, inner.output[0].name, plan, before)
    body = helper.make_graph(
        [*writer.nodes[:n_encoders], *inner.node, *writer.nodes[n_encoders:]],
        "model",
        [_port(port) for port in plan.ports],
        outputs,
        [*inner.initializer, *writer.constants.values()],
        doc_string=plan.text,
        sparse_initializer=list(inner.sparse_initializer),
    )
    opsets = {one.domain or "": one for one in model.opset_import}
    opsets.setdefault("ai.onnx.ml", helper.make_opsetid("ai.onnx.ml", 3))
    whole = helper.make_model(
        body,
        opset_imports=list(opsets.values()),
        functions=list(model.functions),
        ir_version=model.ir_version,
        producer_name="shiplap",
        doc_string=plan.text,
    )
    helper.set_model_props(whole, plan.facts)
    onnx.checker.check_model(whole)
    content: bytes = whole.SerializeToString()
    return content


class PlainModel:
    """An ONNX model, run as any program with ONNX Runtime alone would.

    Parameters
    ----------
    content : bytes
        The model.
    """

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]

    def answers(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs in their order, given what is fed to each input."""
        outputs: list[NDArray[Any]] = self._session.run(self._names, dict(feeds))
        return outputs


def _port(port: Port) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(port.name, _TYPES[port.type], ["n", *port.shape], doc_string=port.note)


def _part(writer: _Writer, part: Part) -> str:
    """Return a double matrix of the numbers that an operation writes."""
    if isinstance(part, Plain):
        return _plain(writer, part)
    if isinstance(part, Flat):
        return writer.op("Reshape", part.port.name, writer.constant(np.array([-1, part.width], np.int64)))
    if isinstance(part, Moment):
        return _moment(writer, part)
    return _looked_up(writer, part)


def _plain(writer: _Writer, part: Plain) -> str:
    number = part.port.name
    if part.port.type == "boolean":
        number = writer.op("Cast", number, to=TensorProto.DOUBLE)
    for marked in part.marked:
        same = writer.op("Equal", number, writer.constant(np.float64(marked)))
        number = writer.op("Where", same, writer.constant(np.float64("nan")), number)
    return number


def _moment(writer: _Writer, part: Moment) -> str:
    moment = part.port.name
    missing = writer.op("Equal", moment, writer.whole(int(MISSING)))
    columns = []
    for name in part.parts:
        if name == "epoch_s":
            number = writer.op("Cast", moment, to=TensorProto.DOUBLE)
            number = writer.op("Div", number, writer.constant(np.float64(1e6)))
        else:
            number = writer.op("Cast", part_of(writer, moment, name), to=TensorProto.DOUBLE)
        columns.append(writer.op("Where", missing, writer.constant(np.float64("nan")), number))
    return columns[0] if len(columns) == 1 else writer.op("Concat", *columns, axis=1)


def _looked_up(writer: _Writer, part: Lookup) -> str:
    """Find the place of a value among the keys, then take the row of that place."""
    table = np.array([*part.rows, part.gap, part.other], np.float64)
    if part.port.type == "text":
        place = writer.op(
            "LabelEncoder",
            part.port.name,
            domain="ai.onnx.ml",
            keys_strings=list(part.keys),
            values_int64s=list(range(len(part.keys))),
            default_int64=len(part.keys) + 1,
        )
    else:
        number = part.port.name
        if part.port.type == "boolean":
            number = writer.op("Cast", number, to=TensorProto.DOUBLE)
        found = [writer.op("Equal", number, writer.constant(np.array([part.keys], np.float64)))] if part.keys else []
        always = writer.op("Equal", number, number)  # all but NaN
        hits = writer.op("Concat", *found, writer.op("Not", always), always, axis=1)
        place = writer.op("ArgMax", writer.op("Cast", hits, to=TensorProto.INT32), axis=1, keepdims=1)
    row = writer.op("Gather", writer.constant(table), place, axis=0)
    return writer.op("Reshape", row, writer.constant(np.array([-1, table.shape[1]], np.int64)))


def _answers(writer: _Writer, numbers: str, plan: Plan, taken: set[str]) -> list[onnx.ValueInfoProto]:
    """Write label, numbers and decision down, and return the outputs."""
    policy, outputs = plan.policy, []

    def answer(name: str, tensor: str, kind: int, *shape: int) -> None:
        while name in taken:
            name += "_"
        writer.rename(tensor, name)
        outputs.append(helper.make_tensor_value_info(name, kind, ["n", *shape]))

    if policy.task == "tensor":
        target = writer.constant(np.array([-1, *plan.shape], np.int64))
        answer("prediction", writer.op("Reshape", numbers, target), TensorProto.DOUBLE, *plan.shape)
        return outputs
    if policy.task == "regression":
        flat = writer.op("Reshape", numbers, writer.constant(np.array([-1], np.int64)))
        answer("prediction", flat, TensorProto.DOUBLE)
        answer("decision", writer.op("Add", flat, writer.constant(np.float64(policy.offset))), TensorProto.DOUBLE)
        return outputs
    labels, kind = _labels(policy.classes)
    held = writer.constant(labels)
    answer("prediction", _largest(writer, numbers, held, len(labels)), kind)
    answer("scores" if plan.scores else "probabilities", numbers, TensorProto.DOUBLE, len(policy.classes))
    if policy.task == "binary":
        column = writer.op("Gather", numbers, writer.whole(policy.positive), axis=1)
        threshold = writer.constant(np.float64(policy.threshold))
        answer("decision", writer.op("GreaterOrEqual", column, threshold), TensorProto.BOOL)
        return outputs
    if policy.matrix:
        numbers = writer.op("MatMul", numbers, writer.constant(np.array(policy.matrix, np.float64).T))
    answer("decision", _largest(writer, numbers, held, len(labels)), kind)
    return outputs


def _largest(writer: _Writer, numbers: str, labels: str, count: int) -> str:
    """Return the label of the first largest number; the first that is none counts as the largest, as in numpy."""
    none = writer.op("Cast", writer.op("IsNaN", numbers), to=TensorProto.DOUBLE)
    some = writer.op("MatMul", none, writer.constant(np.ones((count, 1))))
    comparable = writer.op("Where", writer.op("Greater", some, writer.constant(np.float64(0.5))), none, numbers)
    return writer.op("Gather", labels, writer.op("ArgMax", comparable, axis=1, keepdims=0), axis=0)


def _labels(classes: tuple[Label, ...]) -> tuple[NDArray[Any], int]:
    kinds = set(map(type, classes))
    if kinds == {str}:
        return np.array(classes, dtype=object), TensorProto.STRING
    if kinds == {bool}:
        return np.array(classes), TensorProto.BOOL
    if kinds == {int} and all(-(2**63) <= label < 2**63 for label in classes):  # type: ignore[operator]
        return np.array(classes, np.int64), TensorProto.INT64
    if kinds <= {int, float}:
        return np.array(classes, np.float64), TensorProto.DOUBLE
    shown = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise RefusedError(f"the classes are of several types ({shown}), and ONNX answers one", hint="name them as texts")
