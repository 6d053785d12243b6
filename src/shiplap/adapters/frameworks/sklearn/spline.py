"""``SplineTransformer``: the basis of B-splines by de Boor's recursion, as SciPy computes it, all columns at once.

C. de Boor (1978), "A practical guide to splines", chapter X.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.bins import reached

__all__ = ["splines"]

_INT64 = 7
_LAST = np.array([2], np.int64)
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class _Splines:
    """The splines of all columns: knots (n_columns, n_knots), coefficients (n_columns, n_rows, n_splines)."""

    knots: Doubles
    coefficients: Doubles
    degree: int

    @property
    def intervals(self) -> int:
        """Between how many pairs of knots there is something."""
        return int(self.knots.shape[1]) - 2 * self.degree - 1


def splines(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``SplineTransformer`` with any extrapolation."""
    graph = context.graph
    cells = context.cells(block.pieces)
    known = _Splines(
        np.array([spline.t for spline in estimator.bsplines_], np.float64),
        np.array([spline.c for spline in estimator.bsplines_], np.float64),
        int(estimator.bsplines_[0].k),
    )
    for cell, knots in zip(cells, known.knots, strict=True):
        context.split_on(cell, np.unique(knots[known.degree : len(knots) - known.degree]))
    x = context.matrix(cells)
    made = _extrapolated(estimator, x, known, context)
    if getattr(estimator, "handle_missing", "error") == "zeros":
        made = graph.op("Where", _deep(graph.op("IsNaN", x), context), graph.constant(np.zeros(1)), made)
    width = known.coefficients.shape[2]
    flat = graph.op("Reshape", made, graph.constant(np.array([0, len(cells) * width])))
    if estimator.include_bias:
        return context.computed(flat, len(cells) * width)
    kept = [index for index in range(len(cells) * width) if (index + 1) % width]
    return context.computed(graph.columns(flat, kept), len(kept))


def _deep(tensor: str, context: Context) -> str:
    """Give a matrix (n, n_columns) an axis for the splines of each column."""
    return context.graph.op("Unsqueeze", tensor, context.graph.constant(_LAST))


def _extrapolated(estimator: Any, x: str, known: _Splines, context: Context) -> str:
    """Return the splines of every column, of shape (n, n_columns, n_splines)."""
    if estimator.extrapolation == "periodic":
        x = _wrapped(x, known, context)
    if estimator.extrapolation in {"continue", "error", "periodic"}:
        return _basis(x, known, context, sparse=estimator.sparse_output)
    graph = context.graph
    linear = estimator.extrapolation == "linear"
    degrees = _degrees(estimator, linear=linear)
    columns = range(len(degrees))
    ends = np.array([known.knots[index, [degrees[index], -degrees[index] - 1]] for index in columns]).T[:, None, :]
    low, high = (graph.constant(np.ascontiguousarray(end)) for end in ends)
    inside = _basis(graph.op("Min", graph.op("Max", x, low), high), known, context)
    sides = [
        _line(estimator.bsplines_, x, end[0], _kept(degrees, known, last=last, linear=linear), linear, context)
        for last, end in enumerate(ends)
    ]
    below, above = (_deep(graph.op(name, x, end), context) for name, end in (("Less", low), ("Greater", high)))
    return graph.op("Where", below, sides[0], graph.op("Where", above, sides[1], inside))


def _degrees(estimator: Any, *, linear: bool) -> list[int]:
    """Return the degree that counts for each column.

    scikit-learn raises the degree of a linear continuation after the first column, and keeps it for those after.
    """
    degree, found = int(estimator.degree), []
    for _ in estimator.bsplines_:
        found.append(degree)
        degree += int(linear and degree <= 1)
    return found


def _kept(degrees: list[int], known: _Splines, *, last: int, linear: bool) -> NDArray[np.bool_]:
    """Return which splines go on beyond an end: the first or the last few, (n_columns, n_splines)."""
    width = known.coefficients.shape[2]
    counts = np.array([degree + int(linear and degree <= 1) for degree in degrees])
    places = np.arange(width)[::-1] if last else np.arange(width)
    kept: NDArray[np.bool_] = places[None, :] < counts[:, None]
    return kept


def _line(bsplines: Any, x: str, ends: Doubles, kept: NDArray[np.bool_], linear: bool, context: Context) -> str:
    """Continue the `kept` splines from their values at the ends, along their slopes where it is `linear`."""
    graph = context.graph
    pairs = list(zip(bsplines, ends.tolist(), strict=True))
    values = np.array([spline(end) for spline, end in pairs])
    constant = graph.constant(np.where(kept, values, 0.0)[None])
    if not linear:
        return constant
    slopes = np.array([spline(end, nu=1) for spline, end in pairs])
    run = _deep(graph.op("Sub", x, graph.constant(ends[None, :])), context)
    line = graph.op("Add", constant, graph.op("Mul", run, graph.constant(np.where(kept, slopes, 0.0)[None])))
    return graph.op("Where", graph.constant(kept[None]), line, graph.constant(np.zeros(1)))


def _wrapped(x: str, known: _Splines, context: Context) -> str:
    """Move numbers by whole periods into the range of the knots, as NumPy's remainder does."""
    graph, zero = context.graph, context.graph.constant(np.zeros(1))
    start = known.knots[None, :, known.degree]
    period = known.knots[None, :, known.knots.shape[1] - known.degree - 1] - start
    first, length = graph.constant(start.copy()), graph.constant(period)
    rest = graph.op("Mod", graph.op("Sub", x, first), length, fmod=1)
    negative = graph.op("Less", rest, zero)
    moved = graph.op("Add", first, graph.op("Where", negative, graph.op("Add", rest, length), rest))
    return graph.op("Where", graph.constant(period > 0), moved, zero)


def _basis(x: str, known: _Splines, context: Context, *, sparse: bool = False) -> str:
    """Evaluate every spline: outside of the knots the outermost polynomials go on.

    In a dense answer a spline that is 0 somewhere is 0 times its overflown neighbor, which is no number; in a `sparse`
    one it is 0.
    """
    graph, degree, intervals = context.graph, known.degree, known.intervals
    inner = [knots[degree + 1 : degree + intervals] for knots in known.knots]
    place = graph.op("Cast", reached(x, inner, context), to=_INT64)
    place = graph.op("Add", place, graph.constant(np.arange(len(inner))[None, :] * intervals))
    total = ""
    for step, share in enumerate(_recursion(x, place, known, context)):
        # `place` counts from the interval whose first spline is the first row.
        rows = known.coefficients[:, step : step + intervals].reshape(-1, known.coefficients.shape[2])
        given = graph.op("Gather", graph.constant(rows), place, axis=0)
        term = graph.op("Mul", given, _deep(share, context) if degree else share)
        if sparse:
            zero = graph.constant(np.zeros(1))
            term = graph.op("Where", graph.op("Equal", given, zero), zero, term)
        total = graph.op("Add", total, term) if total else term
    context.terms += degree + 1
    return total


def _recursion(x: str, place: str, known: _Splines, context: Context) -> list[str]:
    """Return the values (n, n_columns) of the ``degree + 1`` splines that are not 0 in the interval at `place`."""
    graph = context.graph
    zero = graph.constant(np.zeros(1))

    def knot(offset: int) -> str:
        start = known.degree + offset
        table = known.knots[:, start : start + known.intervals].ravel()
        return graph.op("Gather", graph.constant(table), place, axis=0)

    values = [graph.constant(np.ones(1))]
    for level in range(1, known.degree + 1):
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
