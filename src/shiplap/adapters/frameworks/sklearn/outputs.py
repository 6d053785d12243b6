"""From scores to answers: sigmoid, softmax, and two columns of a binary probability."""

from __future__ import annotations

import numpy as np

from shiplap.adapters.frameworks.lowering import Context

__all__ = ["both_classes", "link", "normalized", "softmax"]


def both_classes(context: Context, positive: str) -> str:
    """Return ``(1 - p, p)`` of shape (n, 2) for a column ``p``; one product, exact in both columns."""
    graph = context.graph
    tensor = graph.op("Gemm", positive, graph.constant(np.array([[-1.0, 1.0]])), graph.constant(np.array([1.0, 0.0])))
    context.positive[tensor] = positive
    return tensor


def softmax(context: Context, scores: str) -> str:
    """Return ``exp(s) / sum(exp(s))`` over the columns, shifted by the largest as the libraries do."""
    return context.graph.op("Softmax", scores, axis=1)


def normalized(context: Context, values: str) -> str:
    """Divide each row by its sum."""
    graph = context.graph
    return graph.op("Div", values, graph.op("ReduceSum", values, graph.constant(np.array([1], np.int64)), keepdims=1))


def link(context: Context, scores: str, name: str) -> str:
    """Apply the inverse link `name`: ``identity``, ``log`` or ``logit``."""
    operator = {"log": "Exp", "logit": "Sigmoid"}.get(name)
    return context.graph.op(operator, scores) if operator else scores
