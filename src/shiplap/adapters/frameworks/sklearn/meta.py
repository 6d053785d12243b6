"""Estimators that wrap one other: ``FrozenEstimator``, ``TransformedTargetRegressor``."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece

__all__ = ["frozen", "frozen_transform", "transformed_target"]

_INVERSE: dict[Any, str] = {np.exp: "Exp", np.sqrt: "Sqrt", np.log: "Log", np.negative: "Neg", None: "Identity"}


def frozen(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower what a ``FrozenEstimator`` holds."""
    return context.response(estimator.estimator, block, (method,), type(estimator.estimator).__name__)[0]


def frozen_transform(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower the transformer that a ``FrozenEstimator`` holds."""
    return context.transformed(estimator.estimator, block, type(estimator.estimator).__name__).pieces


def transformed_target(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``TransformedTargetRegressor`` with a known inverse function or a ``StandardScaler``."""
    inner, _ = context.response(estimator.regressor_, block, (method,), "regressor")
    back = estimator.transformer_
    kind = type(back).__name__
    graph = context.graph
    if kind == "StandardScaler":
        if back.with_std:
            inner = graph.op("Mul", inner, graph.constant(np.asarray(back.scale_, np.float64)))
        if back.with_mean:
            inner = graph.op("Add", inner, graph.constant(np.asarray(back.mean_, np.float64)))
        return inner
    function = getattr(back, "inverse_func", "unknown")
    if kind != "FunctionTransformer" or back.inv_kw_args:
        raise context.refuse(f"the target's transformer is a {kind}", hint="use StandardScaler or a numpy function")
    if function is np.expm1:
        return graph.op("Sub", graph.op("Exp", inner), graph.constant(np.array([1.0])))
    known = next((name for known, name in _INVERSE.items() if known is function), None)
    if known is None:
        shown = getattr(function, "__qualname__", repr(function))
        raise context.refuse(
            f"the inverse function '{shown}' is code, and a ship carries none",
            hint="use numpy's exp, expm1, sqrt or log",
        )
    return inner if known == "Identity" else graph.op(known, inner)
