"""Kernels of Gaussian processes, term by term, and ``KernelRidge``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.pairwise import differences, kernel, product

__all__ = ["covariance", "kernel_ridge"]

_INT64 = 7


def kernel_ridge(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``KernelRidge``: the kernel with the rows it was fitted on, weighed."""
    del method
    graph = context.graph
    tensor = context.matrix(block.pieces)
    if callable(estimator.kernel):
        raise context.refuse("its kernel is code, and a ship carries none", hint="name a kernel of scikit-learn")
    weights = np.asarray(estimator.dual_coef_, np.float64).reshape(len(estimator.X_fit_), -1)
    context.terms += len(weights)
    if estimator.kernel in {"linear", "poly", "polynomial"}:
        # An answer adds up every coordinate of every row.
        context.terms += estimator.X_fit_.size + _cancelled(estimator, weights)
    if estimator.kernel != "precomputed":
        tensor = kernel(
            context,
            tensor,
            estimator.X_fit_,
            estimator.kernel,
            gamma=estimator.gamma,
            degree=estimator.degree,
            coef0=estimator.coef0,
        )
    return graph.op("MatMul", tensor, graph.constant(weights))


def _cancelled(estimator: Any, weights: NDArray[np.float64]) -> int:
    """Return how much larger the parts of an answer are than the answer, far out along the worst of the columns."""
    power = 1.0 if estimator.kernel == "linear" else float(estimator.degree)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (np.abs(np.asarray(estimator.X_fit_, np.float64)) ** power).T @ np.abs(weights)
        sums = np.abs((np.asarray(estimator.X_fit_, np.float64) ** power).T @ weights)
        ratios = parts / sums
    return int(np.max(ratios[np.isfinite(ratios)], initial=0.0))


def covariance(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    """Return a kernel of ``sklearn.gaussian_process`` between rows and points, (n, n_points).

    Parameters
    ----------
    context : Context
        Where the nodes go.
    tensor : str
        Rows, a double matrix (n, n_features).
    points : ndarray of shape (n_points, n_features)
        The rows of the fit.
    function : Kernel
        The fitted kernel.

    Raises
    ------
    RefusedError
        The kernel, or a part of it, cannot be lowered.
    """
    made = _made(context, tensor, np.asarray(points, np.float64), function)
    graph = context.graph
    rows = graph.op("Slice", graph.op("Shape", tensor), *(graph.constant(np.array([at])) for at in (0, 1)))
    shape = graph.op("Concat", rows, graph.constant(np.array([len(points)])), axis=0)
    return graph.op("Expand", made, shape)


def _made(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    name = type(function).__name__
    graph = context.graph
    if name in {"Sum", "Product"}:
        parts = (_made(context, tensor, points, part) for part in (function.k1, function.k2))
        return graph.op("Add" if name == "Sum" else "Mul", *parts)
    if name == "Exponentiation":
        return _power(context, _made(context, tensor, points, function.kernel), float(function.exponent))
    if name in {"ConstantKernel", "WhiteKernel"}:  # noise has no part in the covariance with other rows
        return graph.constant(np.array([[float(function.constant_value) if name == "ConstantKernel" else 0.0]]))
    if name == "DotProduct":
        context.terms += points.size  # an answer adds up every coordinate of every row
        return graph.op("Add", product(context, tensor, points), _number(context, function.sigma_0**2))
    if name == "PairwiseKernel":
        return _pairwise(context, tensor, points, function)
    known = {"RBF": _rbf, "Matern": _matern, "RationalQuadratic": _quadratic, "ExpSineSquared": _periodic}
    if name not in known:
        raise context.refuse(f"a kernel of type {name}", hint="use sums and products of scikit-learn's own kernels")
    return known[name](context, tensor, points, function)


def _number(context: Context, value: float) -> str:
    return context.graph.constant(np.array([float(value)]))


def _power(context: Context, tensor: str, exponent: float) -> str:
    return context.graph.op("Pow", tensor, _number(context, exponent))


def _scaled(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    """Return squared distances in units of the length scale."""
    length = np.squeeze(np.asarray(function.length_scale, np.float64))
    rows = context.graph.op("Div", tensor, context.graph.constant(np.atleast_1d(length)))
    return differences(context, rows, points / length, 2)


def _rbf(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    apart = _scaled(context, tensor, points, function)
    return context.graph.op("Exp", context.graph.op("Mul", apart, _number(context, -0.5)))


def _matern(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    graph = context.graph
    far = graph.op("Sqrt", _scaled(context, tensor, points, function))
    if function.nu == 0.5:
        return graph.op("Exp", graph.op("Neg", far))
    if function.nu == np.inf:
        return graph.op("Exp", graph.op("Div", graph.op("Neg", graph.op("Mul", far, far)), _number(context, 2.0)))
    if function.nu not in {1.5, 2.5}:
        raise context.refuse(
            f"a Matern kernel with nu={function.nu} needs a Bessel function", hint="use 0.5, 1.5 or 2.5"
        )
    far = graph.op("Mul", far, _number(context, math.sqrt(3 if function.nu == 1.5 else 5)))
    factor = graph.op("Add", far, _number(context, 1.0))
    if function.nu == 2.5:
        factor = graph.op("Add", factor, graph.op("Div", graph.op("Mul", far, far), _number(context, 3.0)))
    return graph.op("Mul", factor, graph.op("Exp", graph.op("Neg", far)))


def _quadratic(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    graph = context.graph
    unit = 2 * function.alpha * function.length_scale**2
    share = graph.op("Div", differences(context, tensor, points, 2), _number(context, unit))
    return _power(context, graph.op("Add", share, _number(context, 1.0)), -function.alpha)


def _periodic(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    graph = context.graph
    far = graph.op("Sqrt", differences(context, tensor, points, 2))
    wave = graph.op("Sin", graph.op("Mul", far, _number(context, np.pi / function.periodicity)))
    share = graph.op("Div", wave, _number(context, function.length_scale))
    return graph.op("Exp", graph.op("Mul", graph.op("Mul", share, share), _number(context, -2.0)))


def _pairwise(context: Context, tensor: str, points: NDArray[np.float64], function: Any) -> str:
    if callable(function.metric):
        raise context.refuse("its kernel is code, and a ship carries none", hint="name a kernel of scikit-learn")
    extra = function.pairwise_kernels_kwargs or {}
    return kernel(context, tensor, points, function.metric, gamma=function.gamma, **extra)
