"""From scores to answers: sigmoid, softmax, two columns of a binary probability."""

from __future__ import annotations

import numpy as np

from shiplap.adapters.frameworks.lowering import Context

__all__ = ["both_classes", "link", "log_sum_exp", "normalized", "sigmoid", "signed", "softmax", "total"]


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


def link(context: Context, scores: str, name: str) -> str:
    """Apply the inverse link `name`: ``identity``, ``log`` or ``logit``."""
    operator = {"log": "Exp", "logit": "Sigmoid"}.get(name)
    return context.graph.op(operator, scores) if operator else scores


def signed(context: Context, scores: str) -> str:
    """Return 1 where a score is at least 0 and -1 elsewhere: the ``predict`` of an outlier detector."""
    graph = context.graph
    inside = graph.op("GreaterOrEqual", scores, graph.constant(np.array([[0.0]])))
    return graph.op("Where", inside, graph.constant(np.array([[1.0]])), graph.constant(np.array([[-1.0]])))
