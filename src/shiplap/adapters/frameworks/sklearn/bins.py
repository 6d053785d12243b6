"""Numbers as one of a few: ``Binarizer`` and ``KBinsDiscretizer``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece
from shiplap.adapters.frameworks.trees import LT, Forest

__all__ = ["bins", "one_hot", "reached", "threshold"]

_FLOAT, _DOUBLE = 1, 11


def threshold(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``Binarizer``: 1 above the threshold, else 0."""
    cells = context.cells(block.pieces)
    limit = np.array([float(estimator.threshold)])
    for cell in cells:
        context.split_on(cell, limit)
    above = context.graph.op("Greater", context.matrix(cells), context.graph.constant(limit))
    return context.computed(context.graph.op("Cast", above, to=_DOUBLE), len(cells), integral=True)


def bins(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``KBinsDiscretizer``: how many of a column's inner edges a number reaches, as a code or one-hot."""
    graph = context.graph
    cells = context.cells(block.pieces)
    inner = [np.asarray(edges[1:-1], np.float64) for edges in estimator.bin_edges_]
    matrix = context.matrix(cells)
    if estimator.dtype is np.float32:
        matrix = graph.op("Cast", graph.op("Cast", matrix, to=_FLOAT), to=_DOUBLE)
    for cell, edges in zip(cells, inner, strict=True):
        context.split_on(cell, edges)
    codes = context.computed(reached(matrix, inner, context), len(cells), integral=True)
    if estimator.encode == "ordinal":
        return codes
    return one_hot(codes, [np.arange(count, dtype=np.float64) for count in estimator.n_bins_], context)


def reached(matrix: str, limits: list[NDArray[np.float64]], context: Context) -> str:
    """Count, column by column, how many of the column's sorted `limits` lie at or below the number.

    One search tree a column, all of them in one node.
    """
    forest = Forest()
    for column, values in enumerate(limits):
        forest.root(_search(forest, column, values, (0, len(values))))
    return forest.emit(context.graph, matrix, n_targets=len(limits))


def _search(forest: Forest, column: int, values: NDArray[np.float64], between: tuple[int, int]) -> int:
    low, high = between
    if low == high:
        return forest.leaf(column, float(low))
    middle = (low + high) // 2
    below = _search(forest, column, values, (low, middle))
    return forest.node(
        column, float(values[middle]), below, _search(forest, column, values, (middle + 1, high)), mode=LT
    )


def one_hot(cells: tuple[Cell, ...], values: list[NDArray[np.float64]], context: Context) -> tuple[Cell, ...]:
    """Compare each cell with its values: one column a value, 1 where they are equal."""
    graph = context.graph
    columns = [index for index, known in enumerate(values) for _ in known]
    spread = graph.columns(context.matrix(cells), columns)
    equal = graph.op("Equal", spread, graph.constant(np.concatenate(values)))
    return context.computed(graph.op("Cast", equal, to=_DOUBLE), len(columns), integral=True)
