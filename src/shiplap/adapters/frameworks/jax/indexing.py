"""Primitives that look numbers up by place."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.jax.elementwise import dtype_of
from shiplap.adapters.frameworks.jax.primitives import primitive
from shiplap.adapters.frameworks.jax.writer import Value, Writer
from shiplap.core.errors import RefusedError

__all__: list[str] = []


@primitive("dynamic_slice")
def _window(writer: Writer, equation: Any, value: Value, *starts: Value) -> Value:
    sizes = equation.params["slice_sizes"]
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        value = _part(writer, value, axis, start, (size, equation.invars[0].aval.shape[axis]))
    return value


def _part(writer: Writer, value: Value, axis: int, start: Value, sizes: tuple[Any, Any]) -> Value:
    """Take `size` of `whole` numbers from `start` on, moved inside where it would stand out, as XLA does."""
    size, whole = sizes
    if size == whole:
        return value
    if not (isinstance(size, int) and isinstance(whole, int)):
        raise RefusedError("the model takes some of the rows only", hint="keep the axis of the rows whole")
    if isinstance(start, str):
        wide = writer.op("Reshape", writer.cast(start, np.int64), np.array([1], np.int64))
        first: Value = writer.op("Clip", wide, np.array(0, np.int64), np.array(whole - size, np.int64))
        last: Value = writer.op("Add", first, np.array([size], np.int64))
    else:
        place = min(max(int(np.asarray(start).reshape(())), 0), whole - size)
        first, last = np.array([place], np.int64), np.array([place + size], np.int64)
    return writer.op("Slice", value, first, last, np.array([axis], np.int64))


@primitive("gather")
def _gather(writer: Writer, equation: Any, value: Value, indices: Value) -> Value:
    numbers = equation.params["dimension_numbers"]
    source, places = (variable.aval.shape for variable in equation.invars)
    if len(places) == 1:
        return _one_window(writer, equation, value, indices)
    sizes = equation.params["slice_sizes"]
    mapped = [int(axis) for axis in numbers.start_index_map]
    if len(mapped) == 1 and tuple(numbers.collapsed_slice_dims) == tuple(mapped) and sizes[mapped[0]] == 1:
        whole = all(sizes[axis] == size for axis, size in enumerate(source) if axis != mapped[0])
        if whole and not numbers.operand_batching_dims:
            return _along(writer, equation, value, indices)
        if _by_element(numbers, source, places, mapped[0]) and all(size == 1 for size in sizes):
            return _elements(writer, equation, value, indices)
    raise RefusedError(
        "the model looks numbers up by several axes at once",
        hint="look up along one axis with jnp.take or jnp.take_along_axis",
    )


def _one_window(writer: Writer, equation: Any, value: Value, indices: Value) -> Value:
    """Take one window, such as ``x[:, -1]``."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    source = equation.invars[0].aval.shape
    for place, axis in enumerate(numbers.start_index_map):
        start: Value
        if isinstance(indices, str):
            _refuse_filling(equation)
            start = writer.op("Slice", indices, np.array([place]), np.array([place + 1]))
        else:
            start = indices[place]
            if isinstance(source[axis], int) and not 0 <= int(start) <= source[axis] - sizes[axis]:
                _refuse_filling(equation)
        value = _part(writer, value, int(axis), start, (sizes[axis], source[axis]))
    return writer.reshape(value, equation.outvars[0].aval.shape)


def _refuse_filling(equation: Any) -> None:
    if "FILL" in str(equation.params["mode"]):
        raise RefusedError(
            "the model looks up a part that may stand out of its array, filled with NaN where it does",
            hint="index with mode='clip', or with places that are known beforehand",
        )


def _along(writer: Writer, equation: Any, value: Value, indices: Value) -> Value:
    """Look up whole slices along one axis, as ``jnp.take`` and embeddings do."""
    numbers = equation.params["dimension_numbers"]
    axis = int(numbers.start_index_map[0])
    size = equation.invars[0].aval.shape[axis]
    shape = equation.outvars[0].aval.shape
    places = writer.reshape(indices, equation.invars[1].aval.shape[:-1])
    looked = writer.op("Gather", value, _inside(writer, equation, places, size), axis=axis)
    # ONNX puts the axes of the places where the axis was; XLA where `offset_dims` leaves room.
    kept = [int(place) for place in numbers.offset_dims]
    free = [place for place in range(len(shape)) if place not in kept]
    order = np.argsort([*kept[:axis], *free, *kept[axis:]]).tolist()
    spread = [shape[place] if place in free else 1 for place in range(len(shape))]
    return _filled(writer, equation, writer.transpose(looked, order), (places, size, spread))


def _by_element(numbers: Any, source: Any, places: Any, axis: int) -> bool:
    others = tuple(place for place in range(len(source)) if place != axis)
    return (
        tuple(numbers.operand_batching_dims) == others
        and tuple(numbers.start_indices_batching_dims) == others
        and len(places) == len(source) + 1
        and not numbers.offset_dims
    )


def _elements(writer: Writer, equation: Any, value: Value, indices: Value) -> Value:
    """Look up one number an index, as ``jnp.take_along_axis`` does."""
    axis = int(equation.params["dimension_numbers"].start_index_map[0])
    size = equation.invars[0].aval.shape[axis]
    shape = equation.outvars[0].aval.shape
    places = writer.reshape(indices, shape)
    looked = writer.op("GatherElements", value, _inside(writer, equation, places, size), axis=axis)
    return _filled(writer, equation, looked, (places, size, shape))


def _inside(writer: Writer, equation: Any, places: Value, size: int) -> Value:
    if not isinstance(places, str):
        return np.clip(places.astype(np.int64), 0, size - 1)
    wide = writer.cast(places, np.int64)
    return writer.op("Clip", wide, np.array(0, np.int64), np.array(size - 1, np.int64))


def _filled(writer: Writer, equation: Any, looked: Value, where: tuple[Value, int, Any]) -> Value:
    """Replace what was looked up beyond the array, where the mode says so."""
    places, size, spread = where
    if "FILL" not in str(equation.params["mode"]):
        return looked
    if not isinstance(places, str) and ((places >= 0) & (places < size)).all():
        return looked
    dtype = dtype_of(equation.outvars[0])
    filler = equation.params["fill_value"]
    if filler is None:
        raise RefusedError(
            "the model fills what it looks up beyond an array by rules of its own", hint="clip the index"
        )
    index = dtype_of(equation.invars[1])
    low = writer.op("GreaterOrEqual", places, np.zeros((), index))
    known = writer.op("And", low, writer.op("Less", places, np.array(size, index)))
    return writer.op("Where", writer.reshape(known, spread), looked, np.array(filler, dtype))
