"""Distances and kernels between rows and fixed points, along scikit-learn's own formulas.

Two ways to a Euclidean distance differ in their rounding: ``sklearn.metrics`` expands ``|x|^2 - 2 x.y + |y|^2``, while
trees of neighbors and SciPy add up the differences of the coordinates, one after another. Both are here.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from shiplap.adapters.frameworks.lowering import Context

__all__ = ["differences", "distances", "kernel", "product", "row_sums", "squared_distances", "unit_rows"]

_ALIASES = {"l1": "manhattan", "cityblock": "manhattan", "p": "minkowski", "infinity": "chebyshev", "l2": "euclidean"}
_ROW = np.array([1], np.int64)


def product(context: Context, tensor: str, points: NDArray[np.float64]) -> str:
    """Return the inner products of rows and points: ``X @ points.T``, of shape (n, n_points)."""
    context.terms += points.shape[1]
    return context.graph.op("MatMul", tensor, context.graph.constant(np.asarray(points, np.float64).T))


def squared_distances(
    context: Context, tensor: str, points: NDArray[np.float64], *, order: Literal["C", "F"] = "F"
) -> str:
    """Return squared Euclidean distances as ``sklearn.metrics.euclidean_distances`` has them, (n, n_points).

    A point's distance to itself is the root of a rounding error: it is the same one only where the squares are added
    in the same order, which is that of the memory.

    Parameters
    ----------
    context : Context
        Where the nodes go.
    tensor : str
        Rows, a double matrix (n, n_features).
    points : ndarray of shape (n_points, n_features)
        What they are compared with, in the order of memory in which the estimator has them.
    order : {"F", "C"}
        Order in which the original has its rows: by column, as out of a frame, or by row.
    """
    graph = context.graph
    points = np.asarray(points, np.float64)
    squares = graph.op("Mul", tensor, tensor)
    rows = _across(context, squares, points.shape[1]) if order == "C" else _running(context, squares, points.shape[1])
    norms = np.einsum("ij,ij->i", points, points)[None, :]
    middle = graph.op("Mul", product(context, tensor, points), graph.constant(np.array([-2.0])))
    total = graph.op("Add", graph.op("Add", middle, rows), graph.constant(norms))
    zero = graph.constant(np.zeros(1))
    # Not Max: a distance that is no number stays none, as in NumPy.
    return graph.op("Where", graph.op("Less", total, zero), zero, total)


def _running(context: Context, tensor: str, width: int) -> str:
    """Add up each row from left to right, as NumPy does where a column lies together in memory."""
    graph = context.graph
    return graph.columns(graph.op("CumSum", tensor, graph.constant(np.array(1, np.int64))), [width - 1])


def _across(context: Context, tensor: str, width: int) -> str:
    """Add up each row as NumPy does where a row lies together: two lanes, in blocks of eight from behind."""
    graph = context.graph
    blocks = width // 8 * 8
    starts = [start + step for start in range(0, blocks, 8) for step in (6, 4, 2, 0)] + list(range(blocks, width, 2))
    lanes = [[start + lane for start in starts if start + lane < width] for lane in (0, 1)]
    sums = [_running(context, graph.columns(tensor, lane), len(lane)) for lane in lanes if lane]
    return sums[0] if len(sums) == 1 else graph.op("Add", *sums)


def row_sums(context: Context, tensor: str, width: int) -> str:
    """Add up each row of a matrix as ``numpy.sum`` does where a row lies together: in eight lanes, and by halves.

    N. J. Higham (1993), "The accuracy of floating point summation", section 4: pairwise summation.
    """
    return _halved(context, tensor, 0, width)


def _halved(context: Context, tensor: str, start: int, count: int) -> str:
    graph = context.graph
    if count > 128:
        half = count // 2 - count // 2 % 8
        left, right = _halved(context, tensor, start, half), _halved(context, tensor, start + half, count - half)
        return graph.op("Add", left, right)
    if count < 8:
        return _running(context, graph.columns(tensor, list(range(start, start + count))), count)
    blocks = count // 8 * 8
    lanes = []
    for lane in range(8):
        places = list(range(start + lane, start + blocks, 8))
        lanes.append(_running(context, graph.columns(tensor, places), len(places)))
    while len(lanes) > 1:
        lanes = [graph.op("Add", *lanes[index : index + 2]) for index in range(0, len(lanes), 2)]
    rest = graph.columns(tensor, list(range(start + blocks, start + count)))
    return _running(context, graph.op("Concat", lanes[0], rest, axis=1), 1 + count - blocks) if count % 8 else lanes[0]


def differences(context: Context, tensor: str, points: NDArray[np.float64], power: float) -> str:
    """Return ``sum(|x - y| ** power)``, added up coordinate by coordinate; the largest for an infinite power.

    This is what trees of neighbors compare and what SciPy's ``cdist`` takes the root of, bit by bit for the powers 1,
    2 and infinity.
    """
    graph = context.graph
    context.terms += points.shape[1]
    total = ""
    for index in range(points.shape[1]):
        column = graph.columns(tensor, [index])
        apart = graph.op("Sub", column, graph.constant(np.asarray(points[None, :, index], np.float64)))
        term = graph.op("Mul", apart, apart) if power == 2 else graph.op("Abs", apart)
        if power not in {1, 2, np.inf}:
            term = graph.op("Pow", term, graph.constant(np.array([float(power)])))
        total = graph.op("Max" if power == np.inf else "Add", total, term) if total else term
    return total


def distances(context: Context, tensor: str, points: NDArray[np.float64], metric: str, p: float = 2) -> str:
    """Return distances by differences of coordinates, (n, n_points).

    Parameters
    ----------
    context, tensor, points
        As for `squared_distances`.
    metric : str
        ``euclidean``, ``sqeuclidean``, ``manhattan``, ``chebyshev``, ``minkowski`` with `p`, ``cosine``, or one of
        their other names.
    p : float
        Power of ``minkowski``.

    Raises
    ------
    RefusedError
        It is another metric.
    """
    graph = context.graph
    name = _ALIASES.get(metric, metric)
    if name == "cosine":
        return _cosine_distances(context, tensor, points)
    power = {"euclidean": 2.0, "sqeuclidean": 2.0, "manhattan": 1.0, "chebyshev": np.inf, "minkowski": float(p)}
    if name not in power:
        raise context.refuse(f"the metric {metric!r}", hint=f"use one of {', '.join(sorted(power))}, cosine")
    total = differences(context, tensor, points, power[name])
    if name == "sqeuclidean" or power[name] in {1.0, np.inf}:
        return total
    if power[name] == 2:
        return graph.op("Sqrt", total)
    return graph.op("Pow", total, graph.constant(np.array([1.0 / p])))


def _cosine_distances(context: Context, tensor: str, points: NDArray[np.float64]) -> str:
    graph = context.graph
    similar = _cosine(context, tensor, points)
    apart = graph.op("Sub", graph.constant(np.ones(1)), similar)
    low, high = graph.constant(np.array(0.0)), graph.constant(np.array(2.0))
    return graph.op("Min", graph.op("Max", apart, low), high)


def kernel(
    context: Context,
    tensor: str,
    points: NDArray[np.float64],
    name: str,
    *,
    gamma: float | None = None,
    degree: float = 3,
    coef0: float = 1,
) -> str:
    """Return a kernel between rows and points as ``sklearn.metrics.pairwise`` computes it, (n, n_points).

    Parameters
    ----------
    context, tensor, points
        As for `squared_distances`.
    name : str
        ``linear``, ``poly`` or ``polynomial``, ``rbf``, ``sigmoid``, ``laplacian``, ``cosine``, ``chi2``,
        ``additive_chi2``.
    gamma : float, optional
        ``1 / n_features`` when it is not given, 1 for ``chi2``.
    degree, coef0 : float
        Of the kernels that have them.

    Raises
    ------
    RefusedError
        It is another kernel.
    """
    graph = context.graph
    points = np.asarray(points, np.float64)
    if gamma is None:
        gamma = 1.0 if name == "chi2" else 1.0 / points.shape[1]
    if name == "linear":
        return product(context, tensor, points)
    if name == "cosine":
        return _cosine(context, tensor, points)
    if name == "rbf":
        return _exp(context, squared_distances(context, tensor, points), -gamma)
    if name == "laplacian":
        return _exp(context, differences(context, tensor, points, 1), -gamma)
    if name in {"chi2", "additive_chi2"}:
        chi2 = _chi2(context, tensor, points)
        return _exp(context, chi2, gamma) if name == "chi2" else chi2
    if name not in {"poly", "polynomial", "sigmoid"}:
        raise context.refuse(f"the kernel {name!r}", hint="use linear, poly, rbf, sigmoid, laplacian, cosine or chi2")
    scaled = graph.op("Mul", product(context, tensor, points), graph.constant(np.array([float(gamma)])))
    moved = graph.op("Add", scaled, graph.constant(np.array([float(coef0)])))
    if name == "sigmoid":
        return graph.op("Tanh", moved)
    return graph.op("Pow", moved, graph.constant(np.array([float(degree)])))


def _exp(context: Context, tensor: str, factor: float) -> str:
    graph = context.graph
    return graph.op("Exp", graph.op("Mul", tensor, graph.constant(np.array([float(factor)]))))


def unit_rows(context: Context, tensor: str, norm: str = "l2") -> str:
    """Divide each row by its norm as ``sklearn.preprocessing.normalize`` does: rows of almost nothing stay."""
    graph = context.graph
    axes = graph.constant(_ROW)
    if norm == "l2":
        length = graph.op("Sqrt", graph.op("ReduceSum", graph.op("Mul", tensor, tensor), axes, keepdims=1))
    else:
        length = graph.op("ReduceSum" if norm == "l1" else "ReduceMax", graph.op("Abs", tensor), axes, keepdims=1)
    tiny = graph.constant(np.array([10 * np.finfo(np.float64).eps]))
    safe = graph.op("Where", graph.op("Less", length, tiny), graph.constant(np.ones(1)), length)
    return graph.op("Div", tensor, safe)


def _cosine(context: Context, tensor: str, points: NDArray[np.float64]) -> str:
    unit: Any = normalize(points)
    return product(context, unit_rows(context, tensor), unit)


def _chi2(context: Context, tensor: str, points: NDArray[np.float64]) -> str:
    graph = context.graph
    zero = graph.constant(np.zeros(1))
    context.terms += points.shape[1]
    total = ""
    for index in range(points.shape[1]):
        column, there = graph.columns(tensor, [index]), graph.constant(points[None, :, index])
        apart, both = graph.op("Sub", column, there), graph.op("Add", column, there)
        share = graph.op("Div", graph.op("Mul", apart, apart), both)
        term = graph.op("Where", graph.op("Equal", both, zero), zero, share)
        total = graph.op("Add", total, term) if total else term
    return graph.op("Neg", total)
