"""Scalers: the same subtraction and division, in the same order and precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Origin, Piece
from shiplap.adapters.frameworks.sklearn.pairwise import unit_rows

__all__ = ["max_abs_scaler", "min_max_scaler", "normalizer", "robust_scaler", "standard_scaler"]


def standard_scaler(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``StandardScaler``: subtract the mean, divide by the scale."""
    return _shifted(
        block,
        context,
        estimator.mean_ if estimator.with_mean else None,
        estimator.scale_ if estimator.with_std else None,
    )


def robust_scaler(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``RobustScaler``: subtract the median, divide by the range."""
    return _shifted(
        block,
        context,
        estimator.center_ if estimator.with_centering else None,
        estimator.scale_ if estimator.with_scaling else None,
    )


def max_abs_scaler(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``MaxAbsScaler``: divide by the largest absolute value."""
    cells = _shifted(block, context, None, estimator.scale_)
    return _clipped(cells, context, (-1.0, 1.0)) if getattr(estimator, "clip", False) else cells


def min_max_scaler(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``MinMaxScaler``: multiply by the scale, then add the minimum, then clip where it was asked to."""
    inner = context.cells(block.pieces)
    graph = context.graph
    product = graph.op("Mul", context.matrix(inner), graph.constant(np.asarray(estimator.scale_, np.float64)))
    tensor = graph.op("Add", product, graph.constant(np.asarray(estimator.min_, np.float64)))
    origins = [
        _composed(cell.origin, 1 / scale, -low / scale)
        for cell, scale, low in zip(inner, estimator.scale_, estimator.min_, strict=True)
    ]
    cells = context.computed(tensor, len(inner), origins=origins)
    return _clipped(cells, context, estimator.feature_range) if estimator.clip else cells


def normalizer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``Normalizer``: divide each row by its norm."""
    context.terms += len(block.pieces)
    return context.computed(unit_rows(context, context.matrix(block.pieces), estimator.norm), len(block.pieces))


def _shifted(block: Block, context: Context, shift: Any, scale: Any) -> tuple[Cell, ...]:
    inner = context.cells(block.pieces)
    tensor = context.matrix(inner)
    if shift is not None:
        tensor = context.graph.op("Sub", tensor, context.graph.constant(np.asarray(shift, np.float64)))
    if scale is not None:
        tensor = context.graph.op("Div", tensor, context.graph.constant(np.asarray(scale, np.float64)))
    shifts = np.zeros(len(inner)) if shift is None else shift
    scales = np.ones(len(inner)) if scale is None else scale
    origins = [_composed(cell.origin, scales[index], shifts[index]) for index, cell in enumerate(inner)]
    return context.computed(tensor, len(inner), origins=origins)


def _clipped(cells: tuple[Cell, ...], context: Context, limits: tuple[float, float]) -> tuple[Cell, ...]:
    low, high = (context.graph.constant(np.array(limit, np.float64)) for limit in limits)
    tensor = context.graph.op("Min", context.graph.op("Max", context.matrix(cells), low), high)
    return context.computed(tensor, len(cells), origins=[cell.origin for cell in cells])


def _composed(origin: Origin | None, scale: float, shift: float) -> Origin | None:
    """Where ``outer = (inner - shift) / scale`` and inner has `origin`."""
    if origin is None:
        return None
    return Origin(origin.column, float(origin.scale * scale), float(origin.shift + origin.scale * shift))
