"""Normalization, softmax and the outputs of a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shiplap.adapters.frameworks.mxnet.network import Network
from shiplap.adapters.frameworks.mxnet.operators import operator
from shiplap.adapters.frameworks.mxnet.symbol import Node


@operator("BatchNorm", "BatchNorm_v1", "_npx_batch_norm")
def batch_norm(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the normalization by the kept mean and variance; `fix_gamma`, on unless said, makes gamma 1."""
    data, gamma, beta, mean, variance = inputs[:5]
    axis, epsilon = network.axis(data, node.integer("axis", 1)), node.number("eps", 1e-3)
    if node.flag("output_mean_var"):
        raise node.refuse("answers mean and variance too")
    if node.flag("fix_gamma", default=True):
        gamma = network.like(gamma, np.ones(network.shape(gamma)))
    if axis == 1:
        return network.op("BatchNormalization", data, gamma, beta, mean, variance, epsilon=epsilon)
    order = list(range(len(network.shape(data))))
    order[1], order[axis] = axis, 1
    moved = network.op("Transpose", data, perm=order)
    normal = network.op("BatchNormalization", moved, gamma, beta, mean, variance, epsilon=epsilon)
    return network.op("Transpose", normal, perm=order)


@operator("InstanceNorm")
def instance_norm(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the normalization of each channel of each row by its own mean and variance."""
    return network.op("InstanceNormalization", *inputs[:3], epsilon=node.number("eps", 1e-3))


@operator("LayerNorm", "_npx_layer_norm")
def layer_norm(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the normalization along one axis."""
    data, gamma, beta = inputs[:3]
    axis, epsilon = network.axis(data, node.integer("axis", -1)), node.number("eps", 1e-5)
    if node.flag("output_mean_var"):
        raise node.refuse("answers mean and deviation too")
    network.require_within_rows(data, [axis])
    n_axes = len(network.shape(data))
    if axis == n_axes - 1:
        return network.op("LayerNormalization", data, gamma, beta, axis=axis, epsilon=epsilon)
    shape = network.sizes((-1, *(1,) * (n_axes - 1 - axis)))
    normal = _standardized(network, data, [axis], epsilon)
    scaled = network.op("Mul", normal, network.op("Reshape", gamma, shape))
    return network.op("Add", scaled, network.op("Reshape", beta, shape))


@operator("GroupNorm")
def group_norm(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the normalization of groups of channels."""
    data, gamma, beta = inputs[:3]
    n_groups, epsilon = node.integer("num_groups", 1), node.number("eps", 1e-5)
    if node.flag("output_mean_var"):
        raise node.refuse("answers mean and deviation too")
    rows, channels, *sides = network.shape(data)
    per_group = network.shape(gamma) == (n_groups,) and n_groups != channels
    grouped = network.op("Reshape", data, network.sizes((rows, n_groups, channels // n_groups, *sides)))
    normal = _standardized(network, grouped, list(range(2, 3 + len(sides))), epsilon)
    if not per_group:
        normal = network.op("Reshape", normal, network.sizes((rows, channels, *sides)))
    shape = network.sizes((-1, *(1,) * (len(network.shape(normal)) - 2)))
    scaled = network.op("Mul", normal, network.op("Reshape", gamma, shape))
    moved = network.op("Add", scaled, network.op("Reshape", beta, shape))
    return network.op("Reshape", moved, network.sizes((rows, channels, *sides)))


def _standardized(network: Network, data: str, axes: list[int], epsilon: float) -> str:
    along = network.sizes(axes)
    centered = network.op("Sub", data, network.op("ReduceMean", data, along, keepdims=1))
    variance = network.op("ReduceMean", network.op("Mul", centered, centered), along, keepdims=1)
    return network.op("Div", centered, network.op("Sqrt", network.op("Add", variance, network.like(data, epsilon))))


@operator("LRN")
def local_response(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the normalization across neighboring channels."""
    alpha, beta, bias = node.number("alpha", 1e-4), node.number("beta", 0.75), node.number("knorm", 2.0)
    return network.op("LRN", inputs[0], alpha=alpha, beta=beta, bias=bias, size=node.integer("nsize"))


@operator("L2Normalization")
def l2_normalization(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the division by the length: of the row, of its channels at each place, or of each channel."""
    n_axes = len(network.shape(inputs[0]))
    mode = node.text("mode", "instance")
    axes = {"instance": range(1, n_axes), "channel": [1], "spatial": range(2, n_axes)}[mode]
    squares = network.op("ReduceSumSquare", inputs[0], network.sizes(list(axes)), keepdims=1)
    added = network.op("Add", squares, network.like(inputs[0], node.number("eps", 1e-10)))
    return network.op("Div", inputs[0], network.op("Sqrt", added))


def _soft(node: Node, network: Network, data: str, kind: str) -> str:
    axis, temperature = network.axis(data, node.integer("axis", -1)), node.number("temperature", None)
    if node.flag("use_length") or node.text("dtype", None):
        raise node.refuse("has lengths or a type of its own")
    network.require_within_rows(data, [axis])
    if temperature is not None:
        data = network.op("Div", data, network.like(data, temperature))
    return network.op(kind, data, axis=axis)


@operator("softmax", "_npx_softmax")
def softmax(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a softmax along an axis."""
    return _soft(node, network, inputs[0], "Softmax")


@operator("log_softmax", "_npx_log_softmax")
def log_softmax(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the logarithm of a softmax along an axis."""
    return _soft(node, network, inputs[0], "LogSoftmax")


@operator("softmin")
def softmin(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a softmax of the negative."""
    return _soft(node, network, network.op("Neg", inputs[0]), "Softmax")


@operator("SoftmaxActivation")
def softmax_activation(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a softmax of each row, or of the channels at each place."""
    if node.text("mode", "instance") == "channel":
        return network.op("Softmax", inputs[0], axis=1)
    return _over_rows(network, inputs[0])


@operator("SoftmaxOutput", "Softmax")
def softmax_output(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the softmax that a classifier answers; its label is for training."""
    if node.flag("multi_output"):
        return network.op("Softmax", inputs[0], axis=1)
    if node.flag("preserve_shape"):
        return network.op("Softmax", inputs[0], axis=-1)
    return _over_rows(network, inputs[0])


def _over_rows(network: Network, data: str) -> str:
    """Take everything after the first axis as one row."""
    shape = network.shape(data)
    if len(shape) <= 2:
        return network.op("Softmax", data, axis=-1)
    flat = network.op("Softmax", network.op("Flatten", data, axis=1), axis=1)
    return network.op("Reshape", flat, network.sizes(shape))


@operator("LogisticRegressionOutput")
def logistic_output(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the logistic function; the label is for training."""
    return network.op("Sigmoid", inputs[0])


@operator(
    *("LinearRegressionOutput", "MAERegressionOutput", "SVMOutput", "MakeLoss", "make_loss", "BlockGrad"),
    *("stop_gradient", "Dropout", "_copy", "identity", "_npx_dropout"),
)
def identity(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Pass on what comes: the operator does something only while a network is trained."""
    if node.text("mode", "training") != "training" or node.text("axes", "()") not in {"()", "[]"}:
        raise node.refuse("drops something at random in its answers too", hint="export it with mode='training'")
    if node.text("dtype", None):
        raise node.refuse("changes the type of its numbers")
    return network.op("Identity", inputs[0])
