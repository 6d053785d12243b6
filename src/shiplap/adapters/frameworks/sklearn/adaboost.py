"""``AdaBoostClassifier`` counts weighted votes, ``AdaBoostRegressor`` takes the weighted median of its members."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.groves import are_trees, grove, side_by_side
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot, second_where
from shiplap.adapters.frameworks.sklearn.members import added, of_classes, plain
from shiplap.adapters.frameworks.sklearn.outputs import softmax

__all__ = ["adaboost_classifier", "adaboost_regressor"]

_INT32 = 6


def adaboost_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``AdaBoostClassifier``: each member votes for one class and, by less, against the others."""
    graph, width = context.graph, estimator.n_classes_
    votes = _votes(estimator, plain(block), context)
    mean = graph.op("Div", votes, graph.constant(np.array([float(estimator.estimator_weights_.sum())])))
    if width == 2:
        # (-f0) + f1, in this order.
        mean = graph.op("Add", graph.op("Neg", graph.columns(mean, [0])), graph.columns(mean, [1]))
    if method == "decision_function":
        return mean
    if method == "predict":
        if width == 2:
            return second_where(context, graph.op("Greater", mean, graph.constant(np.array([0.0]))))
        return one_hot(context, first_largest(context, mean), width)
    if width == 2:
        both = graph.op("Concat", graph.op("Neg", mean), mean, axis=1)
        return softmax(context, graph.op("Div", both, graph.constant(np.array([2.0]))))
    return softmax(context, graph.op("Div", mean, graph.constant(np.array([float(width - 1)]))))


def _votes(estimator: Any, block: Block, context: Context) -> str:
    width, members = estimator.n_classes_, estimator.estimators_
    weights = [float(weight) for weight in estimator.estimator_weights_[: len(members)]]
    places = [np.searchsorted(estimator.classes_, member.classes_) for member in members]
    if are_trees(members):
        answers = [
            _ballots(place[member.tree_.value[:, 0].argmax(axis=1)], weight, width)
            for member, weight, place in zip(members, weights, places, strict=True)
        ]
        return grove(members, answers, block, context)
    graph = context.graph
    votes = []
    for index, (member, weight, place) in enumerate(zip(members, weights, places, strict=True)):
        hot, _ = context.response(member, block, ("predict",), f"member {index}")
        told = graph.op("Greater", of_classes(context, hot, place, width), graph.constant(np.array([0.5])))
        yes, no = (graph.constant(np.array([value])) for value in (weight, -1 / (width - 1) * weight))
        votes.append(graph.op("Where", told, yes, no))
    return added(context, votes)


def _ballots(named: NDArray[np.intp], weight: float, width: int) -> NDArray[np.float64]:
    return np.where(named[:, None] == np.arange(width), weight, -1 / (width - 1) * weight)


def adaboost_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``AdaBoostRegressor``: sort the members' predictions, stop where half of their weight is reached."""
    graph, members = context.graph, estimator.estimators_
    predictions = _predictions(members, plain(block), context, method)
    weights = np.asarray(estimator.estimator_weights_[: len(members)], np.float64)
    if len(members) == 1:
        return predictions
    order = graph.top(predictions, len(members))
    reached = graph.op(
        "CumSum", graph.op("Gather", graph.constant(weights), order, axis=0), graph.constant(np.array(1))
    )
    half = graph.op("Mul", graph.columns(reached, [len(members) - 1]), graph.constant(np.array([0.5])))
    enough = graph.op("Cast", graph.op("GreaterOrEqual", reached, half), to=_INT32)
    middle = graph.op("GatherElements", order, graph.op("ArgMax", enough, axis=1, keepdims=1), axis=1)
    return graph.op("GatherElements", predictions, middle, axis=1)


def _predictions(members: list[Any], block: Block, context: Context, method: str) -> str:
    if are_trees(members):
        context.terms += len(members)
        return side_by_side(members, block, context)
    tensors = [context.response(member, block, (method,), f"member {index}")[0] for index, member in enumerate(members)]
    return context.graph.op("Concat", *tensors, axis=1)
