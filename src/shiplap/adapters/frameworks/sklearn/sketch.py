"""Approximate feature maps of kernels: ``sklearn.kernel_approximation``."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.pairwise import kernel, product

__all__ = ["additive_chi2", "fourier", "landmarks", "skewed_chi2"]

_INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}


def fourier(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``RBFSampler``."""
    return _cosines(estimator, context.matrix(block.pieces), context, (2.0 / estimator.n_components) ** 0.5)


def skewed_chi2(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``SkewedChi2Sampler``."""
    graph = context.graph
    moved = graph.op("Add", context.matrix(block.pieces), graph.constant(np.array([float(estimator.skewedness)])))
    factor = float(np.sqrt(2.0) / np.sqrt(estimator.n_components))
    return _cosines(estimator, graph.op("Log", moved), context, factor)


def _cosines(estimator: Any, tensor: str, context: Context, factor: float) -> tuple[Piece, ...]:
    graph = context.graph
    inner = product(context, tensor, np.asarray(estimator.random_weights_, np.float64).T)
    waves = graph.op("Cos", graph.op("Add", inner, graph.constant(np.asarray(estimator.random_offset_, np.float64))))
    made = graph.op("Mul", waves, graph.constant(np.array([factor])))
    return context.computed(made, len(estimator.random_offset_))


def additive_chi2(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``AdditiveChi2Sampler``: a root, and a cosine and sine of the logarithm for each further step."""
    graph = context.graph
    interval = estimator.sample_interval
    interval = float(_INTERVALS[estimator.sample_steps] if interval is None else interval)
    matrix, zero = context.matrix(block.pieces), graph.constant(np.zeros(1))
    nothing = graph.op("Equal", matrix, zero)

    def where(values: str) -> str:
        return graph.op("Where", nothing, zero, values)

    def times(values: str, factor: float) -> str:
        return graph.op("Mul", values, graph.constant(np.array([factor])))

    parts = [where(graph.op("Sqrt", times(matrix, interval)))]
    logarithm = times(graph.op("Log", matrix), interval)
    doubled = times(times(matrix, 2.0), interval)
    for step in range(1, estimator.sample_steps):
        height = graph.op("Div", doubled, graph.constant(np.array([np.cosh(np.pi * step * interval)])))
        factor, angle = graph.op("Sqrt", height), times(logarithm, float(step))
        parts += [where(graph.op("Mul", factor, graph.op(wave, angle))) for wave in ("Cos", "Sin")]
    made = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)
    return context.computed(made, len(parts) * len(block.pieces))


def landmarks(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``Nystroem``: the kernel to its landmarks, normalized."""
    if not isinstance(estimator.kernel, str):
        raise context.refuse("its kernel is code, and a ship carries none", hint="name one of scikit-learn's kernels")
    parameters = {key: getattr(estimator, key) for key in ("gamma", "degree", "coef0")}
    given = {key: value for key, value in parameters.items() if value is not None}
    points = np.asarray(estimator.components_, np.float64)
    embedded = kernel(context, context.matrix(block.pieces), points, estimator.kernel, **given)
    normalization = np.asarray(estimator.normalization_, np.float64)
    return context.computed(product(context, embedded, normalization), len(normalization))
