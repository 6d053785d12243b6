"""``IsolationForest``: how deep its trees go until a row stands alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble._iforest import _average_path_length

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.groves import grove
from shiplap.adapters.frameworks.sklearn.labels import second_where

__all__ = ["isolation_forest"]


def isolation_forest(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``IsolationForest``: ``2 ** -(mean depth / usual depth)``, where less is more of an outlier."""
    graph = context.graph
    usual = len(estimator.estimators_) * float(_average_path_length([estimator._max_samples])[0])
    if usual == 0:
        raise context.refuse("it was fitted on one row a tree: all rows are alike", hint="use max_samples of 2 or more")
    depths = [
        (lengths + average - 1.0)[:, None]
        for lengths, average in zip(
            estimator._decision_path_lengths, estimator._average_path_length_per_tree, strict=True
        )
    ]
    depth = grove(estimator.estimators_, depths, block, context, features=estimator.estimators_features_)
    share = graph.op("Div", depth, graph.constant(np.array([usual])))
    score = graph.op("Neg", graph.op("Pow", graph.constant(np.array([2.0])), graph.op("Neg", share)))
    if method == "score_samples":
        return score
    decision = graph.op("Sub", score, graph.constant(np.array([float(estimator.offset_)])))
    if method == "decision_function":
        return decision
    return second_where(context, graph.op("Less", decision, graph.constant(np.array([0.0]))))
