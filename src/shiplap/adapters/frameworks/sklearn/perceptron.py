"""Multilayer perceptrons: products and activations, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, softmax

__all__ = ["classifier", "regressor"]

_DOUBLE = 11
_ACTIVATIONS = {"identity": "", "tanh": "Tanh", "logistic": "Sigmoid", "relu": "Relu", "exp": "Exp"}


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``MLPRegressor`` with any activation; several targets stand side by side."""
    del method
    return _forward(estimator, block, context)


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``MLPClassifier``; of several labels the probability of each."""
    answer = _forward(estimator, block, context)
    if estimator.n_outputs_ == 1:
        answer = both_classes(context, answer)
    if method != "predict":
        return answer
    return _told(estimator, answer, context)


def _told(estimator: Any, answer: str, context: Context) -> str:
    """Return columns of what ``predict`` says; a half is not enough for the second of two classes, or for a label."""
    graph = context.graph
    above = graph.op("Greater", answer, graph.constant(np.array([0.5])))
    if estimator.n_outputs_ == 1:
        above = graph.columns(answer, [1])
        above = graph.op("Greater", above, graph.constant(np.array([0.5])))
        above = graph.op("Concat", graph.op("Not", above), above, axis=1)
    elif estimator.out_activation_ == "softmax":
        places = graph.constant(np.arange(estimator.n_outputs_)[None, :])
        above = graph.op("Equal", graph.op("ArgMax", answer, axis=1, keepdims=1), places)
    return graph.op("Cast", above, to=_DOUBLE)


def _forward(estimator: Any, block: Block, context: Context) -> str:
    graph = context.graph
    tensor = context.matrix(block.pieces)
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    for index, (weights, intercepts) in enumerate(layers):
        context.terms += len(weights)
        product = graph.op("MatMul", tensor, graph.constant(np.asarray(weights, np.float64)))
        tensor = graph.op("Add", product, graph.constant(np.asarray(intercepts, np.float64)))
        last = index == len(layers) - 1
        tensor = _activated(estimator.out_activation_ if last else estimator.activation, tensor, context)
    return tensor


def _activated(name: str, tensor: str, context: Context) -> str:
    if name == "softmax":
        return softmax(context, tensor)
    return context.graph.op(_ACTIVATIONS[name], tensor) if _ACTIVATIONS[name] else tensor
