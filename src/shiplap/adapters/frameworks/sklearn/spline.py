"""``SplineTransformer``: the basis of B-splines by de Boor's recursion, as SciPy computes it.

C. de Boor (1978), "A practical guide to splines", chapter X.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece
from shiplap.adapters.frameworks.sklearn.bins import reached

__all__ = ["splines"]

_INT64 = 7
Doubles = NDArray[np.float64]


def splines(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``SplineTransformer`` with any extrapolation."""
    graph = context.graph
    parts: list[str] = []
    # scikit-learn raises the degree of a linear continuation once, and keeps it for the columns after.
    degree = int(estimator.degree)
    for cell, spline in zip(context.cells(block.pieces), estimator.bsplines_, strict=True):
        knots = np.asarray(spline.t, np.float64)
        context.split_on(cell, np.unique(knots[spline.k : len(knots) - spline.k]))
        made = _extrapolated(estimator, spline, cell, degree, context)
        if estimator.extrapolation == "linear" and degree <= 1:
            degree += 1
        if getattr(estimator, "handle_missing", "error") == "zeros":
            missing = graph.op("IsNaN", context.matrix((cell,)))
            made = graph.op("Where", missing, graph.constant(np.zeros(1)), made)
        width = spline.c.shape[1]
        parts.append(made if estimator.include_bias else graph.columns(made, list(range(width - 1))))
    width = sum(spline.c.shape[1] - (not estimator.include_bias) for spline in estimator.bsplines_)
    return context.computed(parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1), width)


def _extrapolated(estimator: Any, spline: Any, cell: Cell, degree: int, context: Context) -> str:
    """Return the basis of one column, of shape (n, n_splines)."""
    x = context.matrix((cell,))
    if estimator.extrapolation == "periodic":
        x = _wrapped(x, spline, context)
    if estimator.extrapolation in {"continue", "error", "periodic"}:
        return _basis(x, spline, context, sparse=estimator.sparse_output)
    graph = context.graph
    low, high = float(spline.t[degree]), float(spline.t[-degree - 1])
    limits = graph.constant(np.array([low])), graph.constant(np.array([high]))
    inside = _basis(graph.op("Min", graph.op("Max", x, limits[0]), limits[1]), spline, context)
    below, above = graph.op("Less", x, limits[0]), graph.op("Greater", x, limits[1])
    sides = _lines if estimator.extrapolation == "linear" else _constants
    lower, upper = sides(x, spline, degree, (low, high), context)
    return graph.op("Where", below, lower, graph.op("Where", above, upper, inside))


def _constants(x: str, spline: Any, degree: int, ends: tuple[float, float], context: Context) -> tuple[str, str]:
    """Return the first `degree` splines at the lower end and the last `degree` ones at the upper, the rest 0."""
    del x
    low, high = spline(ends[0]), spline(ends[1])
    low[degree:] = 0.0
    high[: len(high) - degree] = 0.0
    return context.graph.constant(low[None, :]), context.graph.constant(high[None, :])


def _lines(x: str, spline: Any, degree: int, ends: tuple[float, float], context: Context) -> tuple[str, str]:
    """Continue the same splines along their slopes at the ends."""
    graph = context.graph
    count = degree + 1 if degree <= 1 else degree
    made = []
    for end, kept in zip(ends, (slice(0, count), slice(-count, None)), strict=True):
        value, slope = np.zeros((2, spline.c.shape[1]))
        value[kept], slope[kept] = spline(end)[kept], spline(end, nu=1)[kept]
        run = graph.op("Sub", x, graph.constant(np.array([end])))
        rise = graph.op("Mul", run, graph.constant(slope[None, :]))
        line = graph.op("Add", graph.constant(value[None, :]), rise)
        taken = np.isin(np.arange(len(value)), np.arange(len(value))[kept])[None, :]
        made.append(graph.op("Where", graph.constant(taken), line, graph.constant(np.zeros(1))))
    return made[0], made[1]


def _wrapped(x: str, spline: Any, context: Context) -> str:
    """Move a number by whole periods into the range of the knots, as NumPy's remainder does."""
    graph = context.graph
    start = float(spline.t[spline.k])
    period = float(spline.t[len(spline.t) - spline.k - 1] - start)
    if not period > 0:
        return graph.op("Mul", x, graph.constant(np.zeros(1)))
    first, length = graph.constant(np.array([start])), graph.constant(np.array([period]))
    rest = graph.op("Mod", graph.op("Sub", x, first), length, fmod=1)
    negative = graph.op("Less", rest, graph.constant(np.zeros(1)))
    return graph.op("Add", first, graph.op("Where", negative, graph.op("Add", rest, length), rest))


def _basis(x: str, spline: Any, context: Context, *, sparse: bool = False) -> str:
    """Evaluate every spline at a column `x` (n, 1): outside of the knots the outermost polynomials go on.

    In a dense answer a spline that is 0 somewhere is 0 times its overflown neighbor, which is no number; in a `sparse`
    one it is 0.
    """
    graph = context.graph
    knots, degree = np.asarray(spline.t, np.float64), int(spline.k)
    count = len(knots) - degree - 1
    place = graph.op("Cast", reached(x, [knots[degree + 1 : count]], context), to=_INT64)
    place = graph.op("Squeeze", place, graph.constant(np.array([1], np.int64)))
    shares = _recursion(x, place, knots, degree, context)
    coefficients = np.asarray(spline.c, np.float64)
    total = ""
    for step, share in enumerate(shares):
        # `place` counts from the interval [degree, degree + 1], whose first spline is the first row.
        rows = graph.op("Gather", graph.constant(coefficients[step:]), place, axis=0)
        term = graph.op("Mul", rows, share)
        if sparse:
            zero = graph.constant(np.zeros(1))
            term = graph.op("Where", graph.op("Equal", rows, zero), zero, term)
        total = graph.op("Add", total, term) if total else term
    context.terms += degree + 1
    return total


def _recursion(x: str, place: str, knots: Doubles, degree: int, context: Context) -> list[str]:
    """Return the values (n, 1) of the ``degree + 1`` splines that are not 0 in the interval at `place`."""
    graph = context.graph
    zero = graph.constant(np.zeros(1))

    def knot(offset: int) -> str:
        column = knots[degree + offset : len(knots) - degree - 1 + offset][:, None]
        return graph.op("Gather", graph.constant(np.ascontiguousarray(column)), place, axis=0)

    values = [graph.constant(np.ones(1))]
    for level in range(1, degree + 1):
        before, values = values, [zero]
        for index in range(1, level + 1):
            high, low = knot(index), knot(index - level)
            same = graph.op("Equal", high, low)
            share = graph.op("Div", before[index - 1], graph.op("Sub", high, low))
            rising = graph.op("Mul", share, graph.op("Sub", high, x))
            grown = graph.op("Add", values[index - 1], rising)
            values[index - 1] = graph.op("Where", same, values[index - 1], grown)
            values.append(graph.op("Where", same, zero, graph.op("Mul", share, graph.op("Sub", x, low))))
    return values
