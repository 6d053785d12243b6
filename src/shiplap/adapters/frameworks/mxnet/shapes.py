"""Operators that move numbers without changing them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from onnx import helper

from shiplap.adapters.frameworks.mxnet.network import BATCH, Network
from shiplap.adapters.frameworks.mxnet.operators import operator
from shiplap.adapters.frameworks.mxnet.symbol import Node

_END = np.iinfo(np.int64).max
_START = np.iinfo(np.int64).min
_LARGEST = 2**28


@operator("Flatten", "flatten", "_npx_batch_flatten")
def flatten(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write everything after the first axis as one row."""
    return network.op("Flatten", inputs[0], axis=1)


@operator("Reshape", "reshape")
def reshape(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a new shape, given in MXNet's codes."""
    if any(node.sizes("target_shape", ())) or node.flag("keep_highest"):
        raise node.refuse("names its 'target_shape'", hint="give 'shape' instead")
    shape = network.shape(inputs[0])
    codes = node.sizes("shape")
    found = _coded(node, shape, codes, backward=node.flag("reverse"))
    return _reshaped(node, network, inputs[0], found)


def _reshaped(node: Node, network: Network, data: str, shape: Sequence[int]) -> str:
    target = network.sizes(shape)
    value = network.value(target)
    if value is not None and (value == -1).sum() > 1:
        raise node.refuse(f"makes several axes of the batch: {tuple(shape)}")
    return network.op("Reshape", data, target)


def _coded(node: Node, shape: tuple[int, ...], codes: tuple[int, ...], *, backward: bool) -> list[int]:
    """Turn codes into lengths: 0 keeps an axis, -1 is what remains, -2 keeps the rest, -3 joins two, -4 splits one."""
    given, wanted = (list(shape[::-1]), list(codes[::-1])) if backward else (list(shape), list(codes))
    found: list[int] = []
    at = place = 0
    try:
        while place < len(wanted):
            code = wanted[place]
            if backward and place + 2 < len(wanted) and wanted[place + 2] == -4:
                found += _split(given[at], wanted[place + 1], wanted[place])[::-1]
                at, place = at + 1, place + 2
            elif code == -4:
                found += _split(given[at], wanted[place + 1], wanted[place + 2])
                at, place = at + 1, place + 2
            elif code == -3:
                found.append(given[at] * given[at + 1])
                at += 2
            elif code == -2:
                found += given[at:]
                at = len(given)
            else:
                found.append(given[at] if code == 0 else code)
                at += 1 if code >= 0 or at < len(given) else 0
            place += 1
    except IndexError:
        raise node.refuse(f"cannot bring the shape {shape} into {codes}") from None
    if found.count(-1) == 1:
        rest = prod(length for length in found if length != -1)
        found[found.index(-1)] = prod(shape) // rest if rest else 0
    if prod(found) != prod(shape):
        raise node.refuse(f"cannot bring the shape {shape} into {codes}")
    return found[::-1] if backward else found


def _split(length: int, first: int, second: int) -> list[int]:
    return [length // second if first == -1 else first, length // first if second == -1 else second]


@operator("reshape_like")
def reshape_like(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the shape of another tensor."""
    if any(node.text(key, None) for key in ("lhs_begin", "lhs_end", "rhs_begin", "rhs_end")):
        raise node.refuse("takes a part of the shape")
    return _reshaped(node, network, inputs[0], network.shape(inputs[1]))


@operator("transpose", "_np_transpose")
def transpose(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write another order of the axes, the reverse one where none is given."""
    n_axes = len(network.shape(inputs[0]))
    return network.op("Transpose", inputs[0], perm=list(node.sizes("axes", ()) or range(n_axes)[::-1]))


@operator("SwapAxis", "swapaxes")
def swap_axes(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write two axes exchanged."""
    order = list(range(len(network.shape(inputs[0]))))
    one, other = (network.axis(inputs[0], node.integer(key, 0)) for key in ("dim1", "dim2"))
    order[one], order[other] = other, one
    return network.op("Transpose", inputs[0], perm=order)


@operator("expand_dims")
def expand_dims(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write one more axis of length 1."""
    return network.op("Unsqueeze", inputs[0], network.sizes([node.integer("axis")]))


@operator("squeeze", "_np_squeeze")
def squeeze(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the axes of length 1 away."""
    shape = network.shape(inputs[0])
    axes = node.sizes("axis", None)
    if axes is None:
        axes = [axis for axis, length in enumerate(shape) if length == 1]
    return network.op("Squeeze", inputs[0], network.sizes([network.axis(inputs[0], axis) for axis in axes]))


@operator("Concat", "concat", "_rnn_param_concat")
def concat(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write tensors one after the other along an axis."""
    axis = network.axis(inputs[0], node.integer("dim", 1))
    network.require_within_rows(inputs[0], [axis])
    return network.op("Concat", *inputs, axis=axis)


@operator("stack", "_npi_stack")
def stack(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write tensors one after the other along a new axis."""
    n_axes = len(network.shape(inputs[0])) + 1
    axis = node.integer("axis", 0) % n_axes
    raised = [network.op("Unsqueeze", tensor, network.sizes([axis])) for tensor in inputs]
    return network.op("Concat", *raised, axis=axis)


@operator("SliceChannel", "split")
def split(node: Node, network: Network, inputs: Sequence[str]) -> list[str]:
    """Write a tensor in equal parts along an axis."""
    count, axis = node.integer("num_outputs"), network.axis(inputs[0], node.integer("axis", 1))
    network.require_within_rows(inputs[0], [axis])
    length = network.shape(inputs[0])[axis]
    if length % count:
        raise node.refuse(f"divides {length} places in {count} parts")
    parts = network.ops("Split", inputs[0], n_outputs=count, axis=axis, num_outputs=count)
    if not node.flag("squeeze_axis"):
        return parts
    return [network.op("Squeeze", part, network.sizes([axis])) for part in parts]


def _sliced(node: Node, network: Network, data: str, cuts: Sequence[tuple[int, Any, Any, int]]) -> str:
    """Write cuts of (axis, begin, end, step), where None is the border."""
    cuts = [cut for cut in cuts if (cut[1] or 0, cut[2], cut[3]) != (0, None, 1)]
    if not cuts:
        return data
    network.require_within_rows(data, [axis for axis, *_ in cuts])
    starts, ends, axes, steps = [], [], [], []
    for axis, begin, end, step in cuts:
        starts.append((0 if step > 0 else _END) if begin is None else begin)
        ends.append((_END if step > 0 else _START) if end is None else end)
        axes.append(axis)
        steps.append(step)
    held = (network.constant(np.array(values, np.int64)) for values in (starts, ends, axes, steps))
    return network.op("Slice", data, *held)


@operator("slice", "crop", "_npx_slice")
def slice_(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a part along the first axes."""
    begin, end = node.sizes("begin"), node.sizes("end")
    steps = node.sizes("step", ()) or (1,) * len(begin)
    shape = network.shape(inputs[0])
    cuts = []
    for axis, (low, high, step) in enumerate(zip(begin, end, steps, strict=True)):
        whole = high is not None and high == shape[axis] and (step or 1) > 0
        cuts.append((axis, low, None if whole else high, step or 1))
    return _sliced(node, network, inputs[0], cuts)


@operator("slice_axis")
def slice_axis(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a part along one axis."""
    axis = network.axis(inputs[0], node.integer("axis"))
    return _sliced(node, network, inputs[0], [(axis, node.integer("begin"), node.integer("end", None), 1)])


@operator("slice_like")
def slice_like(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the first part of a tensor, as long as another along some axes."""
    shape, other = network.shape(inputs[0]), network.shape(inputs[1])
    axes = node.sizes("axes", ()) or range(min(len(shape), len(other)))
    found = [network.axis(inputs[0], axis) for axis in axes]
    cuts = [(axis, 0, other[axis], 1) for axis in found if shape[axis] != other[axis]]
    return _sliced(node, network, inputs[0], cuts)


@operator("Pad", "pad")
def pad(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write more places around a tensor."""
    mode, pairs = node.text("mode"), node.sizes("pad_width")
    value = node.number("constant_value", 0.0)
    if pairs[:2] != (0, 0):
        raise node.refuse("pads the batch")
    widths = network.constant(np.array([*pairs[::2], *pairs[1::2]], np.int64))
    if mode == "constant":
        return network.op("Pad", inputs[0], widths, network.like(inputs[0], value))
    return network.op("Pad", inputs[0], widths, mode={"edge": "edge", "reflect": "reflect"}[mode])


@operator("tile")
def tile(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a tensor several times over."""
    shape, times = network.shape(inputs[0]), list(node.sizes("reps"))
    if len(times) > len(shape):
        raise node.refuse("adds axes")
    times = [1] * (len(shape) - len(times)) + times
    return network.op("Tile", inputs[0], network.constant(np.array(times, np.int64)))


@operator("repeat")
def repeat(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write each place of an axis several times."""
    axis = network.axis(inputs[0], node.integer("axis"))
    network.require_within_rows(inputs[0], [axis])
    places = np.repeat(np.arange(network.shape(inputs[0])[axis]), node.integer("repeats"))
    return network.op("Gather", inputs[0], network.constant(places.astype(np.int64)), axis=axis)


@operator("reverse", "flip", "SequenceReverse")
def reverse(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write axes in reverse; along the steps of a sequence where lengths are not given."""
    if node.kind == "SequenceReverse":
        if node.flag("use_sequence_length"):
            raise node.refuse("has lengths")
        axes: Sequence[int] = [node.integer("axis", 0)]
    else:
        axes = node.sizes("axis")
    found = [network.axis(inputs[0], axis) for axis in axes]
    return _sliced(node, network, inputs[0], [(axis, None, None, -1) for axis in found])


@operator("SequenceLast")
def sequence_last(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the last step of a sequence of full length."""
    if node.flag("use_sequence_length"):
        raise node.refuse("has lengths")
    axis = node.integer("axis", 0)
    network.require_within_rows(inputs[0], [axis])
    return network.op("Gather", inputs[0], network.constant(np.int64(network.shape(inputs[0])[axis] - 1)), axis=axis)


@operator("broadcast_axis", "broadcast_axes", "broadcast_to", "broadcast_like")
def broadcast(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write axes of length 1 as often as needed."""
    target = list(network.shape(inputs[0]))
    if node.kind == "broadcast_like":
        if node.text("lhs_axes", None) or node.text("rhs_axes", None):
            raise node.refuse("takes some axes alone")
        whole = network.op("Expand", inputs[0], network.op("Shape", inputs[1]))
        return network.declare(whole, np.broadcast_shapes(tuple(target), network.shape(inputs[1])))
    if node.kind == "broadcast_to":
        target = [length or own for length, own in zip(node.sizes("shape"), target, strict=True)]
    else:
        for axis, size in zip(node.sizes("axis"), node.sizes("size"), strict=True):
            target[network.axis(inputs[0], axis)] = size
    whole = network.constant(np.array([1 if length and length % BATCH == 0 else length for length in target], np.int64))
    return network.op("Expand", inputs[0], whole)


@operator("zeros_like", "ones_like")
def filled_like(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write zeros or ones in the shape of another tensor."""
    dtype = network.dtype(inputs[0])
    value = helper.make_tensor("value", helper.np_dtype_to_tensor_dtype(dtype), [1], [int(node.kind == "ones_like")])
    whole = network.op("ConstantOfShape", network.op("Shape", inputs[0]), value=value)
    return network.declare(whole, network.shape(inputs[0]))


@operator("_zeros", "_ones", "_full")
def filled(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a constant; an axis of unknown length, which is the batch's, has length 1 and is broadcast."""
    value = {"_zeros": 0.0, "_ones": 1.0}.get(node.kind)
    value = node.number("value") if value is None else value
    shape = [length or 1 for length in node.sizes("shape", ())]
    if prod(shape) > _LARGEST:
        raise node.refuse(f"makes a constant of {prod(shape):,} numbers")
    return network.constant(np.full(shape, value, np.dtype(node.text("dtype", "float32"))))


@operator("_arange")
def arange(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write numbers at equal steps."""
    start, stop, step = node.number("start"), node.number("stop", None), node.number("step", 1.0)
    if stop is None:
        start, stop = 0.0, start
    if node.flag("infer_range"):
        raise node.refuse("takes its length from elsewhere")
    times = node.integer("repeat", 1)
    if abs((stop - start) / step * times) > _LARGEST:
        raise node.refuse(f"makes a constant of more than {_LARGEST:,} numbers")
    values = np.repeat(np.arange(start, stop, step), times)
    return network.constant(values, np.dtype(node.text("dtype", "float32")))


@operator("Cast", "cast")
def cast(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the same numbers in another type."""
    return network.op("Cast", inputs[0], to=helper.np_dtype_to_tensor_dtype(np.dtype(node.text("dtype"))))


@operator("depth_to_space")
def depth_to_space(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write channels as places."""
    return network.op("DepthToSpace", inputs[0], blocksize=node.integer("block_size"), mode="DCR")


@operator("space_to_depth")
def space_to_depth(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write places as channels."""
    return network.op("SpaceToDepth", inputs[0], blocksize=node.integer("block_size"))


@operator("one_hot")
def one_hot(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write whole numbers as rows with one place set; none is for numbers outside."""
    depth = node.integer("depth")
    on, off = node.number("on_value", 1.0), node.number("off_value", 0.0)
    dtype = np.dtype(node.text("dtype", "float32"))
    whole = network.op("Unsqueeze", network.op("Cast", inputs[0], to=7), network.sizes([-1]))
    equal = network.op("Equal", whole, network.constant(np.arange(depth)))
    return network.op("Where", equal, network.constant(on, dtype), network.constant(off, dtype))
