"""Feature selection: columns pass as they are, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece

__all__ = ["agglomerated", "selected"]

_POOLS: dict[Any, str] = {np.max: "ReduceMax", np.min: "ReduceMin", np.sum: "ReduceSum"}


def selected(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower every selector of ``sklearn.feature_selection``: it says itself which columns it keeps."""
    del context
    return block.take([int(index) for index in estimator.get_support(indices=True)])


def agglomerated(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``FeatureAgglomeration``: the mean, sum, smallest or largest of each cluster of columns."""
    graph = context.graph
    pool = estimator.pooling_func
    mean = pool is np.mean
    if not mean and pool not in _POOLS:
        shown = getattr(pool, "__qualname__", repr(pool))
        raise context.refuse(
            f"the function '{shown}' is code, and a ship carries none", hint="pool with numpy's mean, sum, min or max"
        )
    matrix = context.matrix(block.pieces)
    axes = graph.constant(np.array([1], np.int64))
    pooled = []
    for label in np.unique(estimator.labels_):
        members = np.flatnonzero(estimator.labels_ == label).tolist()
        column = graph.op(_POOLS.get(pool, "ReduceSum"), graph.columns(matrix, members), axes, keepdims=1)
        pooled.append(graph.op("Div", column, graph.constant(np.array([float(len(members))]))) if mean else column)
    context.terms += len(estimator.labels_)
    return context.computed(graph.op("Concat", *pooled, axis=1), len(pooled))
