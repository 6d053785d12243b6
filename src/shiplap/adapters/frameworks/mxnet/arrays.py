"""Read MXNet's ``.params`` files: a list of named arrays, in each of the forms that versions 0.x to 1.9 wrote.

The file is numbers only; what is read is a length, a shape or a type number, each held against its limits before
memory is taken for it.
"""

from __future__ import annotations

import struct
from math import prod
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import InputError

__all__ = ["read_arrays"]

_LIST = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_DENSE = 0
_MOST_ARRAYS, _MOST_AXES, _LONGEST_NAME = 1_000_000, 32, 4_096
_TYPES: dict[int, Any] = {
    0: np.float32,
    1: np.float64,
    2: np.float16,
    3: np.uint8,
    4: np.int32,
    5: np.int8,
    6: np.int64,
    7: np.bool_,
    8: np.int16,
    9: np.uint16,
    10: np.uint32,
    11: np.uint64,
    12: ml_dtypes.bfloat16,
}


class _Reader:
    """Takes one thing after the other from the file, and never beyond its end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + form)
        self.require(size)
        values = struct.unpack_from("<" + form, self._content, self._at)
        self._at += size
        return values

    def one(self, form: str) -> int:
        return int(self.take(form)[0])

    def block(self, size: int) -> memoryview:
        self.require(size)
        self._at += size
        return memoryview(self._content)[self._at - size : self._at]

    def require(self, size: int) -> None:
        if size > len(self._content) - self._at:
            raise _broken("it ends too early")

    @property
    def ended(self) -> bool:
        return self._at == len(self._content)


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of a ``.params`` file by name, without the prefixes ``arg:`` and ``aux:``.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    InputError
        It is no ``.params`` file, breaks off, has bytes after its end, or holds sparse arrays.

    Examples
    --------
    >>> read_arrays(struct.pack("<QQQQ", 0x112, 0, 0, 0))
    {}
    """
    reader = _Reader(content)
    if len(content) < 8 or reader.one("Q") != _LIST:
        raise InputError("this is no MXNet .params file", hint="such files are made by save_checkpoint or export")
    reader.one("Q")
    arrays = [_array(reader) for _ in range(_count(reader))]
    names = [_name(reader) for _ in range(_count(reader))]
    if len(names) != len(arrays):
        raise _broken(f"it holds {len(arrays)} arrays and {len(names)} names")
    plain = [name.removeprefix("arg:").removeprefix("aux:") for name in names]
    if len(set(plain)) < len(plain) or not reader.ended:
        raise _broken("a name comes twice, or bytes follow its end")
    return dict(zip(plain, arrays, strict=True))


def _count(reader: _Reader) -> int:
    count = reader.one("Q")
    if count > _MOST_ARRAYS:
        raise _broken(f"it claims to hold {count:,} arrays")
    reader.require(count * 4)
    return count


def _name(reader: _Reader) -> str:
    size = reader.one("Q")
    if size > _LONGEST_NAME:
        raise _broken(f"a name has {size:,} bytes")
    try:
        return str(reader.block(size), "utf-8")
    except UnicodeDecodeError:
        raise _broken("a name is no text") from None


def _array(reader: _Reader) -> NDArray[Any]:
    magic = reader.one("I")
    if magic in {_V2, _V3} and reader.one("i") != _DENSE:
        raise InputError("the .params file holds a sparse array", hint="store it dense: array.tostype('default')")
    shape = _shape(reader, magic)
    if not shape and magic != _V3:
        return np.empty(0, np.float32)  # an array that was never given a shape
    reader.take("ii")  # the device it lay on
    number = reader.one("i")
    if number not in _TYPES:
        raise _broken(f"an array has the unknown type {number}")
    dtype = np.dtype(_TYPES[number])
    content = reader.block(prod(shape) * dtype.itemsize)
    return np.frombuffer(content, dtype=dtype.newbyteorder("<")).reshape(shape).astype(dtype, copy=True)


def _shape(reader: _Reader, magic: int) -> tuple[int, ...]:
    """Read a shape: the first version had no magic number and 32 bits an axis."""
    old = magic not in {_V1, _V2, _V3}
    n_axes = magic if old else reader.one("i")
    if not 0 <= n_axes <= _MOST_AXES:
        raise _broken(f"an array has {n_axes} axes")
    shape = reader.take(f"{n_axes}{'I' if old else 'q'}")
    if min(shape, default=0) < 0:
        raise _broken("an array has an axis of negative length")
    return shape


def _broken(what: str) -> InputError:
    return InputError(f"the .params file is damaged: {what}", hint="copy it again from where it was made")
