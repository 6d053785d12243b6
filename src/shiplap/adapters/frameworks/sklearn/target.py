"""``TransformedTargetRegressor``: what it predicts, put back on the scale of the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import FunctionTransformer
from sklearn.preprocessing._data import BOUNDS_THRESHOLD

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.calibrate import interpolated
from shiplap.adapters.frameworks.sklearn.functions import composed, function_transformer
from shiplap.adapters.frameworks.sklearn.outputs import error_function

__all__ = ["transformed_target"]


def transformed_target(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``TransformedTargetRegressor`` with a known inverse, of several targets too."""
    inner, _ = context.response(estimator.regressor_, block, (method,), "regressor")
    return _back(estimator.transformer_, inner, context)


def _back(transformer: Any, values: str, context: Context) -> str:
    """Apply ``inverse_transform`` of a transformer to a matrix of its columns."""
    kind = type(transformer).__name__
    if kind == "Pipeline":
        for _, step in reversed(transformer.steps):
            if step is not None and step != "passthrough":
                values = _back(step, values, context)
        return values
    if kind not in _INVERSES:
        raise context.refuse(
            f"the target's transformer is a {kind}", hint=f"use one of {', '.join(_INVERSES)}, or a numpy function"
        )
    return _INVERSES[kind](transformer, values, context)


def _function(transformer: Any, values: str, context: Context) -> str:
    inverse = FunctionTransformer(transformer.inverse_func, kw_args=transformer.inv_kw_args)
    columns = context.computed(values, transformer.n_features_in_)
    return context.matrix(function_transformer(inverse, Block(columns, np.asarray), context))


def _standard(transformer: Any, values: str, context: Context) -> str:
    scale = transformer.scale_ if transformer.with_std else None
    return _moved(values, scale, transformer.mean_ if transformer.with_mean else None, context)


def _robust(transformer: Any, values: str, context: Context) -> str:
    scale = transformer.scale_ if transformer.with_scaling else None
    return _moved(values, scale, transformer.center_ if transformer.with_centering else None, context)


def _max_abs(transformer: Any, values: str, context: Context) -> str:
    return _moved(values, transformer.scale_, None, context)


def _moved(values: str, scale: Any, shift: Any, context: Context) -> str:
    graph = context.graph
    if scale is not None:
        values = graph.op("Mul", values, graph.constant(np.asarray(scale, np.float64)))
    return values if shift is None else graph.op("Add", values, graph.constant(np.asarray(shift, np.float64)))


def _min_max(transformer: Any, values: str, context: Context) -> str:
    graph = context.graph
    moved = graph.op("Sub", values, graph.constant(np.asarray(transformer.min_, np.float64)))
    return graph.op("Div", moved, graph.constant(np.asarray(transformer.scale_, np.float64)))


def _power(transformer: Any, values: str, context: Context) -> str:
    if transformer.standardize:
        values = _standard(transformer._scaler, values, context)
    inverse = _box_cox if transformer.method == "box-cox" else _yeo_johnson
    return _by_column(
        transformer.lambdas_, lambda column, power: inverse(column, float(power), context), values, context
    )


def _by_column(parameters: Any, inverse: Callable[[str, Any], str], values: str, context: Context) -> str:
    graph = context.graph
    if len(parameters) == 1:
        return inverse(values, parameters[0])
    columns = [inverse(graph.columns(values, [index]), parameter) for index, parameter in enumerate(parameters)]
    return graph.op("Concat", *columns, axis=1)


def _box_cox(column: str, power: float, context: Context) -> str:
    """Return ``exp(log1p(power * x) / power)``, and ``exp(x)`` where the power is 0."""
    graph = context.graph
    if power == 0:
        return graph.op("Exp", column)
    scaled = graph.op("Mul", column, graph.constant(np.array([power])))
    return graph.op("Exp", graph.op("Div", composed("Log1p", scaled, context), graph.constant(np.array([power]))))


def _yeo_johnson(column: str, power: float, context: Context) -> str:
    graph = context.graph
    one, zero = graph.constant(np.array([1.0])), graph.constant(np.array([0.0]))
    above = _raised(column, power, 1 / power, context) if abs(power) >= np.spacing(1.0) else graph.op("Exp", column)
    if abs(power - 2) > np.spacing(1.0):
        below = _raised(column, -(2 - power), 1 / (2 - power), context)
    else:
        below = graph.op("Exp", graph.op("Neg", column))
    positive = graph.op("GreaterOrEqual", column, zero)
    return graph.op("Where", positive, graph.op("Sub", above, one), graph.op("Sub", one, below))


def _raised(column: str, factor: float, power: float, context: Context) -> str:
    graph = context.graph
    base = graph.op("Mul", column, graph.constant(np.array([factor])))
    return graph.op("Pow", graph.op("Add", base, graph.constant(np.array([1.0]))), graph.constant(np.array([power])))


def _quantile(transformer: Any, values: str, context: Context) -> str:
    references = np.asarray(transformer.references_, np.float64)
    normal = transformer.output_distribution == "normal"

    def inverse(column: str, quantiles: Any) -> str:
        known = np.asarray(quantiles, np.float64)
        if not normal:
            return interpolated(column, references, known, context)
        shares = _normal_shares(column, context)
        return _bounded(shares, interpolated(shares, references, known, context), known, context)

    return _by_column(list(transformer.quantiles_.T), inverse, values, context)


def _normal_shares(column: str, context: Context) -> str:
    """Return how much of the normal distribution lies below each number."""
    graph = context.graph
    scaled = graph.op("Mul", column, graph.constant(np.array([np.sqrt(0.5)])))
    half = graph.constant(np.array([0.5]))
    return graph.op("Add", graph.op("Mul", error_function(context, scaled), half), half)


def _bounded(shares: str, inner: str, quantiles: NDArray[np.float64], context: Context) -> str:
    """Take the lowest and the highest quantile for shares that are all but 0 and 1."""
    graph = context.graph
    margin, zero, one = (graph.constant(np.array([value])) for value in (BOUNDS_THRESHOLD, 0.0, 1.0))
    low, high = (graph.constant(quantiles[[place]]) for place in (0, -1))
    above = graph.op("Greater", graph.op("Add", shares, margin), one)
    below = graph.op("Less", graph.op("Sub", shares, margin), zero)
    return graph.op("Where", below, low, graph.op("Where", above, high, inner))


_INVERSES: dict[str, Callable[[Any, str, Context], str]] = {
    "FunctionTransformer": _function,
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "PowerTransformer": _power,
    "QuantileTransformer": _quantile,
}
