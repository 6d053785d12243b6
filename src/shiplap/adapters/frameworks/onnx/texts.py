"""Inputs of texts: where all that is done with one is a lookup, the encoder does it, and the graph reads numbers."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper

from shiplap.adapters.frameworks.neural import Code
from shiplap.core.encoding import Category
from shiplap.core.errors import RefusedError

__all__ = ["coded"]

_HINT = "pack the pipeline that was exported: Shiplap reads texts in its encoder"
_SAME = frozenset({"Identity", "Reshape", "Flatten", "Squeeze", "Cast"})
_TAKING = frozenset({"Gather", "ArrayFeatureExtractor"})


def coded(model: onnx.ModelProto) -> tuple[onnx.ModelProto, dict[str, Code]]:
    """Put numbers where a model reads texts.

    Parameters
    ----------
    model : onnx.ModelProto
        The model; it is not changed.

    Returns
    -------
    tuple of (onnx.ModelProto, dict of str to Code)
        The model with inputs of numbers, and by the name of each such input what the encoder does. The model itself
        where it reads no texts.

    Raises
    ------
    RefusedError
        Something else than one lookup is done with a text.
    """
    texts = [port.name for port in model.graph.input if port.type.tensor_type.elem_type == TensorProto.STRING]
    if not texts:
        return model, {}
    ready = onnx.ModelProto()
    ready.CopyFrom(model)
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer if not _large(tensor)}
    lookups = _lookups(model.graph, texts, held)
    codes: dict[str, Code] = {}
    for name, node in lookups.items():
        codes[name] = _code(name, node)
    ends = {node.output[0]: name for name, node in lookups.items()}
    kept = [_renamed(node, ends) for node in model.graph.node]
    del ready.graph.node[:]
    ready.graph.node.extend(kept)
    for port in ready.graph.input:
        if port.name in codes:
            code = codes[port.name]
            kind = TensorProto.FLOAT if code.dtype == "float32" else TensorProto.INT64
            port.type.CopyFrom(helper.make_tensor_type_proto(kind, ["n", *code.shape]))
    del ready.graph.value_info[:]
    return ready, codes


def _large(tensor: TensorProto) -> bool:
    return tensor.data_location == TensorProto.EXTERNAL or len(tensor.raw_data) > 10_000


def _renamed(node: onnx.NodeProto, ends: dict[str, str]) -> onnx.NodeProto:
    """Return a node, or what takes the place of a lookup: the input as it now is."""
    if node.output[0] in ends:
        return helper.make_node("Identity", [ends[node.output[0]]], [node.output[0]], name=node.name)
    return node


def _lookups(graph: onnx.GraphProto, texts: list[str], held: dict[str, Any]) -> dict[str, onnx.NodeProto]:
    """Follow the texts, column by column, to the one lookup that reads each."""
    columns: dict[str, tuple[str, ...]] = {name: (name,) for name in texts}
    found: dict[str, onnx.NodeProto] = {}
    for node in graph.node:
        read = [columns[name] for name in node.input if name in columns]
        if not read:
            continue
        if node.op_type in _SAME:
            columns[node.output[0]] = read[0]
        elif node.op_type == "Concat":
            columns[node.output[0]] = tuple(name for part in read for name in part)
        elif node.op_type in _TAKING and node.input[1] in held:
            places = held[node.input[1]].ravel().tolist()
            columns[node.output[0]] = tuple(read[0][place] for place in places)
        elif node.op_type in {"OneHotEncoder", "LabelEncoder"} and len(read[0]) == 1 and read[0][0] not in found:
            found[read[0][0]] = node
        else:
            raise RefusedError(f"the input '{read[0][0]}' takes texts, which {node.op_type} reads", hint=_HINT)
    unread = [name for name in texts if name not in found]
    if unread:
        raise RefusedError(f"the input '{unread[0]}' takes texts, and nothing looks them up", hint=_HINT)
    return found


def _code(name: str, node: onnx.NodeProto) -> Code:
    said = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.op_type == "OneHotEncoder" and "cats_strings" in said:
        keys = _keys(name, said["cats_strings"])
        rows = tuple(tuple(float(key == other) for other in keys) for key in keys)
        # Where the model itself fails on an unknown text, the row's numbers are not known.
        other: tuple[float | None, ...] = (0.0 if said.get("zeros", 1) else None,) * len(keys)
        return Code(_category(name, keys, rows, other), "float32", (1, len(keys)))
    kind = next((kind for kind in ("int64", "float") if f"values_{kind}s" in said), "")
    if node.op_type == "LabelEncoder" and kind and "keys_strings" in said:
        keys = _keys(name, said["keys_strings"])
        values = tuple((float(value),) for value in said[f"values_{kind}s"])
        default = (float(said.get(f"default_{kind}", -1 if kind == "int64" else 0.0)),)
        return Code(_category(name, keys, values, default), "float32" if kind == "float" else "int64", (1,))
    raise RefusedError(f"the input '{name}' takes texts, which {node.op_type} turns into texts", hint=_HINT)


def _category(
    name: str, keys: tuple[str, ...], rows: tuple[tuple[float, ...], ...], other: tuple[float | None, ...]
) -> Category:
    # ONNX knows no missing text: it is sent as the empty one.
    missing = rows[keys.index("")] if "" in keys else other
    return Category(column=name, categories=keys, values=rows, if_missing=missing, if_unseen=other)


def _keys(name: str, written: list[bytes]) -> tuple[str, ...]:
    keys = tuple(key.decode() for key in written)
    if len(set(keys)) < len(keys):
        raise RefusedError(f"the input '{name}' is looked up in a list that names a text twice", hint=_HINT)
    return keys
