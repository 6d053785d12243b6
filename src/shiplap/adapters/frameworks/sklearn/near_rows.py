"""Transformers that ask the nearest rows of their fit: graphs of neighbors, ``Isomap``, ``LocallyLinearEmbedding``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.centers import kernel_scores
from shiplap.adapters.frameworks.sklearn.nearest import Near, nearest, within

__all__ = ["geodesics", "locally_linear", "neighbor_graph", "radius_graph"]

_ROW = np.array([1], np.int64)


def neighbor_graph(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``KNeighborsTransformer``: a column for each row of the fit, 0 where it is not among the nearest."""
    tensor = context.matrix(block.pieces)
    count = estimator.n_neighbors + (estimator.mode == "distance")
    return _as_columns(estimator, nearest(context, tensor, estimator, count), context)


def radius_graph(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``RadiusNeighborsTransformer``."""
    tensor = context.matrix(block.pieces)
    return _as_columns(estimator, within(context, tensor, estimator, float(estimator.radius)), context)


def _as_columns(estimator: Any, near: Near, context: Context) -> tuple[Piece, ...]:
    graph = context.graph
    zero = graph.constant(np.zeros(1))
    made = near.counts
    if estimator.mode == "distance":
        made = graph.op("Where", graph.op("Greater", made, zero), graph.op("Mul", made, near.far), zero)
    return context.computed(made, int(estimator.n_samples_fit_))


def _neighbors(tensor: str, search: Any, count: int, context: Context) -> tuple[str, str]:
    """Return positions and distances of the nearest rows of the fit, both (n, count), the nearest first."""
    graph = context.graph
    near = nearest(context, tensor, search, count)
    chosen = graph.op("Greater", near.counts, graph.constant(np.zeros(1)))
    far = graph.op("Where", chosen, near.far, graph.constant(np.array([np.inf])))
    places = graph.top(far, count)
    return places, graph.op("GatherElements", far, places, axis=1)


def geodesics(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``Isomap``: the shortest way to each row of the fit over a near one, and the kernel of that."""
    if estimator.n_neighbors is None:
        raise context.refuse("it asks all neighbors within a radius", hint="fit it with n_neighbors")
    graph = context.graph
    between = graph.constant(np.asarray(estimator.dist_matrix_, np.float64))
    places, far = _neighbors(context.matrix(block.pieces), estimator.nbrs_, int(estimator.n_neighbors), context)
    shortest = ""
    for index in range(int(estimator.n_neighbors)):
        place = graph.op("Squeeze", graph.columns(places, [index]), graph.constant(_ROW))
        way = graph.op("Add", graph.op("Gather", between, place, axis=0), graph.columns(far, [index]))
        shortest = graph.op("Min", shortest, way) if shortest else way
    squares = graph.op("Mul", graph.op("Mul", shortest, shortest), graph.constant(np.array([-0.5])))
    made = kernel_scores(estimator.kernel_pca_, squares, context)
    return context.computed(made, len(estimator.kernel_pca_.eigenvalues_))


def locally_linear(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``LocallyLinearEmbedding``: a row as a weighted sum of its nearest, there and in the embedding."""
    graph = context.graph
    count = int(estimator.n_neighbors)
    tensor = context.matrix(block.pieces)
    points = np.asarray(estimator.nbrs_._fit_X, np.float64)
    places, _ = _neighbors(tensor, estimator.nbrs_, count, context)
    there = graph.op("Gather", graph.constant(points), places, axis=0)
    apart = graph.op("Sub", there, graph.op("Unsqueeze", tensor, graph.constant(_ROW)))
    gram = graph.op("MatMul", apart, graph.op("Transpose", apart, perm=[0, 2, 1]))
    context.terms += points.shape[1] + count
    weights = _solved(_regularized(gram, count, float(estimator.reg), context), count, context)
    weights = graph.op("Div", weights, graph.op("ReduceSum", weights, graph.constant(_ROW), keepdims=1))
    embedded = graph.op("Gather", graph.constant(np.asarray(estimator.embedding_, np.float64)), places, axis=0)
    made = graph.op("ReduceSum", graph.op("Mul", embedded, weights), graph.constant(_ROW), keepdims=0)
    return context.computed(made, int(estimator.embedding_.shape[1]))


def _regularized(gram: str, count: int, share: float, context: Context) -> str:
    """Add a share of the trace to the diagonal of each matrix (n, count, count)."""
    graph = context.graph
    eye = np.eye(count)[None]
    axes = graph.constant(np.array([1, 2], np.int64))
    trace = graph.op("ReduceSum", graph.op("Mul", gram, graph.constant(eye)), axes, keepdims=1)
    scaled = graph.op("Mul", trace, graph.constant(np.array([share])))
    positive = graph.op("Greater", trace, graph.constant(np.zeros(1)))
    added = graph.op("Where", positive, scaled, graph.constant(np.array([share])))
    return graph.op("Add", gram, graph.op("Mul", added, graph.constant(eye)))


def _solved(matrices: str, count: int, context: Context) -> str:
    """Solve ``A w = 1`` for positive definite matrices (n, count, count), by elimination; (n, count, 1)."""
    graph = context.graph
    ones = graph.op("ReduceSum", matrices, graph.constant(np.array([2], np.int64)), keepdims=1)
    ones = graph.op("Cast", graph.op("Equal", ones, ones), to=11)
    state = graph.op("Concat", matrices, ones, axis=2)
    for index in range(count):
        row = _picked(state, index, 1, context)
        row = graph.op("Div", row, _picked(row, index, 2, context))
        column = graph.op("Mul", _picked(state, index, 2, context), graph.constant(_others(count, index)))
        state = graph.op("Sub", state, graph.op("Mul", column, row))
        state = graph.op("Where", graph.constant(_others(count, index) > 0), state, row)
    return _picked(state, count, 2, context)


def _picked(tensor: str, index: int, axis: int, context: Context) -> str:
    return context.graph.op("Gather", tensor, context.graph.constant(np.array([index])), axis=axis)


def _others(count: int, index: int) -> NDArray[np.float64]:
    """Return 1 for each row of a matrix but one, (1, count, 1)."""
    mask = np.ones((1, count, 1))
    mask[0, index] = 0.0
    return mask
