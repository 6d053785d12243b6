"""Layers with weights, activations, pooling and embedding."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.mxnet.network import Network
from shiplap.adapters.frameworks.mxnet.operators import operator
from shiplap.adapters.frameworks.mxnet.symbol import Node

_LAYOUTS = {None, "NCW", "NCHW", "NCDHW"}
_PLAIN = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softrelu": "Softplus", "softsign": "Softsign"}
# The constants of self-normalizing networks as MXNet has them, in single precision.
_SELU_ALPHA, _SELU_SCALE = 1.67326324235437728, 1.05070098735548050


@operator("FullyConnected", "_npx_fully_connected")
def fully_connected(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write ``x W' + b``; everything after the first axis is one row unless `flatten` is off."""
    node.integer("num_hidden")
    data, weight = inputs[:2]
    bias = [] if node.flag("no_bias") else [inputs[2]]
    if node.flag("flatten", default=True):
        if len(network.shape(data)) != 2:
            data = network.op("Flatten", data, axis=1)
        return network.op("Gemm", data, weight, *bias, transB=1)
    product = network.op("MatMul", data, network.op("Transpose", weight, perm=[1, 0]))
    return network.op("Add", product, bias[0]) if bias else product


def _spatial(node: Node, network: Network, data: str) -> tuple[tuple[int, ...], dict[str, list[int]]]:
    """Return the kernel, and stride, dilation and padding as ONNX has them."""
    if node.text("layout", None) not in _LAYOUTS:
        raise node.refuse(f"has the layout '{node.text('layout')}'", hint="only channels first: NCW, NCHW, NCDHW")
    kernel = node.sizes("kernel")
    n_axes = len(network.shape(data)) - 2
    if len(kernel) != n_axes or n_axes < 1:
        raise node.refuse(f"has a kernel of {len(kernel)} axes for data with {n_axes}")
    pad = list(node.sizes("pad", ()) or (0,) * n_axes)
    return kernel, {
        "strides": list(node.sizes("stride", ()) or (1,) * n_axes),
        "dilations": list(node.sizes("dilate", ()) or (1,) * n_axes),
        "pads": [*pad, *pad],
    }


@operator("Convolution", "Convolution_v1", "_npx_convolution")
def convolution(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a convolution of one to three axes, with groups and dilation."""
    kernel, spatial = _spatial(node, network, inputs[0])
    node.integer("num_filter")
    bias = [] if node.flag("no_bias") else [inputs[2]]
    group = node.integer("num_group", 1)
    return network.op("Conv", *inputs[:2], *bias, kernel_shape=list(kernel), group=group, **spatial)


@operator("Deconvolution", "_npx_deconvolution")
def deconvolution(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a transposed convolution."""
    kernel, spatial = _spatial(node, network, inputs[0])
    node.integer("num_filter")
    if any(node.sizes("target_shape", ())):
        raise node.refuse("names its 'target_shape'", hint="give pad and adj instead")
    bias = [] if node.flag("no_bias", default=True) else [inputs[2]]
    added = list(node.sizes("adj", ()) or (0,) * len(kernel))
    return network.op(
        "ConvTranspose",
        *inputs[:2],
        *bias,
        kernel_shape=list(kernel),
        group=node.integer("num_group", 1),
        output_padding=added,
        **spatial,
    )


@operator("Activation", "_npx_activation")
def activation(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write one of the plain activations."""
    kind = node.text("act_type")
    if kind not in _PLAIN:
        raise node.refuse(f"is of the kind '{kind}'")
    return network.op(_PLAIN[kind], inputs[0])


@operator("LeakyReLU", "_npx_leaky_relu")
def leaky_relu(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write one of the activations that let something of the negative side through."""
    kind, slope = node.text("act_type", "leaky"), node.number("slope", 0.25)
    lower, upper = node.number("lower_bound", 0.125), node.number("upper_bound", 0.334)
    data = inputs[0]
    if kind == "leaky":
        return network.op("LeakyRelu", data, alpha=slope)
    if kind == "rrelu":  # outside training, the middle of the range
        return network.op("LeakyRelu", data, alpha=(lower + upper) / 2)
    if kind == "elu":
        return network.op("Elu", data, alpha=slope)
    if kind == "selu":
        return network.op("Selu", data, alpha=_SELU_ALPHA, gamma=_SELU_SCALE)
    if kind == "gelu":
        scaled = network.op("Erf", network.op("Mul", data, network.like(data, 1 / sqrt(2))))
        half = network.op("Mul", data, network.like(data, 0.5))
        return network.op("Mul", half, network.op("Add", scaled, network.like(data, 1.0)))
    if kind == "prelu":
        n_trailing = len(network.shape(data)) - 2
        slopes = network.op("Reshape", inputs[1], network.sizes((-1, *(1,) * n_trailing)))
        return network.op("PRelu", data, slopes)
    raise node.refuse(f"is of the kind '{kind}'")


@operator("Pooling", "Pooling_v1", "_npx_pooling")
def pooling(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write pooling over windows or over everything, with MXNet's two ways to round and to count padding."""
    kind = node.text("pool_type", "max")
    for key in ("kernel", "stride", "pad", "layout", "count_include_pad", "pooling_convention"):
        node.text(key, None)
    if kind not in {"max", "avg", "sum"}:
        raise node.refuse(f"is of the kind '{kind}'", hint="max, avg or sum")
    if node.flag("global_pool"):
        return _over_everything(node, network, inputs[0], kind)
    kernel, spatial = _spatial(node, network, inputs[0])
    strides, pad = spatial["strides"], spatial["pads"][: len(kernel)]
    extra = _extra(node, network.shape(inputs[0])[2:], kernel, strides, pad)
    pads = [*pad, *(around + more for around, more in zip(pad, extra, strict=True))]
    window = {"kernel_shape": list(kernel), "strides": strides}
    if kind == "max":
        return network.op("MaxPool", inputs[0], pads=pads, **window)
    if kind == "avg" and not any(extra):
        counted = int(node.flag("count_include_pad", default=True))
        return network.op("AveragePool", inputs[0], pads=pads, count_include_pad=counted, **window)
    widths = network.sizes([0, 0, *pads[: len(kernel)], 0, 0, *pads[len(kernel) :]])
    padded = network.op("Pad", inputs[0], widths, network.like(inputs[0], 0.0)) if any(pads) else inputs[0]
    mean = network.op("AveragePool", padded, **window)
    factor = float(prod(kernel))
    if kind == "sum":
        return network.op("Mul", mean, network.like(mean, factor))
    return network.op("Mul", mean, network.like(mean, factor / _areas(node, network, inputs[0], window, pads)))


def _over_everything(node: Node, network: Network, data: str, kind: str) -> str:
    if node.text("layout", None) not in _LAYOUTS:
        raise node.refuse(f"has the layout '{node.text('layout')}'", hint="only channels first: NCW, NCHW, NCDHW")
    if kind != "sum":
        return network.op({"max": "GlobalMaxPool", "avg": "GlobalAveragePool"}[kind], data)
    return network.op("ReduceSum", data, network.sizes(range(2, len(network.shape(data)))), keepdims=1)


def _extra(
    node: Node, sides: Sequence[int], kernel: Sequence[int], strides: Sequence[int], pad: Sequence[int]
) -> list[int]:
    """Return how far the last window reaches beyond the padding where the number of windows is rounded up."""
    convention = node.text("pooling_convention", "valid")
    if convention not in {"valid", "full"}:
        raise node.refuse(f"has the pooling convention '{convention}'", hint="valid or full")
    extra = []
    for side, size, step, around in zip(sides, kernel, strides, pad, strict=True):
        room = side + 2 * around - size
        last = (ceil(room / step) if convention == "full" else room // step) * step
        if last - around >= side or around >= size:
            raise node.refuse("has windows that lie in the padding alone", hint="pad less")
        extra.append(max(0, last - room))
    return extra


def _areas(
    node: Node, network: Network, data: str, window: dict[str, list[int]], pads: list[int]
) -> NDArray[np.float64]:
    """Return how many places of each window count: those of the data, and of the padding where it is counted."""
    around = node.sizes("pad", ()) or (0,) * (len(pads) // 2)
    counts_padding = node.flag("count_include_pad", default=True)
    area = np.ones(())
    for axis, side in enumerate(network.shape(data)[2:]):
        counted = around[axis] if counts_padding else 0
        size, step = window["kernel_shape"][axis], window["strides"][axis]
        before, after = pads[axis], pads[len(around) + axis]
        starts = np.arange(-before, side + after - size + 1, step)
        within = np.minimum(starts + size, side + counted) - np.maximum(starts, -counted)
        area = np.multiply.outer(area, within.astype(np.float64))
    return area


@operator("Embedding", "_npx_embedding")
def embedding(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the look-up of rows; numbers are cut to whole ones, and those outside are the first or last row."""
    node.integer("input_dim")
    node.integer("output_dim")
    node.text("dtype", None)
    return _looked_up(network, inputs[1], inputs[0], axis=0)


@operator("take")
def take(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the look-up along an axis of weights."""
    if node.text("mode", "clip") != "clip":
        raise node.refuse(f"has the mode '{node.text('mode')}'", hint="clip")
    axis = network.axis(inputs[0], node.integer("axis", 0))
    network.require_within_rows(inputs[0], [axis])
    return _looked_up(network, inputs[0], inputs[1], axis=axis)


def _looked_up(network: Network, table: str, places: str, *, axis: int) -> str:
    last = network.shape(table)[axis] - 1
    whole = network.op("Cast", places, to=7)
    within = network.op("Clip", whole, network.constant(0, np.int64), network.constant(last, np.int64))
    return network.op("Gather", table, within, axis=axis)


@operator("UpSampling")
def up_sampling(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the repetition of each place `scale` times along both axes."""
    scale, kind = node.integer("scale"), node.text("sample_type")
    for key in ("num_filter", "multi_input_mode"):
        node.text(key, None)
    if kind != "nearest" or len(inputs) != 1:
        raise node.refuse(f"is of the kind '{kind}' on {len(inputs)} inputs", hint="nearest, of one input")
    scales = network.constant(np.array([1, 1, scale, scale], np.float32))
    return network.op(
        "Resize",
        inputs[0],
        "",
        scales,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


@operator("_contrib_BilinearResize2D")
def bilinear_resize(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the resize to a height and width, corners on corners."""
    height, width = node.integer("height", 1), node.integer("width", 1)
    if node.text("mode", "size") != "size" or node.text("scale_height", None) or node.text("scale_width", None):
        raise node.refuse("is not given by height and width alone")
    how = "align_corners" if node.flag("align_corners", default=True) else "half_pixel"
    sizes = network.constant(np.array([height, width], np.int64))
    return network.op(
        "Resize", inputs[0], "", "", sizes, axes=[2, 3], mode="linear", coordinate_transformation_mode=how
    )


@operator("_contrib_AdaptiveAvgPooling2D")
def adaptive_pooling(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the mean over a grid of equal windows."""
    grid: tuple[int, ...] = node.sizes("output_size", (1,)) or (1,)
    grid = grid * 2 if len(grid) == 1 else grid
    sides = network.shape(inputs[0])[2:]
    if any(side % count for side, count in zip(sides, grid, strict=True)):
        raise node.refuse(f"divides {sides[0]} x {sides[1]} places into {grid[0]} x {grid[1]} unequal windows")
    window = [side // count for side, count in zip(sides, grid, strict=True)]
    return network.op("AveragePool", inputs[0], kernel_shape=window, strides=window)
