"""Bring an ONNX model to what a ship's graph needs: known operators, recent versions, an open batch axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import onnx
from onnx import helper, version_converter

from shiplap.adapters.frameworks.graph import OPSET
from shiplap.core.errors import RefusedError

__all__ = ["batch_of", "fed", "prepared"]

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_OLDEST_OPSET, _OLDEST_IR = 13, 8
_PLAIN_OPSET = 18


def batch_of(model: onnx.ModelProto) -> int:
    """Return the batch size that the model is fixed to; 0 where it is open.

    Raises
    ------
    RefusedError
        It is fixed to several rows, or differs between inputs.
    """
    sizes = {_first(port) for port in fed(model)}
    if sizes == {0}:
        return 0
    if sizes == {1}:
        return 1
    raise RefusedError(
        f"the model takes {max(sizes)} rows at once, no more and no fewer",
        hint="export it with a dynamic batch axis: dynamic_shapes in torch.onnx.export",
    )


def prepared(model: onnx.ModelProto, answers: Sequence[str]) -> onnx.ModelProto:
    """Return a copy that answers `answers` alone, with recent operators and an open batch axis.

    Raises
    ------
    RefusedError
        It uses an operator of another domain, trains, or cannot be brought to a recent version.
    """
    _require_known(model)
    ready = onnx.ModelProto()
    ready.CopyFrom(model)
    _keep(ready.graph, answers)
    _recent(ready)
    for port in (*fed(ready), *ready.graph.output):
        shape = port.type.tensor_type.shape
        if len(shape.dim):
            shape.dim[0].Clear()
            shape.dim[0].dim_param = "n"
    if batch_of(model):
        del ready.graph.value_info[:]
    return _upgraded(ready)


def fed(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that are not constants; old files list those among them."""
    held = {tensor.name for tensor in model.graph.initializer}
    return [port for port in model.graph.input if port.name not in held]


def _first(port: onnx.ValueInfoProto) -> int:
    shape = port.type.tensor_type.shape.dim
    return int(shape[0].dim_value) if len(shape) else 0


def _require_known(model: onnx.ModelProto) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model.graph.node):
        if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own:
            raise RefusedError(
                f"the model uses the operator {node.domain}:{node.op_type}, which belongs to one runtime alone",
                hint="export it without fusing or quantizing for a runtime; operators of ai.onnx and ai.onnx.ml fit",
            )
    if len(model.training_info):
        raise RefusedError("the model carries what trains it", hint="export it for inference")


def _nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nodes(graph.node)


def _keep(graph: onnx.GraphProto, answers: Sequence[str]) -> None:
    """Keep the nodes that `answers` depend on, and make those the outputs."""
    ports = {port.name: port for port in graph.output}
    kept = [ports.get(name) or helper.make_empty_tensor_value_info(name) for name in answers]
    needed = set(answers)
    live = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            live.append(node)
            needed.update(name for inner in _nodes([node]) for name in inner.input)
    ordered = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(live)]
    outputs = [onnx.ValueInfoProto.FromString(port.SerializeToString()) for port in kept]
    constants = [tensor for tensor in graph.initializer if tensor.name not in needed]
    for tensor in constants:
        graph.initializer.remove(tensor)
    del graph.node[:], graph.output[:]
    graph.node.extend(ordered)
    graph.output.extend(outputs)


def _recent(model: onnx.ModelProto) -> None:
    """Name the version of the plain operators where only others are used, and of the file's own form."""
    if not any(one.domain in {"", "ai.onnx"} for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid("", _PLAIN_OPSET))
    model.ir_version = max(model.ir_version, _OLDEST_IR)


def _upgraded(model: onnx.ModelProto) -> onnx.ModelProto:
    version = next(one.version for one in model.opset_import if one.domain in {"", "ai.onnx"})
    if version >= _OLDEST_OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET)
    except (RuntimeError, version_converter.ConvertError) as error:
        reason = str(error).strip().splitlines()[0]
        raise RefusedError(
            f"the model's operators of version {version} cannot be brought to version {OPSET}: {reason}",
            hint="export it again with a newer opset",
        ) from error
