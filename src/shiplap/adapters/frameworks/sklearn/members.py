"""The members of an ensemble: their answers side by side, on the columns that each of them reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_regressor

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import sigmoid

__all__ = ["added", "binary_score", "of_classes", "on_columns", "plain", "second", "shares", "to_last_digits"]


def plain(block: Block) -> Block:
    """Return the block as an estimator hands it on after it checked its rows: an array without names."""
    return Block(block.pieces, _arrayed(block.evaluate))


def on_columns(block: Block, positions: Sequence[int]) -> Block:
    """Return some of a block's columns, as an array without names."""
    evaluate = _arrayed(block.evaluate)
    chosen = [int(position) for position in positions]
    return Block(block.take(chosen), lambda frame: evaluate(frame)[:, chosen])


def _arrayed(evaluate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda frame: np.asarray(evaluate(frame))


def shares(estimator: Any, block: Block, context: Context, name: str) -> str:
    """Lower ``predict_proba`` of a member; what its ``predict`` says, as 1 among 0s, where it has none."""
    return context.response(estimator, block, ("predict_proba", "predict"), name)[0]


def of_classes(context: Context, tensor: str, positions: Sequence[int], width: int) -> str:
    """Move the columns of a member that knows some of the classes to their places among all of them."""
    places = [int(position) for position in positions]
    if places == list(range(width)):
        return tensor
    moves = np.zeros((len(places), width))
    moves[np.arange(len(places)), places] = 1.0
    return context.graph.op("MatMul", tensor, context.graph.constant(moves))


def added(context: Context, tensors: Sequence[str], weights: Sequence[float] = ()) -> str:
    """Add tensors up in their order, each times its weight where there are weights."""
    graph = context.graph
    context.terms += len(tensors)
    parts = list(tensors)
    if len(weights):
        parts = [
            graph.op("Mul", tensor, graph.constant(np.array([float(weight)])))
            for tensor, weight in zip(tensors, weights, strict=True)
        ]
    total = parts[0]
    for part in parts[1:]:
        total = graph.op("Add", total, part)
    return total


def second(context: Context, probabilities: str, *, tiny: bool = False) -> str:
    """Return the probability of the second of two classes, of shape (n, 1).

    See `to_last_digits` for `tiny`.
    """
    known = context.positive.get(probabilities)
    if known is None:
        return context.graph.columns(probabilities, [1])
    return to_last_digits(context, known) if tiny else known


def to_last_digits(context: Context, probabilities: str) -> str:
    """Return probabilities whose tiny ones may be divided by each other, or their logarithm taken.

    The operator for the sigmoid has them to 16 digits after the point only.
    """
    operator, inputs = context.graph.maker(probabilities)
    return sigmoid(context, inputs[0]) if operator == "Sigmoid" else probabilities


def binary_score(estimator: Any, block: Block, context: Context, name: str) -> str:
    """Lower how sure a member is of its second class, of shape (n, 1).

    A regressor predicts it; a classifier has a decision function, or else the probability of the second class.
    """
    if is_regressor(estimator):
        return context.response(estimator, block, ("predict",), name)[0]
    tensor, method = context.response(estimator, block, ("decision_function", "predict_proba"), name)
    return tensor if method == "decision_function" else second(context, tensor)
