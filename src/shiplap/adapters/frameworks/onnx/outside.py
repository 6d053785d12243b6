"""Constants that lie in files beside an ONNX model: where, and how they come to lie in a ship instead."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from shiplap.core.errors import InputError, RefusedError

__all__ = ["gathered", "size_outside"]

_WEIGHTS = "graph.data"
_STEP = 64


@dataclass(frozen=True)
class _Place:
    tensor: TensorProto
    file: Path
    offset: int
    size: int


def size_outside(graph: onnx.GraphProto, folder: Path) -> int:
    """Return how many bytes of a graph's constants lie in files beside it.

    Raises
    ------
    InputError
        One lies outside the folder, or beyond the end of its file.
    """
    _require_plain(graph)
    return sum(place.size for place in _places(graph, folder))


def gathered(graph: bytes, folder: Path) -> tuple[bytes, bytes | memoryview]:
    """Let the constants of a model lie in one member of a ship instead of files beside the model.

    Parameters
    ----------
    graph : bytes
        ONNX model that keeps constants in files.
    folder : Path
        Where those files are.

    Returns
    -------
    tuple of (bytes, bytes or memoryview)
        The model, and the constants: one file as it is, without being read, where they all lie in one.
    """
    model = onnx.load_model_from_string(graph)
    places = sorted(_places(model.graph, folder), key=lambda place: place.offset)
    one_file = len({place.file for place in places}) == 1
    if one_file and all(left.offset + left.size <= right.offset for left, right in pairwise(places)):
        for place in places:
            _point(place.tensor, place.offset, place.size)
        return model.SerializeToString(), np.memmap(places[0].file, np.uint8, "r").data
    starts = np.cumsum([0, *(-(-place.size // _STEP) * _STEP for place in places)]).tolist()
    weights = np.zeros(starts[-1], np.uint8)
    for place, start in zip(places, starts, strict=False):
        held = np.memmap(place.file, np.uint8, "r", offset=place.offset, shape=(place.size,))
        weights[start : start + place.size] = held
        _point(place.tensor, start, place.size)
    return model.SerializeToString(), weights.data


def _require_plain(graph: onnx.GraphProto) -> None:
    """Refuse numbers in other files that belong to a node or a sparse constant: nothing here would check where."""
    hidden = [tensor for sparse in graph.sparse_initializer for tensor in (sparse.values, sparse.indices)]
    for node in graph.node:
        for attribute in node.attribute:
            hidden += [attribute.t, *attribute.tensors]
            for inner in (attribute.g, *attribute.graphs):
                hidden += inner.initializer
                _require_plain(inner)
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in hidden):
        raise InputError("the weights of a node lie in another file and cannot be read", hint="only constants may")


def _point(tensor: TensorProto, offset: int, size: int) -> None:
    del tensor.external_data[:]
    for key, value in (("location", _WEIGHTS), ("offset", offset), ("length", size)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)


def _places(graph: onnx.GraphProto, folder: Path) -> list[_Place]:
    return [
        _place(tensor, folder)
        for tensor in graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL and prod(tensor.dims)
    ]


def _place(tensor: TensorProto, folder: Path) -> _Place:
    """Find the numbers of a constant, in a file that really lies in the folder."""
    said = {entry.key: entry.value for entry in tensor.external_data}
    file = folder / said.get("location", "")
    home = folder.resolve()
    if not file.resolve().is_relative_to(home) or not file.is_file():
        raise InputError(f"the weights in '{said.get('location', '')}' are no file beside the model and cannot be read")
    itemsize = _itemsize(tensor)
    offset, size = int(said.get("offset", "0")), prod(tensor.dims) * itemsize
    if offset < 0 or int(said.get("length", size)) != size or offset + size > file.stat().st_size:
        raise InputError(f"the weights of '{tensor.name}' cannot be read: '{file.name}' does not hold them")
    return _Place(tensor, file, offset, size)


def _itemsize(tensor: TensorProto) -> int:
    if tensor.data_type in {TensorProto.UNDEFINED, TensorProto.STRING, TensorProto.INT4, TensorProto.UINT4}:
        raise RefusedError(f"the weights of '{tensor.name}' are of a type that has no fixed width", hint="use float32")
    return int(np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize)
