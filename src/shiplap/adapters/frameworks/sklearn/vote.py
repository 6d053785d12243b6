"""``VotingClassifier`` and ``VotingRegressor``: the mean of several members, or what most of them say."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot, told
from shiplap.adapters.frameworks.sklearn.members import added, of_classes

__all__ = ["voting_classifier", "voting_regressor", "voting_transform"]


def voting_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``VotingClassifier``: soft voting adds probabilities up, hard voting counts; weights multiply."""
    width = len(estimator.classes_)
    if estimator.voting == "soft":
        mean = _mean(estimator, _members(estimator, block, context, "predict_proba"), context)
        return mean if method == "predict_proba" else one_hot(context, first_largest(context, mean), width)
    weights = estimator._weights_not_none or ()
    if any(weight < 0 for weight in weights):
        raise context.refuse("votes of negative weight", hint="use weights of at least 0")
    votes = added(context, _members(estimator, block, context, "predict"), weights)
    return one_hot(context, first_largest(context, votes), width)


def voting_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``VotingRegressor``: the weighted mean of its regressors."""
    return _mean(estimator, _members(estimator, block, context, method), context)


def voting_transform(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``transform`` of either: the answers of the members side by side."""
    if not is_classifier(estimator):
        tensors, width = _members(estimator, block, context, "predict"), 1
    elif estimator.voting == "hard":
        votes = _members(estimator, block, context, "predict")
        tensors, width = [told(context, vote, np.arange(len(estimator.classes_))) for vote in votes], 1
    elif estimator.flatten_transform:
        tensors, width = _members(estimator, block, context, "predict_proba"), len(estimator.classes_)
    else:
        raise context.refuse("flatten_transform=False gives no table of columns", hint="use flatten_transform=True")
    return tuple(cell for tensor in tensors for cell in context.computed(tensor, width))


def _members(estimator: Any, block: Block, context: Context, method: str) -> list[str]:
    names = [name for name, member in estimator.estimators if not isinstance(member, str)]
    found = []
    for name, member in zip(names, estimator.estimators_, strict=True):
        tensor, _ = context.response(member, block, (method,), name)
        if is_classifier(estimator):
            tensor = of_classes(context, tensor, member.classes_, len(estimator.classes_))
        found.append(tensor)
    return found


def _mean(estimator: Any, tensors: list[str], context: Context) -> str:
    weights = estimator._weights_not_none or ()
    total = float(np.sum(weights)) if len(weights) else float(len(tensors))
    graph = context.graph
    return graph.op("Div", added(context, tensors, weights), graph.constant(np.array([total])))
