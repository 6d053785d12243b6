"""TensorFlow's ``TensorProto`` and ``Example``: from them to tensors and rows, and back.

Values come by type (``float_val``, ``string_val`` ...), or all of a tensor as bytes (``tensor_content``). Where fewer
come than the shape has, the last one stands for the rest, as in TensorFlow.

References
----------
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/tensor.proto
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto
"""

from __future__ import annotations

import base64
from math import prod
from typing import Any

import numpy as np

from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.binary import unpacked
from shiplap.engineer.deploy.serve.protocols.tensors import Shape, Tensor, Tensors
from shiplap.engineer.deploy.serve.rpc.library import message
from shiplap.engineer.deploy.serve.rpc.work import MOST_DIMENSIONS, Row, claimed

__all__ = ["fill", "row_of", "tensor_info", "tensor_of", "tensor_proto"]

_Tensor = message("tensorflow.TensorProto")
_DATATYPES = {  # TensorFlow's type: ours, and where values by type stand
    "DT_FLOAT": ("FP32", "float_val"),
    "DT_DOUBLE": ("FP64", "double_val"),
    "DT_HALF": ("FP16", "half_val"),
    "DT_INT8": ("INT8", "int_val"),
    "DT_INT16": ("INT16", "int_val"),
    "DT_INT32": ("INT32", "int_val"),
    "DT_INT64": ("INT64", "int64_val"),
    "DT_UINT8": ("UINT8", "int_val"),
    "DT_UINT16": ("UINT16", "int_val"),
    "DT_UINT32": ("UINT32", "uint32_val"),
    "DT_UINT64": ("UINT64", "uint64_val"),
    "DT_BOOL": ("BOOL", "bool_val"),
    "DT_STRING": ("BYTES", "string_val"),
}
_TYPES = {ours: (_Tensor(dtype=name).dtype, field) for name, (ours, field) in _DATATYPES.items()}
_OURS = {number: (ours, field) for ours, (number, field) in _TYPES.items()}


def tensor_of(name: str, sent: Any) -> Tensor:
    """Return what a ``TensorProto`` claims to be; `fill` gives it its values.

    Raises
    ------
    ProblemError
        422: its type is none that a column can have.
    """
    if sent.dtype not in _OURS:
        expected = ", ".join(_DATATYPES)
        raise ProblemError(422, f"input '{name}' has an unknown type", field=name, value=sent.dtype, expected=expected)
    return Tensor(name, [each.size for each in sent.tensor_shape.dim[:MOST_DIMENSIONS]], _OURS[sent.dtype][0])


def fill(tensor: Tensor, sent: Any, tensors: Tensors) -> None:
    """Give a tensor its values; raises ``ProblemError`` (422)."""
    files = tensor.name in tensors.images
    if sent.tensor_content:
        if tensor.datatype == "BYTES":
            raise ProblemError(422, f"the texts of input '{tensor.name}' are expected in string_val", field=tensor.name)
        tensor.data = unpacked(tensor, sent.tensor_content, files=files)
        return
    values = list(getattr(sent, _OURS[sent.dtype][1]))
    if tensor.datatype == "FP16":
        values = np.array(values, dtype=np.int64).astype(np.uint16).view(np.float16).tolist()
    if tensor.datatype == "BYTES":
        values = [_text(tensor.name, value, files=files) for value in values]
    size, most = claimed([tensor.shape]), tensors.model.limits.rows * prod(tensors.inner.get(tensor.name, ()))
    if values and 0 < len(values) < size <= most:
        values += values[-1:] * (size - len(values))
    tensor.data = values


def tensor_proto(tensor: Tensor) -> Any:
    """Return a tensor as a ``TensorProto``."""
    dtype, field = _TYPES[tensor.datatype]
    told = _Tensor(dtype=dtype, tensor_shape={"dim": [{"size": size} for size in tensor.shape]})
    data = tensor.data or []
    getattr(told, field).extend([text.encode() for text in data] if tensor.datatype == "BYTES" else data)
    return told


def tensor_info(shape: Shape) -> dict[str, Any]:
    """Return what a tensor looks like, as the fields of a ``TensorInfo``."""
    sizes = [{"size": size} for size in shape.shape]
    return {"name": shape.name, "dtype": _TYPES[shape.datatype][0], "tensor_shape": {"dim": sizes}}


def row_of(example: Any, tensors: Tensors) -> Row:
    """Return an ``Example`` as a row: a list of one value is that value, an empty one is missing.

    Raises
    ------
    ProblemError
        422: texts that are not UTF-8, or an array that has not the shape of the input.
    """
    return {name: _value(name, feature, tensors) for name, feature in example.features.feature.items()}


def _value(name: str, feature: Any, tensors: Tensors) -> Any:
    kind = feature.WhichOneof("kind")
    values = [] if kind is None else list(getattr(feature, kind).value)
    if kind == "bytes_list":
        values = [_text(name, value, files=name in tensors.images) for value in values]
    shape = tensors.inner.get(name, ())
    if shape:
        if len(values) != prod(shape):
            detail = f"column '{name}' has {len(values)} values where its shape says {prod(shape)}"
            raise ProblemError(422, detail, field=name, expected=str(list(shape)))
        return np.array(values, dtype=object).reshape(shape).tolist()
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def _text(name: str, value: bytes, *, files: bool) -> str:
    if files:
        return base64.b64encode(value).decode()
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise ProblemError(422, f"input '{name}' is not UTF-8", field=name) from error
