"""``PowerTransformer``: Yeo-Johnson and Box-Cox, as SciPy computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.functions import composed
from shiplap.adapters.frameworks.sklearn.scale import standard_scaler

__all__ = ["powers"]

_EPSILON = float(np.finfo(np.float64).eps)
_NO_POWER, _OVERFLOW = 1e-19, 709.78  # of scipy.special.boxcox


def powers(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``PowerTransformer`` with either method, standardized or not."""
    lambdas = np.asarray(estimator.lambdas_)[None, :]
    matrix = context.matrix(block.pieces)
    context.terms += 8  # a power multiplies what its logarithm was rounded by
    made = (_box_cox if estimator.method == "box-cox" else _yeo_johnson)(matrix, lambdas, context)
    cells = context.computed(made, lambdas.shape[1])
    return standard_scaler(estimator._scaler, Block(cells, block.evaluate), context) if estimator.standardize else cells


def _yeo_johnson(x: str, lambdas: NDArray[np.floating[Any]], context: Context) -> str:
    graph = context.graph
    zero = graph.constant(np.zeros(1))
    positive = graph.op("GreaterOrEqual", x, zero)
    size = graph.op("Abs", x)
    logarithm = composed("Log1p", size, context)
    upper = _power(logarithm, lambdas, np.abs(lambdas) < _EPSILON, context)
    # 2 - lambda is rounded in the precision that it was fitted in.
    lower = graph.op("Neg", _power(logarithm, 2 - lambdas, ~(np.abs(lambdas - 2) > _EPSILON), context))
    return graph.op("Where", positive, upper, lower)


def _power(logarithm: str, exponents: NDArray[np.floating[Any]], none: NDArray[np.bool_], context: Context) -> str:
    """Return ``expm1(exponent * logarithm) / exponent``; the logarithm itself where the exponent is none."""
    graph = context.graph
    used = graph.constant(np.where(none, 1.0, exponents).astype(np.float64))
    raised = graph.op("Div", composed("Expm1", graph.op("Mul", logarithm, used), context), used)
    return graph.op("Where", graph.constant(none), logarithm, raised) if none.any() else raised


def _box_cox(x: str, lambdas: NDArray[np.floating[Any]], context: Context) -> str:
    graph = context.graph
    none = np.abs(lambdas) < _NO_POWER
    used = np.where(none, 1.0, lambdas).astype(np.float64)
    logarithm = graph.op("Log", x)
    plain = _power(logarithm, lambdas, none, context)
    exponent = graph.op("Mul", logarithm, graph.constant(used))
    huge = graph.op("Exp", graph.op("Sub", exponent, graph.constant(np.log(np.abs(used)))))
    huge = graph.op("Sub", graph.op("Mul", huge, graph.constant(np.sign(used))), graph.constant(1 / used))
    beyond = graph.op("GreaterOrEqual", exponent, graph.constant(np.where(none, np.inf, _OVERFLOW)))
    return graph.op("Where", beyond, huge, plain)
