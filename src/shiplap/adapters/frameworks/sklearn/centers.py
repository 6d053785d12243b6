"""Rows as what they have in common with fixed points: distances to centers, components of a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.pairwise import kernel, product, row_sums, squared_distances

__all__ = ["center_distances", "centered", "kernel_centerer", "kernel_components", "kernel_scores"]


def center_distances(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``KMeans``, ``MiniBatchKMeans``, ``BisectingKMeans`` and ``Birch`` as transformers."""
    birch = hasattr(estimator, "subcluster_centers_")
    centers = np.asarray(estimator.subcluster_centers_ if birch else estimator.cluster_centers_, np.float64)
    matrix = context.matrix(block.pieces)
    squared = squared_distances(context, matrix, centers, order="F" if birch else "C")
    return context.computed(context.graph.op("Sqrt", squared), len(centers))


def kernel_centerer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``KernelCenterer``."""
    return context.computed(centered(estimator, context.matrix(block.pieces), context), len(block.pieces))


def centered(centerer: Any, tensor: str, context: Context) -> str:
    """Center a kernel matrix as a fitted ``KernelCenterer`` does, of the same shape."""
    graph = context.graph
    n_points = len(centerer.K_fit_rows_)
    context.terms += n_points
    summed = row_sums(context, tensor, n_points)
    mean = graph.op("Div", summed, graph.constant(np.array([float(n_points)])))
    less = graph.op("Sub", tensor, graph.constant(np.asarray(centerer.K_fit_rows_, np.float64)[None, :]))
    less = graph.op("Sub", less, mean)
    return graph.op("Add", less, graph.constant(np.array([float(centerer.K_fit_all_)])))


def kernel_components(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``KernelPCA``."""
    if not isinstance(estimator.kernel, str):
        raise context.refuse("its kernel is code, and a ship carries none", hint="name one of scikit-learn's kernels")
    tensor = context.matrix(block.pieces)
    if estimator.kernel != "precomputed":
        points = np.asarray(estimator.X_fit_, np.float64)
        settings = {"gamma": estimator.gamma_, "degree": estimator.degree, "coef0": estimator.coef0}
        tensor = kernel(context, tensor, points, estimator.kernel, **settings)
    return context.computed(kernel_scores(estimator, tensor, context), len(estimator.eigenvalues_))


def kernel_scores(estimator: Any, tensor: str, context: Context) -> str:
    """Project a kernel matrix (n, n_points) on the components of a fitted ``KernelPCA``, (n, n_components)."""
    scaled = np.zeros_like(estimator.eigenvectors_, dtype=np.float64)
    present = np.flatnonzero(estimator.eigenvalues_)
    scaled[:, present] = estimator.eigenvectors_[:, present] / np.sqrt(estimator.eigenvalues_[present])
    return product(context, centered(estimator._centerer, tensor, context), scaled.T)
