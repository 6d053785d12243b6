"""``GradientBoosting*``: float32 in, doubles inside; the start value is the first tree, so the sum keeps its order."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, softmax
from shiplap.adapters.frameworks.sklearn.trees import add_tree, note_thresholds, single_precision
from shiplap.adapters.frameworks.trees import Forest

__all__ = ["boosting_classifier", "boosting_regressor"]


def boosting_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``GradientBoostingRegressor``."""
    del method
    return _raw(estimator, block, context)


def boosting_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``GradientBoostingClassifier`` with log loss or exponential loss."""
    raw = _raw(estimator, block, context)
    if method == "decision_function":
        return raw
    if estimator.n_classes_ > 2:
        return softmax(context, raw)
    if estimator.loss == "exponential":
        raw = context.graph.op("Mul", raw, context.graph.constant(np.array([2.0])))
    return both_classes(context, context.graph.op("Sigmoid", raw))


def _raw(estimator: Any, block: Block, context: Context) -> str:
    if not isinstance(estimator.init_, str) and not type(estimator.init_).__name__.startswith("Dummy"):
        raise context.refuse(
            f"it starts from a {type(estimator.init_).__name__}", hint="leave init at its default or use 'zero'"
        )
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))[0]
    forest = Forest()
    for target, value in enumerate(start):
        forest.root(forest.leaf(target, float(value)))
    for stage in estimator.estimators_:
        for target, tree in enumerate(stage):
            add_tree(forest, tree.tree_, estimator.learning_rate * tree.tree_.value[:, 0, 0], target)
    context.terms += len(estimator.estimators_)
    note_thresholds(context, block, forest, [tree.tree_ for stage in estimator.estimators_ for tree in stage])
    return forest.emit(context.graph, single_precision(context, block), n_targets=len(start))
