"""``BaggingClassifier`` and ``BaggingRegressor``: the mean of members, each on its own columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.groves import are_trees, grove
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot
from shiplap.adapters.frameworks.sklearn.members import added, of_classes, on_columns, shares
from shiplap.adapters.frameworks.sklearn.outputs import both_classes

__all__ = ["bagging_classifier", "bagging_regressor"]


def bagging_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``BaggingClassifier``: the mean probability, or the share of the votes of members without probabilities."""
    if method == "decision_function":
        return _mean(estimator, [_of(estimator, index, block, context, method) for index in _all(estimator)], context)
    probabilities = _probabilities(estimator, block, context)
    if method == "predict_proba":
        return probabilities
    return one_hot(context, first_largest(context, probabilities), estimator.n_classes_)


def bagging_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``BaggingRegressor``: the mean of its members."""
    members = estimator.estimators_
    if not are_trees(members):
        return _mean(estimator, [_of(estimator, index, block, context, method) for index in _all(estimator)], context)
    return _grove(estimator, [member.tree_.value[:, 0, :1] for member in members], block, context)


def _probabilities(estimator: Any, block: Block, context: Context) -> str:
    members, width = estimator.estimators_, estimator.n_classes_
    if are_trees(members):
        if width == 2:
            return both_classes(context, _grove(estimator, [_shares(one, 2)[:, 1:] for one in members], block, context))
        return _grove(estimator, [_shares(member, width) for member in members], block, context)
    found = []
    for index in _all(estimator):
        columns_read = on_columns(block, estimator.estimators_features_[index])
        tensor = shares(members[index], columns_read, context, f"member {index}")
        found.append(of_classes(context, tensor, members[index].classes_, width))
    return _mean(estimator, found, context)


def _shares(member: Any, width: int) -> NDArray[np.float64]:
    """Return the share of each of all classes in each node of a tree that may know some of them only."""
    shares_of = np.zeros((member.tree_.node_count, width))
    shares_of[:, member.classes_] = member.tree_.value[:, 0, : len(member.classes_)]
    return shares_of


def _all(estimator: Any) -> range:
    return range(len(estimator.estimators_))


def _of(estimator: Any, index: int, block: Block, context: Context, method: str) -> str:
    columns_read = on_columns(block, estimator.estimators_features_[index])
    return context.response(estimator.estimators_[index], columns_read, (method,), f"member {index}")[0]


def _grove(estimator: Any, answers: list[NDArray[np.float64]], block: Block, context: Context) -> str:
    total = grove(estimator.estimators_, answers, block, context, features=estimator.estimators_features_)
    return context.graph.op("Div", total, context.graph.constant(np.array([float(estimator.n_estimators)])))


def _mean(estimator: Any, tensors: list[str], context: Context) -> str:
    graph = context.graph
    return graph.op("Div", added(context, tensors), graph.constant(np.array([float(estimator.n_estimators)])))
