"""``IsotonicRegression``: straight lines between knots; beyond them clipped, no number, or refused by the library."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.calibrate import interpolated

__all__ = ["isotonic", "isotonic_transform"]


def isotonic(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``IsotonicRegression``; where the library raises beyond its knots, the answer here is no number."""
    del method
    graph = context.graph
    x, y = estimator.X_thresholds_, np.asarray(estimator.y_thresholds_, np.float64)
    if x.dtype != np.float64:
        raise context.refuse("it was fitted on single precision", hint="fit it on float64")
    for cell in context.cells(block.pieces):
        context.split_on(cell, np.asarray(x))
    tensor = context.matrix(block.pieces)
    answer = interpolated(tensor, x, y, context)
    if estimator.out_of_bounds == "clip" or len(y) == 1:
        return answer
    low, high = (graph.constant(np.array([float(limit)])) for limit in (x[0], x[-1]))
    known = graph.op("And", graph.op("GreaterOrEqual", tensor, low), graph.op("LessOrEqual", tensor, high))
    return graph.op("Where", known, answer, graph.constant(np.array([np.nan])))


def isotonic_transform(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``transform``, which answers as ``predict`` does."""
    return context.computed(isotonic(estimator, block, context, "transform"), 1)
