"""What an ONNX model answers: which of its outputs are numbers, and the classes that they speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import onnx
from onnx import TensorProto, helper, numpy_helper

from shiplap.core.brief import Label
from shiplap.core.errors import RefusedError

__all__ = ["Answers", "answers_of"]

_NUMBERS = {
    *(TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BOOL),
    *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8),
}
_LABELS = {TensorProto.INT64, TensorProto.STRING, TensorProto.INT32}
_CLASSES = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
# What a label passes through unchanged between the node that knows the classes and the output.
_PASSING = frozenset(
    {"Cast", "Reshape", "Identity", "Squeeze", "Flatten", "ArrayFeatureExtractor", "Gather", "LabelEncoder"}
)


@dataclass(frozen=True)
class Answers:
    """The outputs that are kept.

    Parameters
    ----------
    names : tuple of str
        Tensors of numbers: outputs, or what lies below a ``ZipMap``.
    classes : tuple
        Labels of the columns of the only one; empty where they are not known.
    label : str
        The output that holds the label itself; empty where there is none.
    """

    names: tuple[str, ...]
    classes: tuple[Label, ...] = ()
    label: str = ""


def answers_of(model: onnx.ModelProto) -> Answers:
    """Tell numbers from labels among the outputs.

    Raises
    ------
    RefusedError
        An output is no tensor of numbers and no label beside one.
    """
    graph = model.graph
    made = {name: node for node in graph.node for name in node.output}
    outputs = list(graph.output)
    zipped = [made[port.name] for port in outputs if port.name in made and made[port.name].op_type == "ZipMap"]
    if zipped:
        label = next((port.name for port in outputs if _element(port) in _LABELS), "")
        return Answers((zipped[0].input[0],), _labels_of(zipped[0]), label)
    if len(outputs) == 2 and _element(outputs[0]) in _LABELS and _element(outputs[1]) in _NUMBERS:
        classes = _known(made, graph, outputs[0].name)
        if classes:
            return Answers((outputs[1].name,), classes, outputs[0].name)
    for port in outputs:
        if _element(port) not in _NUMBERS:
            raise RefusedError(
                f"the output '{port.name}' is no tensor of numbers", hint="export the model with numbers alone"
            )
    return Answers(tuple(port.name for port in outputs))


def _element(port: onnx.ValueInfoProto) -> int:
    """Return the type of an output's numbers; 0 where it is no tensor."""
    kind = port.type
    return int(kind.tensor_type.elem_type) if kind.HasField("tensor_type") else 0


def _labels_of(node: onnx.NodeProto) -> tuple[Label, ...]:
    for attribute in node.attribute:
        if attribute.name in _CLASSES:
            values = helper.get_attribute_value(attribute)
            return tuple(value.decode() if isinstance(value, bytes) else int(value) for value in values)
    return ()


def _known(made: dict[str, onnx.NodeProto], graph: onnx.GraphProto, label: str) -> tuple[Label, ...]:
    """Return the classes that the way to the label names, in the order of the probabilities."""
    held = {tensor.name: tensor for tensor in graph.initializer}
    for node in _upward(made, label):
        found = _labels_of(node)
        if found:
            return found
        if node.op_type in {"ArrayFeatureExtractor", "Gather"} and node.input[0] in held:
            values = numpy_helper.to_array(held[node.input[0]]).ravel().tolist()
            return tuple(value.decode() if isinstance(value, bytes) else value for value in values)
        if node.op_type == "LabelEncoder":
            return _encoded(node)
    return ()


def _upward(made: dict[str, onnx.NodeProto], name: str) -> Iterator[onnx.NodeProto]:
    """Yield the node that made a tensor, and those before it that pass it on."""
    while name in made:
        node = made[name]
        yield node
        if node.op_type not in _PASSING:
            return
        name = node.input[0]


def _encoded(node: onnx.NodeProto) -> tuple[Label, ...]:
    """Return the labels that a ``LabelEncoder`` gives for the positions 0, 1, 2 ..."""
    held = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    keys = list(held.get("keys_int64s", ()))
    values = [*held.get("values_strings", ()), *held.get("values_int64s", ())]
    if keys != list(range(len(keys))) or len(values) != len(keys):
        return ()
    return tuple(value.decode() if isinstance(value, bytes) else int(value) for value in values)
