"""``QuantileTransformer``: the mean of two interpolations, and the quantile function of the normal distribution.

The rational approximations of the latter are those of S. L. Moshier's Cephes library, which SciPy uses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.bins import reached

__all__ = ["normal_quantile", "quantiles"]

_INT64 = 7
Doubles = NDArray[np.float64]
_BOUND = 1e-7  # how near to 0 and 1 scikit-learn lets a quantile of the normal distribution come
_TAIL = float(np.exp(-2.0))
_CENTER = (
    (-59.96335010141079, 98.00107541859997, -56.67628574690703, 13.931260938727968, -1.2391658386738125),
    (
        1.0,
        1.9544885833814176,
        4.676279128988815,
        86.36024213908905,
        -225.46268785411937,
        200.26021238006066,
        -82.03722561683334,
        15.90562251262117,
        -1.1833162112133,
    ),
)
_SIDES = (
    (
        4.0554489230596245,
        31.525109459989388,
        57.16281922464213,
        44.08050738932008,
        14.684956192885803,
        2.1866330685079025,
        -0.1402560791713545,
        -0.03504246268278482,
        -0.0008574567851546854,
    ),
    (
        1.0,
        15.779988325646675,
        45.39076351288792,
        41.3172038254672,
        15.04253856929075,
        2.504649462083094,
        -0.14218292285478779,
        -0.03808064076915783,
        -0.0009332594808954574,
    ),
)


def quantiles(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``QuantileTransformer`` to the uniform and to the normal distribution."""
    graph = context.graph
    normal = estimator.output_distribution == "normal"
    references = np.asarray(estimator.references_, np.float64)
    known = np.asarray(estimator.quantiles_, np.float64).T
    cells = context.cells(block.pieces)
    margin = _BOUND if normal else 0.0
    for cell, edges in zip(cells, known, strict=True):
        context.split_on(cell, np.concatenate([edges, edges[:1] + margin, edges[-1:] - margin]))
    x = context.matrix(cells)
    rising = _interpolated(x, known, references, context)
    falling = _interpolated(graph.op("Neg", x), -known[:, ::-1], -references[::-1], context)
    mean = graph.op("Mul", graph.op("Sub", rising, falling), graph.constant(np.array([0.5])))
    made = _bounded(x, mean, known, context, normal=normal)
    return context.computed(_clipped_quantile(made, context) if normal else made, len(cells))


def _interpolated(x: str, knots: Doubles, values: Doubles, context: Context) -> str:
    """Interpolate each column between its own knots (n_columns, n_knots), as ``numpy.interp`` does.

    Of several knots at one place the last counts; below all of them the first value, above them the last.
    """
    graph = context.graph
    last = knots.shape[1] - 1
    low, high = (graph.constant(knots[None, :, end].copy()) for end in (0, last))
    clipped = graph.op("Min", graph.op("Max", x, low), high)
    place = graph.op("Cast", reached(clipped, list(knots[:, 1:]), context), to=_INT64)
    flat = graph.op("Add", place, graph.constant(np.arange(len(knots))[None, :] * (last + 1)))
    runs = np.diff(knots, axis=1)
    rises = np.broadcast_to(np.diff(values), runs.shape)
    slopes = np.zeros_like(knots)
    np.divide(rises, runs, out=slopes[:, :-1], where=runs > 0)
    slope, start = (graph.op("Gather", graph.constant(table.ravel()), flat, axis=0) for table in (slopes, knots))
    base = graph.op("Gather", graph.constant(values.copy()), place, axis=0)
    line = graph.op("Add", graph.op("Mul", slope, graph.op("Sub", clipped, start)), base)
    return graph.op("Where", graph.op("Less", x, low), graph.constant(values[:1].copy()), line)


def _bounded(x: str, mean: str, known: Doubles, context: Context, *, normal: bool) -> str:
    """Set 0 at the lowest quantile and 1 at the highest, or a little inside of them."""
    graph = context.graph
    low, high = (graph.constant(known[None, :, end].copy()) for end in (0, -1))
    zero, one = graph.constant(np.zeros(1)), graph.constant(np.ones(1))
    if normal:
        margin = graph.constant(np.array([_BOUND]))
        below = graph.op("Less", graph.op("Sub", x, margin), low)
        above = graph.op("Greater", graph.op("Add", x, margin), high)
    else:
        below, above = graph.op("Equal", x, low), graph.op("Equal", x, high)
    return graph.op("Where", below, zero, graph.op("Where", above, one, mean))


def _clipped_quantile(shares: str, context: Context) -> str:
    graph = context.graph
    nearest = _BOUND - np.spacing(1)
    low, high = (graph.constant(np.array([float(stats.norm.ppf(end))])) for end in (nearest, 1 - nearest))
    zero, one = graph.constant(np.zeros(1)), graph.constant(np.ones(1))
    made = normal_quantile(shares, context)
    made = graph.op("Where", graph.op("LessOrEqual", shares, zero), low, made)
    made = graph.op("Where", graph.op("GreaterOrEqual", shares, one), high, made)
    made = graph.op("Where", graph.op("Less", made, low), low, made)
    return graph.op("Where", graph.op("Greater", made, high), high, made)


def normal_quantile(shares: str, context: Context) -> str:
    """Return the quantile function of the normal distribution for shares from 1e-14 to ``1 - 1e-14``."""
    graph = context.graph

    def number(value: float) -> str:
        return graph.constant(np.array([value]))

    upper = graph.op("Greater", shares, number(1.0 - _TAIL))
    tail = graph.op("Where", upper, graph.op("Sub", number(1.0), shares), shares)
    middle = graph.op("Sub", tail, number(0.5))
    square = graph.op("Mul", middle, middle)
    ratio = graph.op(
        "Div",
        graph.op("Mul", square, _polynomial(square, _CENTER[0], context)),
        _polynomial(square, _CENTER[1], context),
    )
    center = graph.op("Mul", graph.op("Add", middle, graph.op("Mul", middle, ratio)), number(float(np.sqrt(2 * np.pi))))
    x = graph.op("Sqrt", graph.op("Mul", graph.op("Log", tail), number(-2.0)))
    first = graph.op("Sub", x, graph.op("Div", graph.op("Log", x), x))
    inverse = graph.op("Div", number(1.0), x)
    second = graph.op(
        "Div",
        graph.op("Mul", inverse, _polynomial(inverse, _SIDES[0], context)),
        _polynomial(inverse, _SIDES[1], context),
    )
    side = graph.op("Sub", first, second)
    signed = graph.op("Where", upper, side, graph.op("Neg", side))
    return graph.op("Where", graph.op("Greater", tail, number(_TAIL)), center, signed)


def _polynomial(x: str, coefficients: tuple[float, ...], context: Context) -> str:
    """Evaluate a polynomial by Horner's rule, the highest power first."""
    graph = context.graph
    total = graph.constant(np.array([coefficients[0]]))
    for coefficient in coefficients[1:]:
        total = graph.op("Add", graph.op("Mul", total, x), graph.constant(np.array([coefficient])))
    return total
