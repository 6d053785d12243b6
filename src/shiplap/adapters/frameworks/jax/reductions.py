"""Primitives that sum up, compare or order along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.jax.elementwise import dtype_of
from shiplap.adapters.frameworks.jax.primitives import PRIMITIVES, Emit, primitive
from shiplap.adapters.frameworks.jax.shapes import cut
from shiplap.adapters.frameworks.jax.writer import Value, Writer
from shiplap.core.errors import RefusedError

__all__ = ["own_row_only"]

_REDUCTIONS = {
    "reduce_sum": "ReduceSum",
    "reduce_max": "ReduceMax",
    "reduce_min": "ReduceMin",
    "reduce_prod": "ReduceProd",
}


def own_row_only(equation: Any, axes: Any) -> None:
    """Refuse an equation that mixes rows.

    Raises
    ------
    RefusedError
        One of the axes is that of the rows.
    """
    shape = equation.invars[0].aval.shape
    if not all(isinstance(shape[axis], int) for axis in axes):
        raise RefusedError(
            f"the answer of a row depends on the rows beside it: {equation.primitive.name} along the axis of the rows",
            hint="call model.eval(), so that batch normalization uses what it learned",
        )


def _reduction(operator: str) -> Emit:
    def emit(writer: Writer, equation: Any, value: Value) -> Value:
        axes = [int(axis) for axis in equation.params["axes"]]
        own_row_only(equation, axes)
        return writer.op(operator, value, np.array(axes, np.int64), keepdims=0)

    return emit


PRIMITIVES.update({name: _reduction(operator) for name, operator in _REDUCTIONS.items()})


@primitive("reduce_and", "reduce_or")
def _all_or_any(writer: Writer, equation: Any, value: Value) -> Value:
    axes = [int(axis) for axis in equation.params["axes"]]
    own_row_only(equation, axes)
    operator = "ReduceMin" if equation.primitive.name == "reduce_and" else "ReduceMax"
    counted = writer.op(operator, writer.cast(value, np.int32), np.array(axes, np.int64), keepdims=0)
    return writer.cast(counted, np.bool_)


@primitive("argmax", "argmin")
def _place_of_best(writer: Writer, equation: Any, value: Value) -> Value:
    own_row_only(equation, equation.params["axes"])
    operator = "ArgMax" if equation.primitive.name == "argmax" else "ArgMin"
    if dtype_of(equation.invars[0]) == np.bool_:
        value = writer.cast(value, np.int32)
    place = writer.op(operator, value, axis=int(equation.params["axes"][0]), keepdims=0)
    return writer.cast(place, equation.params["index_dtype"])


@primitive("cumsum")
def _running_sum(writer: Writer, equation: Any, value: Value) -> Value:
    axis = int(equation.params["axis"])
    own_row_only(equation, [axis])
    return writer.op("CumSum", value, np.array(axis, np.int64), reverse=int(equation.params["reverse"]))


@primitive("sort")
def _sorted(writer: Writer, equation: Any, *values: Value) -> tuple[Value, ...]:
    axis = int(equation.params["dimension"])
    own_row_only(equation, [axis])
    if equation.params["num_keys"] != 1:
        raise RefusedError("the model sorts by several keys at once", hint="sort by one key")
    size = np.array([equation.invars[0].aval.shape[axis]], np.int64)
    first, places = writer.ops("TopK", (values[0], size), 2, axis=axis, largest=0, sorted=1)
    return first, *(writer.op("GatherElements", value, places, axis=axis) for value in values[1:])


@primitive("top_k")
def _largest(writer: Writer, equation: Any, value: Value) -> tuple[Value, ...]:
    axis = int(equation.params.get("axis", -1)) % len(equation.invars[0].aval.shape)
    own_row_only(equation, [axis])
    size = np.array([equation.params["k"]], np.int64)
    best, places = writer.ops("TopK", (value, size), 2, axis=axis, largest=1, sorted=1)
    return best, writer.cast(places, dtype_of(equation.outvars[1]))


@primitive("reduce_window_max", "reduce_window_min", "reduce_window_sum")
def _pooled(writer: Writer, equation: Any, value: Value) -> Value:
    """Pool over windows: the two axes that no window spans stand where ONNX has rows and channels."""
    params = equation.params
    window = [int(size) for size in params["window_dimensions"]]
    whole = [
        axis
        for axis, size in enumerate(window)
        if size == 1 and params["window_strides"][axis] == 1 and not any(params["padding"][axis])
    ][:2]
    if any(size != 1 for size in params["base_dilation"]) or (whole[:1] != [0]) or len(window) > 5:
        raise RefusedError("the model pools in a way that ONNX does not", hint="pool over one to three axes of a row")
    spatial = [axis for axis in range(len(window)) if axis not in whole]
    order = [*whole, *spatial]
    pads = [int(params["padding"][axis][side]) for side in (0, 1) for axis in spatial]
    shapes = {
        "kernel_shape": [window[axis] for axis in spatial],
        "strides": [int(params["window_strides"][axis]) for axis in spatial],
        "pads": pads,
    }
    dilations = [int(params["window_dilation"][axis]) for axis in spatial]
    moved = writer.transpose(value, order)
    if len(whole) == 1:
        moved = writer.op("Unsqueeze", moved, np.array([1], np.int64))
    pooled = _pool(writer, equation, moved, shapes, dilations)
    if len(whole) == 1:
        pooled = writer.op("Squeeze", pooled, np.array([1], np.int64))
    return writer.transpose(pooled, np.argsort(order).tolist())


def _pool(writer: Writer, equation: Any, value: Value, shapes: dict[str, Any], dilations: list[int]) -> Value:
    name = equation.primitive.name
    if name == "reduce_window_max":
        return writer.op("MaxPool", value, dilations=dilations, **shapes)
    if name == "reduce_window_min":
        return writer.op("Neg", writer.op("MaxPool", writer.op("Neg", value), dilations=dilations, **shapes))
    if set(dilations) != {1}:
        raise RefusedError("the model sums over windows with gaps", hint="use windows without dilation")
    # A sum is the mean times the size of the window; both are exact to one rounding.
    mean = writer.op("AveragePool", value, count_include_pad=1, **shapes)
    size = np.array(np.prod(shapes["kernel_shape"]), dtype_of(equation.invars[0]))
    return writer.op("Mul", mean, size)


@primitive("cumlogsumexp", "cummax", "cummin", "cumprod")
def _running(writer: Writer, equation: Any, value: Value) -> Value:
    """Build the running answer column by column; the axis is short."""
    axis = int(equation.params["axis"])
    own_row_only(equation, [axis])
    operator = {"cummax": "Max", "cummin": "Min", "cumprod": "Mul"}.get(equation.primitive.name)
    size = equation.invars[0].aval.shape[axis]
    if operator is None or size > 64:
        raise RefusedError(f"{equation.primitive.name} over {size} numbers has no ONNX form", hint="use jnp.cumsum")
    places = range(size)[::-1] if equation.params["reverse"] else range(size)
    parts: list[Value] = []
    for place in places:
        here = cut(writer, value, axis, place, place + 1)
        parts.append(writer.op(operator, parts[-1], here) if parts else here)
    return writer.op("Concat", *(parts[::-1] if equation.params["reverse"] else parts), axis=axis)
