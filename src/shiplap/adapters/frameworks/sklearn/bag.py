"""``BaggingClassifier`` and ``BaggingRegressor``: the mean of members, each on its own columns."""

from __future__ import annotations

from typing import Any

import numpy as np

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
    answers = [{0: member.tree_.value[:, 0, 0]} for member in members]
    return _grove(estimator, answers, block, context, n_targets=1)


def _probabilities(estimator: Any, block: Block, context: Context) -> str:
    members, width = estimator.estimators_, estimator.n_classes_
    if are_trees(members):
        columns = [1] if width == 2 else list(range(width))
        answers = [
            {
                target: member.tree_.value[:, 0, place]
                for target, label in enumerate(columns)
                for place in np.flatnonzero(member.classes_ == label)
            }
            for member in members
        ]
        mean = _grove(estimator, answers, block, context, n_targets=len(columns))
        return both_classes(context, mean) if width == 2 else mean
    found = []
    for index in _all(estimator):
        columns_read = on_columns(block, estimator.estimators_features_[index])
        tensor = shares(members[index], columns_read, context, f"member {index}")
        found.append(of_classes(context, tensor, members[index].classes_, width))
    return _mean(estimator, found, context)


def _all(estimator: Any) -> range:
    return range(len(estimator.estimators_))


def _of(estimator: Any, index: int, block: Block, context: Context, method: str) -> str:
    columns_read = on_columns(block, estimator.estimators_features_[index])
    return context.response(estimator.estimators_[index], columns_read, (method,), f"member {index}")[0]


def _grove(estimator: Any, answers: list[dict[int, Any]], block: Block, context: Context, *, n_targets: int) -> str:
    features = estimator.estimators_features_
    total = grove(estimator.estimators_, answers, block, context, n_targets=n_targets, features=features)
    return context.graph.op("Div", total, context.graph.constant(np.array([float(estimator.n_estimators)])))


def _mean(estimator: Any, tensors: list[str], context: Context) -> str:
    graph = context.graph
    return graph.op("Div", added(context, tensors), graph.constant(np.array([float(estimator.n_estimators)])))
