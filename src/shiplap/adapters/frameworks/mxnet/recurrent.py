"""Recurrent layers, several at once, whose weights lie one after the other in a single vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.mxnet.network import Network
from shiplap.adapters.frameworks.mxnet.operators import operator
from shiplap.adapters.frameworks.mxnet.symbol import Node

# Where ONNX has each of MXNet's gates: (input, forget, cell, output), (reset, update, new).
_GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn_tanh": (0,), "rnn_relu": (0,)}
_KINDS = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "RNN", "rnn_relu": "RNN"}


@operator("RNN", "_npx_rnn")
def recurrent(node: Node, network: Network, inputs: Sequence[str]) -> list[str]:
    """Write the layers one after the other; answers the last layer's outputs, and the states where asked for."""
    mode, size, n_layers = node.text("mode"), node.integer("state_size"), node.integer("num_layers")
    n_ways = 2 if node.flag("bidirectional") else 1
    for key in ("projection_size", "lstm_state_clip_min", "lstm_state_clip_max"):
        if node.text(key, None):
            raise node.refuse(f"has '{key}'")
    node.flag("lstm_state_clip_nan")
    if node.flag("use_sequence_length"):
        raise node.refuse("has lengths", hint="sequences of full length only")
    weights = network.value(inputs[1])
    if weights is None:
        raise node.refuse("has weights that depend on the rows")
    states = [_state(network, tensor, n_layers * n_ways) for tensor in inputs[2:]]
    data, ends = inputs[0], []
    layers = _layers(node, weights, network.shape(data)[2], (len(_GATES[mode]), size, n_layers, n_ways))
    for layer, (across, back, bias) in enumerate(layers):
        given = [_part(network, state, layer * n_ways, n_ways) for state in states]
        outputs = network.ops(
            _KINDS[mode],
            data,
            *(network.constant(_ordered(array, mode)) for array in (across, back, bias)),
            "",
            *given,
            n_outputs=3 if mode == "lstm" else 2,
            hidden_size=size,
            direction="bidirectional" if n_ways == 2 else "forward",
            **({"linear_before_reset": 1} if mode == "gru" else {}),
            **({"activations": ["Relu"] * n_ways} if mode == "rnn_relu" else {}),
        )
        steps, _, rows, _ = network.shape(outputs[0])
        # (steps, ways, rows, size) -> (steps, rows, ways * size)
        turned = network.op("Transpose", outputs[0], perm=[0, 2, 1, 3])
        data = network.op("Reshape", turned, network.sizes((steps, rows, n_ways * size)))
        ends.append(outputs[1:])
    if not node.flag("state_outputs"):
        return [data]
    return [data, *(network.op("Concat", *parts, axis=0) for parts in zip(*ends, strict=True))]


def _layers(
    node: Node, weights: NDArray[np.float32], width: int, sizes: tuple[int, int, int, int]
) -> list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    """Take the vector apart: all matrices layer by layer, each way's after the other's, and then all biases."""
    n_gates, size, n_layers, n_ways = sizes
    tall, at = n_gates * size, 0
    matrices = []
    for layer in range(n_layers):
        wide = width if layer == 0 else size * n_ways
        pairs = []
        for _ in range(n_ways):
            across = weights[at : at + tall * wide].reshape(-1, wide)
            at += tall * wide
            pairs.append((across, weights[at : at + tall * size].reshape(-1, size)))
            at += tall * size
        matrices.append(pairs)
    biases = weights[at:]
    if biases.size != n_layers * n_ways * 2 * tall:
        raise node.refuse(f"has {weights.size} weights, too few or too many for its layers")
    shaped = biases.reshape(n_layers, n_ways, 2 * tall)
    return [
        (np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs]), shaped[layer])
        for layer, pairs in enumerate(matrices)
    ]


def _ordered(array: NDArray[np.float32], mode: str) -> NDArray[np.float32]:
    """Put the gates in ONNX's order; biases of both kinds lie side by side."""
    order, n_ways = list(_GATES[mode]), array.shape[0]
    if array.ndim == 2:
        return array.reshape(n_ways, 2, len(order), -1)[:, :, order].reshape(array.shape)
    return array.reshape(n_ways, len(order), -1, array.shape[2])[:, order].reshape(array.shape)


def _state(network: Network, tensor: str, n_states: int) -> str:
    """Return a first state, or nothing where it is zero, which is what ONNX begins with."""
    value = network.value(tensor)
    return "" if value is not None and not value.any() else tensor


def _part(network: Network, state: str, start: int, count: int) -> str:
    if not state:
        return ""
    held = (network.constant(np.array([place], np.int64)) for place in (start, start + count, 0))
    return network.op("Slice", state, *held)
