"""Gaussian processes: the mean of the posterior, and the probability behind a latent mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.gaussian_process._gpc import COEFS, LAMBDAS

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.kernels import covariance
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, error_function, total

__all__ = ["classifier", "laplace", "regressor"]

_DOUBLE = 11


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``GaussianProcessRegressor``: the mean that ``predict`` gives."""
    del method
    graph = context.graph
    points = np.asarray(estimator.X_train_, np.float64)
    weights = np.asarray(estimator.alpha_, np.float64).reshape(len(points), -1)
    context.terms += len(points)
    mean = graph.op(
        "MatMul", covariance(context, context.matrix(block.pieces), points, estimator.kernel_), graph.constant(weights)
    )
    spread, middle = (
        graph.constant(np.atleast_1d(np.asarray(values, np.float64)))
        for values in (estimator._y_train_std, estimator._y_train_mean)
    )
    return graph.op("Add", graph.op("Mul", mean, spread), middle)


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``GaussianProcessClassifier``: one process, or one a class or a pair of classes."""
    inner = estimator.base_estimator_
    answer, _ = context.response(inner, block, (method,), type(inner).__name__)
    return both_classes(context, answer) if method == "predict" and estimator.n_classes_ == 2 else answer


def laplace(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower the process of two classes, which says 0 or 1.

    Its probabilities are the five error functions of C. Williams and D. Barber, PAMI 20:12, 1998.
    """
    graph = context.graph
    points = np.asarray(estimator.X_train_, np.float64)
    context.terms += 2 * len(points)
    tensor = context.matrix(block.pieces)
    near = covariance(context, tensor, points, estimator.kernel_)
    mean = graph.op("MatMul", near, graph.constant((estimator.y_train_ - estimator.pi_)[:, None]))
    if method == "predict":
        above = graph.op("Greater", mean, graph.constant(np.array([0.0])))
        return graph.op("Cast", above, to=_DOUBLE)
    return both_classes(context, _expected(context, mean, _variance(estimator, tensor, near, context)))


def _variance(estimator: Any, tensor: str, near: str, context: Context) -> str:
    """Return what is left of the prior's variance, (n, 1)."""
    graph = context.graph
    inverse = solve_triangular(estimator.L_, np.diag(estimator.W_sr_), lower=True)
    known = graph.op("MatMul", near, graph.constant(inverse.T))
    prior = _diagonal(context, tensor, estimator.kernel_)
    return graph.op("Sub", prior, total(context, graph.op("Mul", known, known)))


def _diagonal(context: Context, tensor: str, function: Any) -> str:
    """Return the kernel between each row and itself, of shape (n, 1) or (1, 1)."""
    graph = context.graph
    name = type(function).__name__
    if name in {"Sum", "Product"}:
        parts = (_diagonal(context, tensor, part) for part in (function.k1, function.k2))
        return graph.op("Add" if name == "Sum" else "Mul", *parts)
    if name == "Exponentiation":
        inner = _diagonal(context, tensor, function.kernel)
        return graph.op("Pow", inner, graph.constant(np.array([float(function.exponent)])))
    if name == "DotProduct":
        squares = total(context, graph.op("Mul", tensor, tensor))
        return graph.op("Add", squares, graph.constant(np.array([float(function.sigma_0) ** 2])))
    if name == "PairwiseKernel":
        raise context.refuse("a PairwiseKernel in a classifier", hint="use RBF, Matern or DotProduct")
    constant = {"ConstantKernel": "constant_value", "WhiteKernel": "noise_level"}.get(name)
    return graph.constant(np.array([[float(getattr(function, constant)) if constant else 1.0]]))


def _expected(context: Context, mean: str, variance: str) -> str:
    """Return the logistic function of a normal variable, expected."""
    graph = context.graph
    scales, weights = np.asarray(LAMBDAS).reshape(1, -1), np.asarray(COEFS).reshape(1, -1)
    alpha = graph.op("Div", graph.constant(np.array([1.0])), graph.op("Mul", variance, graph.constant(np.array([2.0]))))
    share = graph.op("Div", alpha, graph.op("Add", alpha, graph.constant(scales**2)))
    inner = graph.op("Mul", graph.op("Mul", mean, graph.constant(scales)), graph.op("Sqrt", share))
    root = graph.op("Sqrt", graph.op("Div", graph.constant(np.array([np.pi])), alpha))
    unit = graph.op("Mul", variance, graph.constant(np.array([2.0])))
    unit = graph.op("Sqrt", graph.op("Mul", unit, graph.constant(np.array([np.pi]))))
    unit = graph.op("Mul", unit, graph.constant(np.array([2.0])))
    integrals = graph.op("Div", graph.op("Mul", root, error_function(context, inner)), unit)
    summed = total(context, graph.op("Mul", integrals, graph.constant(weights)))
    return graph.op("Add", summed, graph.constant(np.array([0.5 * weights.sum()])))
