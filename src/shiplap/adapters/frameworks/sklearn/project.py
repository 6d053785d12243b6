"""Transformers that are one product: decompositions, random projections, latent structures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece
from shiplap.adapters.frameworks.sklearn.pairwise import product

__all__ = [
    "components",
    "discriminant",
    "factor_analysis",
    "independent_components",
    "latent_structures",
    "principal_components",
    "restricted_boltzmann",
    "sparse_components",
]

Doubles = NDArray[np.float64]


def principal_components(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``PCA`` and ``IncrementalPCA``: the mean is taken off after the product, as they do."""
    graph = context.graph
    directions = estimator.components_
    scores = product(context, context.matrix(block.pieces), np.asarray(directions, np.float64))
    center = np.reshape(estimator.mean_, (1, -1)) @ directions.T  # in the precision that it was fitted in
    scores = graph.op("Sub", scores, graph.constant(np.asarray(center, np.float64)))
    if estimator.whiten:
        scale = np.sqrt(estimator.explained_variance_)
        scale = np.maximum(scale, np.finfo(scale.dtype).eps)
        scores = graph.op("Div", scores, graph.constant(np.asarray(scale, np.float64)))
    return context.computed(scores, len(directions))


def components(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower what multiplies rows with its ``components_``: ``TruncatedSVD``, random projections and others."""
    directions = estimator.components_
    dense = directions.toarray() if hasattr(directions, "toarray") else directions
    return _projected(block, context, np.asarray(dense, np.float64))


def independent_components(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``FastICA``."""
    shift = estimator.mean_ if estimator.whiten else None
    return _projected(block, context, np.asarray(estimator.components_, np.float64), shift=shift)


def factor_analysis(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``FactorAnalysis``: the expected factors, by two products one after the other."""
    weighted = estimator.components_ / estimator.noise_variance_
    covariance = linalg.inv(np.eye(len(weighted)) + np.dot(weighted, estimator.components_.T))
    cells = _projected(block, context, weighted, shift=estimator.mean_)
    return context.computed(product(context, context.matrix(cells), covariance.T), len(covariance))


def sparse_components(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``SparsePCA``: its ridge regression of a row on the components is one product, worked out here."""
    if estimator.components_.dtype != np.float64:
        raise context.refuse("its ridge regression computes in single precision", hint="fit it on float64")
    directions = np.asarray(estimator.components_, np.float64)
    gram = directions @ directions.T + estimator.ridge_alpha * np.eye(len(directions))
    return _projected(block, context, linalg.solve(gram, directions, assume_a="pos"), shift=estimator.mean_)


def latent_structures(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower the X side of ``PLSRegression``, ``PLSCanonical``, ``CCA`` and ``PLSSVD``."""
    rotations = estimator.x_weights_ if type(estimator).__name__ == "PLSSVD" else estimator.x_rotations_
    return _projected(block, context, rotations.T, shift=estimator._x_mean, scale=estimator._x_std)


def discriminant(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``LinearDiscriminantAnalysis`` as a transformer, with the solvers that have one."""
    shift = estimator.xbar_ if estimator.solver == "svd" else None
    return _projected(block, context, estimator.scalings_[:, : estimator._max_components].T, shift=shift)


def restricted_boltzmann(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``BernoulliRBM``: the probabilities of the hidden units."""
    graph = context.graph
    inner = product(context, context.matrix(block.pieces), np.asarray(estimator.components_, np.float64))
    inner = graph.op("Add", inner, graph.constant(np.asarray(estimator.intercept_hidden_, np.float64)))
    return context.computed(graph.op("Sigmoid", inner), len(estimator.components_))


def _projected(
    block: Block, context: Context, directions: Doubles, *, shift: Any = None, scale: Any = None
) -> tuple[Cell, ...]:
    """Return ``((X - shift) / scale) @ directions.T``."""
    graph = context.graph
    tensor = context.matrix(block.pieces)
    if shift is not None:
        tensor = graph.op("Sub", tensor, graph.constant(np.asarray(shift, np.float64)))
    if scale is not None:
        tensor = graph.op("Div", tensor, graph.constant(np.asarray(scale, np.float64)))
    return context.computed(product(context, tensor, directions), len(directions))
