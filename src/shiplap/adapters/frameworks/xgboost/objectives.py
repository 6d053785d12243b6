"""What XGBoost's objectives make of the margin, in single precision and in its order of operations."""

from __future__ import annotations

import numpy as np

from shiplap.adapters.frameworks.graph import GraphBuilder

__all__ = ["EXPONENTIAL", "IDENTITY", "LOGISTIC", "exponential", "hinge", "sigmoid", "softmax"]

LOGISTIC = ("binary:logistic", "reg:logistic")
EXPONENTIAL = ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft")
IDENTITY = (
    *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror"),
    *("reg:expectileerror", "reg:linear", "binary:logitraw", "rank:pairwise", "rank:ndcg", "rank:map"),
)

_FLOAT, _DOUBLE = 1, 11
_OVERFLOW = 88.7  # where XGBoost cuts the exponent, and what keeps its quotient from 0
_TINY = 1e-16


def exponential(graph: GraphBuilder, margin: str) -> str:
    """Return ``exp(margin)`` in single precision; computed wider and rounded once, as the C library's is."""
    return graph.op("Cast", graph.op("Exp", graph.op("Cast", margin, to=_DOUBLE)), to=_FLOAT)


def sigmoid(graph: GraphBuilder, margin: str) -> str:
    """Return ``1 / (exp(min(-margin, 88.7)) + 1 + 1e-16)`` in single precision."""
    limited = graph.op("Min", graph.op("Neg", margin), _single(graph, _OVERFLOW))
    below = graph.op("Add", graph.op("Add", exponential(graph, limited), _single(graph, 1.0)), _single(graph, _TINY))
    return graph.op("Div", _single(graph, 1.0), below)


def softmax(graph: GraphBuilder, margin: str) -> str:
    """Return the exponentials less the largest, divided by their sum, which XGBoost adds up in doubles."""
    axis = graph.constant(np.array([1], np.int64))
    shifted = graph.op("Sub", margin, graph.op("ReduceMax", margin, axis, keepdims=1))
    parts = exponential(graph, shifted)
    total = graph.op("ReduceSum", graph.op("Cast", parts, to=_DOUBLE), axis, keepdims=1)
    return graph.op("Div", parts, graph.op("Cast", total, to=_FLOAT))


def hinge(graph: GraphBuilder, margin: str) -> str:
    """Return 1 where the margin is above 0, else 0."""
    return graph.op("Cast", graph.op("Greater", margin, _single(graph, 0.0)), to=_FLOAT)


def _single(graph: GraphBuilder, value: float) -> str:
    return graph.constant(np.array([value], np.float32))
