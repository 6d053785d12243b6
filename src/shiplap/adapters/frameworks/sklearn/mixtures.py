"""Gaussian densities: ``GaussianMixture``, ``BayesianGaussianMixture`` and ``EllipticEnvelope``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma
from sklearn.mixture._gaussian_mixture import _compute_log_det_cholesky

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot
from shiplap.adapters.frameworks.sklearn.outputs import inside_or_not, log_sum_exp, total

__all__ = ["envelope", "mixture"]


def mixture(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a mixture: shares of the components, the nearest of them, or the logarithm of the density."""
    if estimator.covariance_type == "tied" and method != "score_samples":
        raise context.refuse(
            "with a tied covariance the shares of a row far away are rounding: its own may add up to 2 and more",
            hint="fit it with the covariance_type 'full', or ask for score_samples",
        )
    graph = context.graph
    squares = _squares(estimator, context.matrix(block.pieces), context)
    halves = graph.op("Add", squares, graph.constant(np.array([estimator.n_features_in_ * np.log(2 * np.pi)])))
    halves = graph.op("Mul", halves, graph.constant(np.array([-0.5])))
    weighed = graph.op("Add", halves, graph.constant(_constants(estimator)))
    if method == "predict":
        return one_hot(context, first_largest(context, weighed), len(estimator.means_))
    summed = log_sum_exp(context, weighed)
    if method == "score_samples":
        return summed
    return graph.op("Exp", graph.op("Sub", weighed, summed))


def _constants(estimator: Any) -> NDArray[np.float64]:
    """Return what each component adds to its squares whatever the row: determinant, weight, and what a prior adds."""
    n_features = estimator.n_features_in_
    determinant = _compute_log_det_cholesky(estimator.precisions_cholesky_, estimator.covariance_type, n_features)
    constants = determinant + estimator._estimate_log_weights()
    if hasattr(estimator, "degrees_of_freedom_"):
        freedom = estimator.degrees_of_freedom_
        spread = np.sum(digamma(0.5 * (freedom - np.arange(n_features)[:, np.newaxis])), axis=0)
        scale = n_features * np.log(2.0) + spread - n_features / estimator.mean_precision_
        constants = constants - 0.5 * n_features * np.log(freedom) + 0.5 * scale
    return np.asarray(constants, np.float64)


def _squares(estimator: Any, tensor: str, context: Context) -> str:
    """Return the squared distances to the means in units of the covariances, (n, n_components)."""
    means, roots = (np.asarray(values, np.float64) for values in (estimator.means_, estimator.precisions_cholesky_))
    context.terms += 3 * means.shape[1]
    if estimator.covariance_type == "diag":
        return _expanded(context, tensor, means, roots**2)
    if estimator.covariance_type == "spherical":
        return _round(context, tensor, means, roots**2)
    graph = context.graph
    squares = []
    for index, mean in enumerate(means):
        root = roots if estimator.covariance_type == "tied" else roots[index]
        turned = graph.op("Sub", graph.op("MatMul", tensor, graph.constant(root)), graph.constant(mean @ root))
        squares.append(total(context, graph.op("Mul", turned, turned)))
    return squares[0] if len(squares) == 1 else graph.op("Concat", *squares, axis=1)


def _expanded(context: Context, tensor: str, means: NDArray[np.float64], precisions: NDArray[np.float64]) -> str:
    graph = context.graph
    near = graph.op("MatMul", tensor, graph.constant((means * precisions).T))
    constant = graph.constant(np.sum(means**2 * precisions, axis=1))
    middle = graph.op("Sub", constant, graph.op("Mul", near, graph.constant(np.array([2.0]))))
    return graph.op(
        "Add", middle, graph.op("MatMul", graph.op("Mul", tensor, tensor), graph.constant(precisions.T.copy()))
    )


def _round(context: Context, tensor: str, means: NDArray[np.float64], precisions: NDArray[np.float64]) -> str:
    graph = context.graph
    scale = graph.constant(precisions)
    near = graph.op("Mul", graph.op("MatMul", tensor, graph.constant(means.T.copy())), scale)
    constant = graph.constant(np.sum(means**2, axis=1) * precisions)
    middle = graph.op("Sub", constant, graph.op("Mul", near, graph.constant(np.array([2.0]))))
    return graph.op("Add", middle, graph.op("Mul", total(context, graph.op("Mul", tensor, tensor)), scale))


def envelope(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``EllipticEnvelope``: the squared Mahalanobis distance, and how far it lies from the offset."""
    graph = context.graph
    context.terms += 2 * estimator.n_features_in_
    apart = graph.op("Sub", context.matrix(block.pieces), graph.constant(np.asarray(estimator.location_, np.float64)))
    turned = graph.op("MatMul", apart, graph.constant(np.asarray(estimator.get_precision(), np.float64).T))
    far = graph.op("Sqrt", total(context, graph.op("Mul", apart, turned)))
    score = graph.op("Neg", graph.op("Mul", far, far))
    if method == "score_samples":
        return score
    decision = graph.op("Sub", score, graph.constant(np.array([float(estimator.offset_)])))
    return inside_or_not(context, decision) if method == "predict" else decision
