"""`Traffic`: what a ship was asked and answered in a while, as sketches; packed, and added up over workers and time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add

import msgspec
import numpy as np

from shiplap.core.errors import StoreError
from shiplap.methods.sketches import Scale, Sketch

__all__ = ["Traffic", "merge_packed", "pack", "unpack"]

Sketches = dict[str, Sketch]


@dataclass(frozen=True, kw_only=True, eq=False)
class Traffic:
    """Sketches of rows and of answers.

    Parameters
    ----------
    inputs : dict of str to Sketch
        By feature: the name of a column, or ``column:part`` for the parts of a date.
    outputs : dict of str to Sketch
        Probability or score of each class, or each number, by name.
    answers : dict of str to Sketch
        Codes of the answers, as ``label`` and ``decision``; empty where nothing is named or decided.

    Examples
    --------
    >>> from shiplap.methods.sketches import sketch_numbers
    >>> hour = Traffic(inputs={"age": sketch_numbers(np.array([41.0]))})
    >>> both = hour + unpack(pack(hour))
    >>> both.inputs["age"].rows, both.inputs["age"].mean
    (2, 41.0)
    """

    inputs: Sketches = field(default_factory=dict)
    outputs: Sketches = field(default_factory=dict)
    answers: Sketches = field(default_factory=dict)

    def __add__(self, other: Traffic) -> Traffic:
        """Return the traffic of both; what one of them does not know is that of the other."""
        return Traffic(
            inputs=_added(self.inputs, other.inputs),
            outputs=_added(self.outputs, other.outputs),
            answers=_added(self.answers, other.answers),
        )


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    scale: Scale
    rows: int
    missing: int
    unseen: int
    finite: int
    mean: float
    squares: float
    low: float
    high: float
    shift: int
    zeros: int  # trailing bits that no key has: whole numbers have many
    first: int
    steps: list[int]  # from key to key: short numbers, which take a byte or two
    counts: list[int]


_BITS = 64
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(tuple[dict[str, _Packed], ...])


def pack(traffic: Traffic) -> bytes:
    """Return traffic as bytes (MessagePack)."""
    parts = (traffic.inputs, traffic.outputs, traffic.answers)
    return _encode([{name: _packed(sketch) for name, sketch in part.items()} for part in parts])


def unpack(data: bytes) -> Traffic:
    """Return the traffic in `data`; raises ``StoreError`` where it is none."""
    try:
        parts = _decoder.decode(data)
        inputs, outputs, answers = ({name: _unpacked(packed) for name, packed in part.items()} for part in parts)
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise StoreError(f"these are no sketches of traffic: {error}") from error
    return Traffic(inputs=inputs, outputs=outputs, answers=answers)


def merge_packed(many: Iterable[bytes]) -> bytes:
    """Return what `pack` gives of all of them together; at least one is expected."""
    return pack(reduce(add, map(unpack, many)))


def _added(one: Mapping[str, Sketch], other: Mapping[str, Sketch]) -> Sketches:
    both = {name: sketch + other[name] for name, sketch in one.items() if name in other}
    return {**one, **other, **both}


def _packed(sketch: Sketch) -> _Packed:
    common = int(np.bitwise_or.reduce(sketch.keys)) if len(sketch.keys) else 0
    zeros = (common & -common).bit_length() - 1 if common else 0
    keys = sketch.keys >> zeros
    return _Packed(
        sketch.scale,
        sketch.rows,
        sketch.missing,
        sketch.unseen,
        sketch.finite,
        sketch.mean,
        sketch.squares,
        sketch.low,
        sketch.high,
        sketch.shift,
        zeros,
        int(keys[0]) if len(keys) else 0,
        np.diff(keys).tolist(),
        sketch.counts.tolist(),
    )


def _unpacked(packed: _Packed) -> Sketch:
    counts = np.array(packed.counts, np.int64)
    if not 0 <= packed.zeros < _BITS:
        raise ValueError(f"{packed.zeros} bits are not there to be shifted")
    keys = np.cumsum(np.array([packed.first, *packed.steps], np.int64)) << packed.zeros if len(counts) else counts
    if len(keys) != len(counts):
        raise ValueError("bins and counts do not agree")
    return Sketch(
        scale=packed.scale,
        rows=packed.rows,
        missing=packed.missing,
        unseen=packed.unseen,
        finite=packed.finite,
        mean=packed.mean,
        squares=packed.squares,
        low=packed.low,
        high=packed.high,
        shift=packed.shift,
        keys=keys,
        counts=counts,
    )
