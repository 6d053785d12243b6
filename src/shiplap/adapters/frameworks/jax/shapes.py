"""Primitives that move numbers without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.jax.primitives import primitive
from shiplap.adapters.frameworks.jax.writer import Value, Writer
from shiplap.core.errors import RefusedError

__all__ = ["cut"]

_END = np.iinfo(np.int64).max


def cut(writer: Writer, value: Value, axis: int, start: int, stop: int, step: int = 1) -> Value:
    """Take a part of one axis."""
    bounds = (np.array([number], np.int64) for number in (start, stop, axis, step))
    return writer.op("Slice", value, *bounds)


@primitive("reshape")
def _reshape(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.reshape(value, equation.outvars[0].aval.shape)


@primitive("squeeze", "expand_dims")
def _squeeze(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.reshape(value, equation.outvars[0].aval.shape)


@primitive("transpose")
def _transpose(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.transpose(value, [int(axis) for axis in equation.params["permutation"]])


@primitive("broadcast_in_dim")
def _broadcast(writer: Writer, equation: Any, value: Value, *sizes: Value) -> Value:
    shape = equation.outvars[0].aval.shape
    source = equation.invars[0].aval.shape
    aligned: list[Any] = [1] * len(shape)
    for axis, size in zip(equation.params["broadcast_dimensions"], source, strict=True):
        aligned[axis] = size
    value = writer.reshape(value, aligned)
    if all(size == wanted for size, wanted in zip(aligned, shape, strict=True)):
        return value
    return writer.op("Expand", value, writer.dimensions(shape))


@primitive("concatenate")
def _concatenate(writer: Writer, equation: Any, *values: Value) -> Value:
    return writer.op("Concat", *values, axis=int(equation.params["dimension"]))


@primitive("stack")
def _stack(writer: Writer, equation: Any, *values: Value) -> Value:
    axis = int(equation.params["axis"])
    places = np.array([axis], np.int64)
    return writer.op("Concat", *(writer.op("Unsqueeze", value, places) for value in values), axis=axis)


@primitive("tile")
def _tile(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.op("Tile", value, np.array(equation.params["reps"], np.int64))


@primitive("dim_as_value")
def _count_of_rows(writer: Writer, equation: Any) -> Value:
    raise RefusedError(
        "the answer of a row depends on how many rows there are",
        hint="call model.eval(), so that batch normalization uses what it learned",
    )


@primitive("split")
def _split(writer: Writer, equation: Any, value: Value) -> tuple[Value, ...]:
    sizes = np.array(equation.params["sizes"], np.int64)
    return writer.ops("Split", (value, sizes), len(sizes), axis=int(equation.params["axis"]))


@primitive("slice")
def _slice(writer: Writer, equation: Any, value: Value) -> Value:
    params = equation.params
    source = equation.invars[0].aval.shape
    steps = params["strides"] or [1] * len(source)
    for axis, (start, stop, step) in enumerate(
        zip(params["start_indices"], params["limit_indices"], steps, strict=True)
    ):
        if isinstance(stop, int):
            if (start, stop, step) != (0, source[axis], 1):
                value = cut(writer, value, axis, int(start), stop, int(step))
        elif stop != source[axis] or start != 0 or step != 1:
            raise RefusedError("the model takes some of the rows only", hint="keep the axis of the rows whole")
    return value


@primitive("rev")
def _reverse(writer: Writer, equation: Any, value: Value) -> Value:
    for axis in equation.params["dimensions"]:
        value = cut(writer, value, int(axis), -1, -_END, -1)
    return value


@primitive("pad")
def _pad(writer: Writer, equation: Any, value: Value, filler: Value) -> Value:
    pads = [tuple(int(number) for number in axis) for axis in equation.params["padding_config"]]
    if any(between for _, _, between in pads):
        raise RefusedError("the model pads between numbers, which ONNX does not", hint="use a transposed convolution")
    for axis, (before, after, _) in enumerate(pads):
        if before < 0 or after < 0:
            value = cut(writer, value, axis, max(0, -before), min(0, after) or _END)
    amounts = np.array([max(0, pad[side]) for side in (0, 1) for pad in pads], np.int64)
    return writer.op("Pad", value, amounts, filler) if amounts.any() else value


@primitive("iota")
def _iota(writer: Writer, equation: Any, *sizes: Value) -> Value:
    aval = equation.outvars[0].aval
    axis = int(equation.params["dimension"])
    if not isinstance(aval.shape[axis], int):
        raise RefusedError("the model numbers the rows", hint="a row's answer must not depend on its place")
    counted = np.arange(aval.shape[axis], dtype=aval.dtype)
    aligned = [aval.shape[axis] if place == axis else 1 for place in range(len(aval.shape))]
    return writer.op("Expand", counted.reshape(aligned), writer.dimensions(aval.shape))
