"""Rows that a ship takes, made of its signature."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

from shiplap.core.signature import Field, Signature

__all__ = ["black", "example_row"]

_MOST_SHOWN = 64  # numbers of an array in an example


def example_row(signature: Signature) -> dict[str, Any]:
    """Return a row that is accepted: the examples of the signature, zeros for a small array, a black image.

    Examples
    --------
    >>> example_row(Signature(inputs=(Field(name="x", kind="tensor", shape=(2,)),), task="regression"))
    {'x': [0.0, 0.0]}
    """
    return {field.name: _example(field) for field in signature.inputs}


def black(size: int) -> str:
    """Return a PNG file of gray pixels, all of them black, as base64 text."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes((size + 1) * size))),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _example(field: Field) -> Any:
    if field.kind == "image":
        return black(8)
    if field.shape:
        return np.zeros(field.shape).tolist() if np.prod(field.shape) <= _MOST_SHOWN else None
    return field.example
