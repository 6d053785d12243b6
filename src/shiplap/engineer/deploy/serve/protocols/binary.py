"""The binary tensor extension of the Open Inference Protocol v2, which Triton's clients speak unless told otherwise.

A body is a JSON object, as long as ``Inference-Header-Content-Length`` says, and then the tensors that have a
``binary_data_size`` instead of ``data``, one behind the other: numbers in little-endian order, booleans as a byte each,
every element of ``BYTES`` behind its length in four bytes. NaN is a missing value, as it is in a table. An output comes
the same way where it is asked for with ``binary_data``, or where ``binary_data_output`` asks for all of them.

References
----------
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.tensors import Tensor

__all__ = ["BINARY", "HEADER", "fill", "json_length", "packed", "unpacked"]

BINARY = "application/octet-stream"
HEADER = "Inference-Header-Content-Length"
_DTYPES = {
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
}


def json_length(headers: Mapping[str, str], n_bytes: int) -> int | None:
    """Return how long the JSON object of a body of `n_bytes` is; None where the whole body is JSON.

    Raises
    ------
    ProblemError
        400: the header is no length, or longer than the body.

    Examples
    --------
    >>> json_length({"inference-header-content-length": "3"}, 11), json_length({}, 11)
    (3, None)
    """
    told = headers.get(HEADER.lower())
    if told is None:
        return None
    if not (told.isascii() and told.isdigit() and len(told) < 16 and int(told) <= n_bytes):
        raise ProblemError(400, f"{HEADER} is no length in the body", field=HEADER, value=told, expected=f"0-{n_bytes}")
    return int(told)


def fill(tensors: Sequence[Tensor], rest: bytes, images: Container[str]) -> None:
    """Give tensors that came as bytes their data.

    Parameters
    ----------
    tensors : sequence of Tensor
        All tensors of a request, in order.
    rest : bytes
        What follows the JSON object.
    images : container of str
        Tensors whose texts are files: they become base64.

    Raises
    ------
    ProblemError
        400: the sizes do not add up to what follows. 422: a tensor has no data, or bytes that are none of its datatype.
    """
    at = 0
    for tensor in tensors:
        size = (tensor.parameters or {}).get("binary_data_size")
        if size is None:
            if tensor.data is None:
                raise ProblemError(422, f"input '{tensor.name}' has no data", field=tensor.name)
            continue
        if type(size) is not int or not 0 <= size <= len(rest) - at:
            detail = f"input '{tensor.name}' has a binary_data_size that does not fit the body"
            raise ProblemError(400, detail, field=tensor.name, value=str(size), expected=f"0-{len(rest) - at}")
        tensor.data = unpacked(tensor, rest[at : at + size], files=tensor.name in images)
        at += size
    if at != len(rest):
        raise ProblemError(400, f"{len(rest) - at} bytes follow that are of no tensor", hint="see binary_data_size")


def packed(datatype: str, data: Sequence[Any]) -> bytes:
    """Return the bytes of a tensor.

    Examples
    --------
    >>> packed("FP32", [1.0]), packed("BYTES", ["né"]), packed("BOOL", [True, False])
    (b'\\x00\\x00\\x80?', b'\\x03\\x00\\x00\\x00n\\xc3\\xa9', b'\\x01\\x00')
    """
    if datatype == "BYTES":
        texts = [text.encode() for text in data]
        return b"".join(part for text in texts for part in (struct.pack("<I", len(text)), text))
    return np.asarray(data, dtype="?" if datatype == "BOOL" else _DTYPES[datatype]).tobytes()


def unpacked(tensor: Tensor, piece: bytes, *, files: bool) -> list[Any]:
    """Return the values of a tensor from its bytes; `files` says that its texts are to become base64.

    Raises
    ------
    ProblemError
        422: these are no bytes of its datatype.

    Examples
    --------
    >>> unpacked(Tensor("age", [1], "FP32"), packed("FP32", [41.5]), files=False)
    [41.5]
    """
    if tensor.datatype == "BYTES":
        return _texts(tensor.name, piece, files=files)
    dtype = np.dtype("u1" if tensor.datatype == "BOOL" else _DTYPES.get(tensor.datatype, "u1"))
    if len(piece) % dtype.itemsize:
        detail = f"input '{tensor.name}' has {len(piece)} bytes, no whole number of {tensor.datatype}"
        raise ProblemError(422, detail, field=tensor.name)
    values: list[Any] = np.frombuffer(piece, dtype).tolist()
    return [value != 0 for value in values] if tensor.datatype == "BOOL" else values


def _texts(name: str, piece: bytes, *, files: bool) -> list[str]:
    texts: list[str] = []
    at = 0
    while at < len(piece):
        size = int.from_bytes(piece[at : at + 4], "little")
        at += 4
        if at + size > len(piece):
            raise ProblemError(422, f"input '{name}' ends within an element", row=len(texts), field=name)
        text = piece[at : at + size]
        at += size
        try:
            texts.append(base64.b64encode(text).decode() if files else text.decode())
        except UnicodeDecodeError as error:
            raise ProblemError(422, f"input '{name}' is not UTF-8", row=len(texts), field=name) from error
    return texts
