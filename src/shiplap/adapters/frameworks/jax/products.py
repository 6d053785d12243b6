"""Matrix products and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.jax.elementwise import dtype_of
from shiplap.adapters.frameworks.jax.primitives import primitive
from shiplap.adapters.frameworks.jax.reductions import own_row_only
from shiplap.adapters.frameworks.jax.writer import Value, Writer
from shiplap.core.errors import RefusedError

__all__: list[str] = []


@primitive("dot_general")
def _product(writer: Writer, equation: Any, left: Value, right: Value) -> Value:
    """Order the axes as (shared, free, summed) x (shared, summed, free), and multiply matrices."""
    (sum_left, sum_right), (with_left, with_right) = equation.params["dimension_numbers"]
    own_row_only(equation, sum_left)
    shape_left, shape_right = (variable.aval.shape for variable in equation.invars)
    free_left = [axis for axis in range(len(shape_left)) if axis not in (*sum_left, *with_left)]
    free_right = [axis for axis in range(len(shape_right)) if axis not in (*sum_right, *with_right)]
    wanted = equation.params.get("preferred_element_type") or dtype_of(equation.outvars[0])
    left = left if wanted == dtype_of(equation.invars[0]) else writer.cast(left, wanted)
    right = right if wanted == dtype_of(equation.invars[1]) else writer.cast(right, wanted)
    shared = [shape_left[axis] for axis in with_left]
    summed = int(np.prod([shape_left[axis] for axis in sum_left], dtype=np.int64))
    width = _size(shape_right, free_right)
    right = _matrix(writer, right, (*with_right, *sum_right, *free_right), (*shared, summed, width), shape_right)
    if not shared and len(sum_left) == 1 and sum_left[0] == len(shape_left) - 1 and free_left:
        made = writer.op("MatMul", left, right)
        if len(free_right) == 1:
            return made
    else:
        rows = (*shared, _size(shape_left, free_left), summed)
        left = _matrix(writer, left, (*with_left, *free_left, *sum_left), rows, shape_left)
        made = writer.op("MatMul", left, right)
    return writer.reshape(made, equation.outvars[0].aval.shape)


def _size(shape: Any, axes: list[int]) -> Any:
    size: Any = 1
    for axis in axes:
        size = shape[axis] * size
    return size


def _matrix(writer: Writer, value: Value, order: Any, wanted: Any, shape: Any) -> Value:
    moved = writer.transpose(value, [int(axis) for axis in order])
    return moved if tuple(shape[axis] for axis in order) == tuple(wanted) else writer.reshape(moved, wanted)


@primitive("conv_general_dilated")
def _convolution(writer: Writer, equation: Any, value: Value, kernel: Value) -> Value:
    params = equation.params
    numbers = params["dimension_numbers"]
    if params["batch_group_count"] != 1:
        raise RefusedError("the model groups its convolution by rows", hint="group it by channels")
    value = writer.transpose(value, numbers.lhs_spec)
    kernel = writer.transpose(kernel, numbers.rhs_spec)
    pads = [int(pad[side]) for side in (0, 1) for pad in params["padding"]]
    if any(step != 1 for step in params["lhs_dilation"]):
        made = _transposed(writer, equation, value, kernel)
    else:
        if min(pads) < 0:
            raise RefusedError("the model's convolution leaves out the border", hint="slice its input instead")
        made = writer.op(
            "Conv",
            value,
            kernel,
            pads=pads,
            strides=[int(step) for step in params["window_strides"]],
            dilations=[int(step) for step in params["rhs_dilation"]],
            group=int(params["feature_group_count"]),
        )
    return writer.transpose(made, np.argsort(numbers.out_spec).tolist())


def _transposed(writer: Writer, equation: Any, value: Value, kernel: Value) -> Value:
    """Write a convolution over a widened input as the transposed convolution it is: its kernel mirrored."""
    params = equation.params
    sizes = [equation.invars[1].aval.shape[axis] for axis in params["dimension_numbers"].rhs_spec[2:]]
    gaps = [int(step) for step in params["rhs_dilation"]]
    reach = [gap * (size - 1) for gap, size in zip(gaps, sizes, strict=True)]
    pads = [reach[axis] - int(pad[side]) for side in (0, 1) for axis, pad in enumerate(params["padding"])]
    plain = params["feature_group_count"] == 1 and all(step == 1 for step in params["window_strides"])
    if not plain or isinstance(kernel, str):
        raise RefusedError("the model's transposed convolution has groups or strides", hint="use one group")
    extra = [max(0, -pads[axis + len(sizes)]) for axis in range(len(sizes))]
    if min(pads[: len(sizes)]) < 0:
        raise RefusedError("the model's transposed convolution pads beyond its kernel", hint="pad its output instead")
    mirrored = np.ascontiguousarray(np.flip(kernel, tuple(range(2, kernel.ndim))).swapaxes(0, 1))
    return writer.op(
        "ConvTranspose",
        value,
        mirrored,
        pads=[max(0, pad) for pad in pads],
        strides=[int(step) for step in params["lhs_dilation"]],
        dilations=gaps,
        output_padding=extra,
    )
