"""``PolynomialFeatures``: products of columns, multiplied in the order in which scikit-learn multiplies them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece

__all__ = ["polynomial"]

Terms = dict[tuple[int, ...], int]


def polynomial(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``PolynomialFeatures``: a term is the term without its first column, times that column."""
    graph = context.graph
    matrix = context.matrix(block.pieces)
    wanted = [
        tuple(index for index, power in enumerate(powers) for _ in range(power))
        for powers in estimator.powers_.tolist()
    ]
    levels: dict[int, tuple[str, Terms]] = {}
    needed = {terms[start:] for terms in wanted for start in range(len(terms))}
    for degree in range(1, max((len(terms) for terms in wanted), default=0) + 1):
        made = sorted(terms for terms in needed if len(terms) == degree)
        first = graph.columns(matrix, [terms[0] for terms in made])
        if degree > 1:
            tensor, places = levels[degree - 1]
            first = graph.op("Mul", graph.columns(tensor, [places[terms[1:]] for terms in made]), first)
        levels[degree] = first, {terms: index for index, terms in enumerate(made)}
    parts = [_ones(matrix, context)] if () in wanted else []
    for degree, (tensor, places) in levels.items():
        chosen = [places[terms] for terms in wanted if len(terms) == degree]
        if chosen:
            parts.append(graph.columns(tensor, chosen))
    return context.computed(parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1), len(wanted))


def _ones(matrix: str, context: Context) -> str:
    """Return a column of ones, as long as the matrix."""
    graph = context.graph
    return graph.op("ConstantOfShape", graph.op("Shape", graph.columns(matrix, [0])), value=np.array([1.0]))
