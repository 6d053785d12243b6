"""``DummyClassifier`` and ``DummyRegressor``: the same answer whatever the row."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot

__all__ = ["classifier", "regressor", "repeated"]


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``DummyClassifier`` where it leaves nothing to chance."""
    if estimator.strategy in {"stratified", "uniform"}:
        raise context.refuse(
            f"the strategy '{estimator.strategy}' draws its labels at random", hint="use the strategy 'prior'"
        )
    shares = estimator.predict_proba(np.zeros((1, 1)))
    answer = repeated(context, block, np.hstack(shares) if isinstance(shares, list) else shares)
    if method != "predict":
        return answer
    if isinstance(shares, list):
        raise context.refuse("labels of several targets", hint="ask for predict_proba")
    return one_hot(context, first_largest(context, answer), len(estimator.classes_))


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``DummyRegressor``."""
    del method
    return repeated(context, block, np.asarray(estimator.constant_, np.float64).reshape(1, -1))


def repeated(context: Context, block: Block, row: Any) -> str:
    """Return one row of numbers as often as there are rows."""
    graph = context.graph
    shape = graph.op("Shape", context.matrix(block.pieces))
    count = graph.op("Slice", shape, graph.constant(np.array([0])), graph.constant(np.array([1])))
    target = graph.op("Concat", count, graph.constant(np.array([row.shape[1]])), axis=0)
    return graph.op("Expand", graph.constant(np.asarray(row, np.float64)), target)
