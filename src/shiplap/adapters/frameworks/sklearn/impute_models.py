"""Imputers that look at the other columns: ``KNNImputer`` and ``IterativeImputer``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece
from shiplap.adapters.frameworks.sklearn.impute import indicators, missing
from shiplap.adapters.frameworks.sklearn.pairwise import squared_distances

__all__ = ["iterative_imputer", "neighbor_imputer"]

_DOUBLE = 11
_ROW = np.array([1], np.int64)


def neighbor_imputer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``KNNImputer``: the mean of the nearest rows that have the value; of equally near ones the first."""
    if estimator.metric != "nan_euclidean" or callable(estimator.weights):
        raise context.refuse("its metric or its weights are code", hint="use nan_euclidean, and uniform or distance")
    graph = context.graph
    cells = context.cells(block.pieces)
    matrix = context.matrix(cells)
    gone = missing(matrix, estimator.missing_values, context)
    apart = _distances(estimator, matrix, gone, context)
    columns = []
    for index, valid in enumerate(estimator._valid_mask):
        column = graph.columns(matrix, [index])
        if valid:
            gap = graph.op("Gather", gone, graph.constant(np.array([index])), axis=1)
            columns.append(graph.op("Where", gap, _from_neighbors(estimator, index, (apart, gap), context), column))
        elif estimator.keep_empty_features:
            columns.append(graph.op("Where", graph.op("IsNaN", column), graph.constant(np.zeros(1)), column))
            columns[-1] = graph.op("Mul", columns[-1], graph.constant(np.zeros(1)))
    if not columns:
        raise context.refuse("every column was empty in fit", hint="leave the imputer out")
    filled = context.computed(graph.op("Concat", *columns, axis=1), len(columns))
    if not estimator.add_indicator:
        return filled
    features = [int(index) for index in estimator.indicator_.features_]
    return (*filled, *indicators(block, features, estimator.missing_values, context))


def _distances(estimator: Any, matrix: str, gone: str, context: Context) -> str:
    """Return the distances over the columns that both rows have, (n, n_fit); NaN where there is none."""
    graph = context.graph
    zero, one = graph.constant(np.zeros(1)), graph.constant(np.ones(1))
    holes = np.asarray(estimator._mask_fit_X, bool)
    points = np.array(estimator._fit_X, np.float64, order="K")
    points[holes] = 0.0
    rows = graph.op("Where", gone, zero, matrix)
    absent = graph.op("Cast", gone, to=_DOUBLE)
    total = squared_distances(context, rows, points, order="C")
    squares = graph.op("MatMul", graph.op("Mul", rows, rows), graph.constant(holes.T.astype(np.float64)))
    total = graph.op("Sub", total, squares)
    total = graph.op("Sub", total, graph.op("MatMul", absent, graph.constant((points * points).T)))
    total = graph.op("Where", graph.op("Less", total, zero), zero, total)
    present = graph.op("MatMul", graph.op("Sub", one, absent), graph.constant((~holes).T.astype(np.float64)))
    mean = graph.op("Mul", graph.op("Div", total, present), graph.constant(np.array([float(holes.shape[1])])))
    none = graph.op("Equal", present, zero)
    return graph.op("Where", none, graph.constant(np.array([np.nan])), graph.op("Sqrt", mean))


def _from_neighbors(estimator: Any, index: int, found: tuple[str, str], context: Context) -> str:
    """Return what fills column `index`, (n, 1): the mean of its donors, of all of them where none is comparable."""
    graph = context.graph
    apart, gap = found
    holes = np.asarray(estimator._mask_fit_X, bool)[:, index]
    donors = np.flatnonzero(~holes)
    values = np.asarray(estimator._fit_X, np.float64)[donors, index]
    near = graph.columns(apart, donors.tolist())
    unknown = graph.op("IsNaN", near)
    ranked = graph.op("Where", unknown, graph.constant(np.array([np.inf])), near)
    count = min(int(estimator.n_neighbors), len(donors))
    chosen = graph.top(ranked, count)
    if count < len(donors):
        _doubted(ranked, count, gap, context)
    weights = _weights(estimator, near, chosen, context)
    given = graph.op("Gather", graph.constant(values), chosen, axis=0)
    axes = graph.constant(_ROW)
    context.terms += int(estimator.n_neighbors)
    weighted = graph.op("ReduceSum", graph.op("Mul", given, weights), axes, keepdims=1)
    mean = graph.op("Div", weighted, graph.op("ReduceSum", weights, axes, keepdims=1))
    compared = graph.op("ReduceMin", graph.op("Cast", unknown, to=_DOUBLE), axes, keepdims=1)
    alone = graph.op("Equal", compared, graph.constant(np.ones(1)))
    return graph.op("Where", alone, graph.constant(np.array([float(values.mean())])), mean)


def _doubted(ranked: str, count: int, gap: str, context: Context) -> None:
    """Note where the last donor taken is as near as the first left out: NumPy's partition takes either."""
    graph = context.graph
    order = graph.top(ranked, count + 1)
    edges = [graph.op("GatherElements", ranked, graph.columns(order, [index]), axis=1) for index in (count - 1, count)]
    tied = graph.op("And", graph.op("Equal", *edges), gap)
    context.doubt(graph.op("Cast", tied, to=_DOUBLE))


def _weights(estimator: Any, near: str, chosen: str, context: Context) -> str:
    """Return the weights of the chosen donors: 0 where the distance is none; those at distance 0 count alone."""
    graph = context.graph
    zero, one = graph.constant(np.zeros(1)), graph.constant(np.ones(1))
    apart = graph.op("GatherElements", near, chosen, axis=1)
    unknown = graph.op("IsNaN", apart)
    if estimator.weights == "uniform":
        return graph.op("Where", unknown, zero, one)
    same = graph.op("Cast", graph.op("Equal", apart, zero), to=_DOUBLE)
    touching = graph.op("ReduceMax", same, graph.constant(_ROW), keepdims=1)
    inverse = graph.op("Where", unknown, zero, graph.op("Div", one, apart))
    return graph.op("Where", graph.op("Equal", touching, one), same, inverse)


def iterative_imputer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``IterativeImputer``: the models of each round, one after another, on what the former ones filled in."""
    if estimator.sample_posterior:
        raise context.refuse("it draws its values by chance", hint="fit it with sample_posterior=False")
    graph = context.graph
    start = context.transformed(estimator.initial_imputer_, block, "initial_imputer_")
    columns: list[Cell] = list(context.cells(start.pieces))
    empty = enumerate(estimator._is_empty_feature)
    pieces = context.cells(block.take([index for index, none in empty if estimator.keep_empty_features or not none]))
    for triplet in estimator.imputation_sequence_ if estimator.n_iter_ else ():
        index = int(triplet.feat_idx)
        neighbors = tuple(columns[int(other)] for other in triplet.neighbor_feat_idx)
        model = triplet.estimator
        tensor, _ = context.response(model, Block(neighbors, _unknown), ("predict",), f"column {index}")
        low, high = (graph.constant(np.array(float(limits[index]))) for limits in _limits(estimator))
        guess = graph.op("Min", graph.op("Max", tensor, low), high)
        gap = missing(context.matrix((pieces[index],)), estimator.missing_values, context)
        filled = graph.op("Where", gap, guess, context.matrix((columns[index],)))
        columns[index] = context.computed(filled, 1)[0]
    if not estimator.add_indicator:
        return tuple(columns)
    features = [int(index) for index in estimator.indicator_.features_]
    return (*columns, *indicators(block, features, estimator.missing_values, context))


def _limits(estimator: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return estimator._min_value, estimator._max_value


def _unknown(frame: Any) -> Any:
    raise ValueError(f"the imputer alone knows what its models read of {len(frame)} rows")
