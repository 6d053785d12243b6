"""``KernelDensity``: the logarithm of the sum of kernels around the rows of the fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neighbors._kd_tree import kernel_norm

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import log_sum_exp
from shiplap.adapters.frameworks.sklearn.pairwise import distances

__all__ = ["kernel_density"]

_BAND = 1024 * np.finfo(np.float64).eps


def kernel_density(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``KernelDensity``.

    The library stops where it knows the density within its own `rtol` (and `atol`); here it is added up to the end. So
    that much they may differ, and the band says so. Where its tree has several leaves it subtracts bounds that lie
    apart by many orders of magnitude, and away from the rows of the fit its answer is their rounding: of 2,000 normal
    rows the logarithm is off by 0.8 at four times their spread. Only the kernel that falls off slowly bears that.
    """
    del method
    graph = context.graph
    tree = estimator.tree_
    points = np.asarray(tree.data, np.float64)
    if estimator.kernel != "exponential" and len(tree.get_arrays()[2]) > 1:
        raise context.refuse(
            f"away from its rows a tree of several leaves and a {estimator.kernel} kernel answers with its rounding",
            hint="fit it with leaf_size as large as the rows are many, or with the kernel 'exponential'",
        )
    if estimator.atol > 0:
        raise context.refuse("an absolute tolerance lets it stop far from its own sum", hint="fit it with atol=0")
    context.terms += len(points) + int(np.ceil(estimator.rtol / _BAND))
    extra = estimator.metric_params or {}
    far = distances(context, context.matrix(block.pieces), points, estimator.metric, **extra)
    height = _KERNELS[estimator.kernel](context, far, float(estimator.bandwidth_))
    weights = tree.sample_weight
    if weights is not None:
        height = graph.op("Add", height, graph.constant(np.log(np.asarray(weights, np.float64))[None, :]))
    count = len(points) if weights is None else tree.sum_weight
    norm = kernel_norm(estimator.bandwidth_, points.shape[1], estimator.kernel, return_log=True) - np.log(count)
    return graph.op("Add", log_sum_exp(context, height), graph.constant(np.array([float(norm)])))


def _gaussian(context: Context, far: str, width: float) -> str:
    graph = context.graph
    halves = graph.op("Mul", graph.op("Mul", far, far), graph.constant(np.array([-0.5])))
    return graph.op("Div", halves, graph.constant(np.array([width * width])))


def _exponential(context: Context, far: str, width: float) -> str:
    return context.graph.op("Div", context.graph.op("Neg", far), context.graph.constant(np.array([width])))


def _tophat(context: Context, far: str, width: float) -> str:
    return _bounded(context, far, width, context.graph.constant(np.zeros(1)))


def _epanechnikov(context: Context, far: str, width: float) -> str:
    graph = context.graph
    share = graph.op("Div", graph.op("Mul", far, far), graph.constant(np.array([width * width])))
    return _bounded(context, far, width, graph.op("Log", graph.op("Sub", graph.constant(np.ones(1)), share)))


def _linear(context: Context, far: str, width: float) -> str:
    graph = context.graph
    share = graph.op("Div", far, graph.constant(np.array([width])))
    return _bounded(context, far, width, graph.op("Log", graph.op("Sub", graph.constant(np.ones(1)), share)))


def _cosine(context: Context, far: str, width: float) -> str:
    graph = context.graph
    angle = graph.op("Div", graph.op("Mul", far, graph.constant(np.array([0.5 * np.pi]))), _number(context, width))
    return _bounded(context, far, width, graph.op("Log", graph.op("Cos", angle)))


def _number(context: Context, value: float) -> str:
    return context.graph.constant(np.array([value]))


def _bounded(context: Context, far: str, width: float, height: str) -> str:
    """Return minus infinity from the bandwidth on."""
    graph = context.graph
    return graph.op("Where", graph.op("Less", far, _number(context, width)), height, _number(context, -np.inf))


_KERNELS: dict[str, Callable[[Context, str, float], str]] = {
    "gaussian": _gaussian,
    "exponential": _exponential,
    "tophat": _tophat,
    "epanechnikov": _epanechnikov,
    "linear": _linear,
    "cosine": _cosine,
}
