"""Decode Universal Binary JSON, as XGBoost writes it; XGBoost's own decoder trusts the lengths that a file states.

The format is specified at https://ubjson.org; XGBoost's dialect has 64-bit lengths and typed arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["decode"]

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_DEEPEST = 64
_MARKS: dict[str, Any] = {"T": True, "F": False, "Z": None}


def decode(content: bytes) -> Any:
    """Decode a whole document.

    Raises
    ------
    ValueError
        It ends early, goes on after its end, nests too deep, or has an unknown mark.

    Examples
    --------
    >>> decode(b"{i" + bytes([1]) + b"a[$U#i" + bytes([2, 7, 9]) + b"}")
    {'a': [7, 9]}
    """
    reader = _Reader(content)
    found = reader.value(reader.mark(), 0)
    if reader.place != len(content):
        raise ValueError("there is more behind its end")
    return found


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def take(self, count: int) -> bytes:
        if count < 0 or count > len(self.content) - self.place:
            raise ValueError("it ends before what it says it holds")
        self.place += count
        return self.content[self.place - count : self.place]

    def mark(self) -> str:
        return chr(self.take(1)[0])

    def value(self, mark: str, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("it nests too deep")
        if mark in _MARKS:
            return _MARKS[mark]
        if mark in _NUMBERS:
            return self.numbers(mark, 1)[0]
        if mark == "S":
            return self.take(self.length()).decode()
        if mark == "C":
            return self.take(1).decode()
        if mark == "[":
            return self.array(depth)
        if mark == "{":
            return self.object(depth)
        raise ValueError(f"it has an unknown mark at byte {self.place - 1}")

    def numbers(self, mark: str, count: int) -> list[Any]:
        kind = np.dtype(_NUMBERS[mark])
        found: list[Any] = np.frombuffer(self.take(count * kind.itemsize), kind).tolist()
        return found

    def length(self) -> int:
        mark = self.mark()
        if mark not in "iUIlL":
            raise ValueError("it has a length that is no whole number")
        return int(self.numbers(mark, 1)[0])

    def array(self, depth: int) -> list[Any]:
        mark = self.mark()
        if mark == "$":
            kind, hash_mark, count = self.mark(), self.mark(), self.length()
            if kind not in _NUMBERS or hash_mark != "#":
                raise ValueError("it has an array of an unknown type")
            return self.numbers(kind, count)
        if mark == "#":
            return [self.value(self.mark(), depth + 1) for _ in range(self.length())]
        found = []
        while mark != "]":
            found.append(self.value(mark, depth + 1))
            mark = self.mark()
        return found

    def object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.content[self.place : self.place + 1] != b"}":
            name = self.take(self.length()).decode()
            found[name] = self.value(self.mark(), depth + 1)
        self.take(1)
        return found
