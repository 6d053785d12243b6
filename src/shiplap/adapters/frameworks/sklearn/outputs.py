"""From scores to answers: sigmoid, softmax, two columns of a binary probability."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Context
from shiplap.adapters.frameworks.sklearn.labels import second_where

__all__ = [
    "both_classes",
    "error_function",
    "inside_or_not",
    "link",
    "log_sum_exp",
    "normalized",
    "sigmoid",
    "softmax",
    "total",
]

_INT64 = 7
_ERF_END, _ERF_STEPS, _ERF_TERMS = 6.0, 16.0, 14


def both_classes(context: Context, positive: str) -> str:
    """Return ``(1 - p, p)`` of shape (n, 2) for a column ``p``; one product, exact in both columns."""
    graph = context.graph
    tensor = graph.op("Gemm", positive, graph.constant(np.array([[-1.0, 1.0]])), graph.constant(np.array([1.0, 0.0])))
    context.positive[tensor] = positive
    return tensor


def softmax(context: Context, scores: str) -> str:
    """Return ``exp(s) / sum(exp(s))`` over the columns, shifted by the largest as the libraries do."""
    return context.graph.op("Softmax", scores, axis=1)


def total(context: Context, values: str) -> str:
    """Return the sum of each row, of shape (n, 1)."""
    return context.graph.op("ReduceSum", values, context.graph.constant(np.array([1], np.int64)), keepdims=1)


def normalized(context: Context, values: str, *, even: int = 0) -> str:
    """Divide each row by its sum; a row of zeros becomes ``1 / even`` in each column, where `even` is given."""
    graph = context.graph
    summed = total(context, values)
    shares = graph.op("Div", values, summed)
    if not even:
        return shares
    nothing = graph.op("Equal", summed, graph.constant(np.array([[0.0]])))
    return graph.op("Where", nothing, graph.constant(np.full((1, even), 1.0 / even)), shares)


def log_sum_exp(context: Context, values: str) -> str:
    """Return ``log(sum(exp(v)))`` of each row, of shape (n, 1), shifted by the largest as scipy does."""
    graph = context.graph
    largest = graph.op("ReduceMax", values, graph.constant(np.array([1], np.int64)), keepdims=1)
    endless = graph.op("IsInf", largest)
    shift = graph.op("Where", endless, graph.constant(np.array([[0.0]])), largest)
    summed = total(context, graph.op("Exp", graph.op("Sub", values, shift)))
    return graph.op("Add", graph.op("Log", summed), shift)


def sigmoid(context: Context, scores: str) -> str:
    """Return ``1 / (1 + exp(-s))``, to its last digits where it is tiny too."""
    graph = context.graph
    one = graph.constant(np.array([1.0]))
    return graph.op("Div", one, graph.op("Add", one, graph.op("Exp", graph.op("Neg", scores))))


def error_function(context: Context, values: str) -> str:
    """Return ``erf(x)`` to its last digits: ONNX Runtime has it for single precision only.

    Taylor's series about the next multiple of 1/16, whose terms are Hermite polynomials; beyond 6 it is 1.
    """
    graph = context.graph
    size = graph.op("Min", graph.op("Abs", values), graph.constant(np.array(_ERF_END)))
    steps = graph.op("Round", graph.op("Mul", size, graph.constant(np.array([_ERF_STEPS]))))
    beside = graph.op("Sub", size, graph.op("Div", steps, graph.constant(np.array([_ERF_STEPS]))))
    table = _erf_table()
    # A number that is none has no place in the table: it stays none through `beside`.
    place = graph.op("Where", graph.op("IsNaN", steps), graph.constant(np.array([0.0])), steps)
    place = graph.op("Cast", place, to=_INT64)
    result = graph.op("Gather", graph.constant(table[-1]), place, axis=0)
    for terms in table[-2::-1]:
        here = graph.op("Gather", graph.constant(terms), place, axis=0)
        result = graph.op("Add", graph.op("Mul", result, beside), here)
    return graph.op("Mul", graph.op("Sign", values), result)


def _erf_table() -> NDArray[np.float64]:
    """Return Taylor's coefficients of erf, one row a power, at the multiples of 1/16 up to 6."""
    at = np.arange(int(_ERF_END * _ERF_STEPS) + 1) / _ERF_STEPS
    density = 2 / np.sqrt(np.pi) * np.exp(-(at**2))
    rows = [np.array([math.erf(value) for value in at])]
    before, hermite = np.zeros_like(at), np.ones_like(at)
    for power in range(1, _ERF_TERMS):
        rows.append((-1) ** (power - 1) * density * hermite / math.factorial(power))
        before, hermite = hermite, 2 * at * hermite - 2 * (power - 1) * before
    return np.array(rows)


def link(context: Context, scores: str, name: str) -> str:
    """Apply the inverse link `name`: ``identity``, ``log`` or ``logit``."""
    operator = {"log": "Exp", "logit": "Sigmoid"}.get(name)
    return context.graph.op(operator, scores) if operator else scores


def inside_or_not(context: Context, scores: str) -> str:
    """Return what ``predict`` of an outlier detector says, as columns: inliers, at 0 or above, and outliers."""
    graph = context.graph
    inside = graph.op("GreaterOrEqual", scores, graph.constant(np.array([0.0])))
    return second_where(context, graph.op("Not", inside))
