"""From an MXNet network to ONNX."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from shiplap.adapters.frameworks.mxnet import arithmetic, layers, normal, recurrent, shapes  # noqa: F401  (register)
from shiplap.adapters.frameworks.mxnet.files import MxnetModel
from shiplap.adapters.frameworks.mxnet.network import Network
from shiplap.adapters.frameworks.mxnet.operators import emit
from shiplap.core.errors import InputError, RefusedError

__all__ = ["to_onnx"]


def to_onnx(model: MxnetModel, row_shapes: Mapping[str, tuple[int, ...]]) -> onnx.ModelProto:
    """Write a network down as an ONNX model with an open batch axis.

    Parameters
    ----------
    model : MxnetModel
        The network, as `load` read it.
    row_shapes : mapping of str to tuple of int
        Shape of one row of each input.

    Returns
    -------
    onnx.ModelProto
        Inputs by name; one output for each of the network's.

    Raises
    ------
    RefusedError
        An operator, or an attribute of it, has no exact counterpart; or a row's answer depends on other rows.
    InputError
        An input's shape is not given.
    """
    network = Network()
    made: list[list[str]] = []
    inputs = set(model.inputs)
    labels = model.labels
    for index, node in enumerate(model.symbol.nodes):
        if node.kind != "null":
            made.append(emit(node, network, [_taken(made, entry, node.name) for entry in node.inputs]))
        elif index in labels:
            made.append([""])
        elif node.name in inputs:
            made.append([network.input(node.name, model.dtype(node.name), _given(row_shapes, node.name))])
        elif node.name in model.params:
            made.append([network.constant(model.params[node.name])])
        else:
            raise RefusedError(f"the network reads '{node.name}', which is neither an input nor in the .params file")
    return network.build([_taken(made, head, "the answer") for head in model.symbol.heads])


def _taken(made: list[list[str]], entry: tuple[int, int], reader: str) -> str:
    outputs = made[entry[0]]
    if entry[1] >= len(outputs):
        raise RefusedError(f"'{reader}' reads an output that is given in training only")
    return outputs[entry[1]]


def _given(row_shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, ...]:
    if name not in row_shapes:
        raise InputError(f"the shape of the input '{name}' is not given", hint=f"given are: {', '.join(row_shapes)}")
    return row_shapes[name]
