"""Walk the equations of a traced function and write each as ONNX nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

from shiplap.adapters.frameworks.jax.primitives import PRIMITIVES
from shiplap.adapters.frameworks.jax.writer import Value, Writer
from shiplap.core.errors import RefusedError

__all__ = ["run"]

_CALLS = {
    **dict.fromkeys(("jit", "pjit", "closed_call", "remat", "remat2", "checkpoint"), "jaxpr"),
    **dict.fromkeys(("core_call", "custom_jvp_call", "custom_vjp_call"), "call_jaxpr"),
    "custom_vjp_call_jaxpr": "fun_jaxpr",
}
_RANDOM = ("random_", "rng_", "threefry")
_LOOPS = {"scan", "while", "cond"}
_KNOWN_BEFOREHAND = 1 << 20
"""Numbers that a constant may grow to when it is computed beforehand."""


def run(writer: Writer, closed: Any, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Write a traced function and return what it computes.

    Parameters
    ----------
    writer : Writer
        Where the nodes go.
    closed : ClosedJaxpr
        The function as JAX traced it.
    inputs : sequence of array or str
        Its inputs: constants, or names of tensors.

    Raises
    ------
    RefusedError
        It contains a primitive that ONNX cannot express.
    """
    jaxpr = closed.jaxpr
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    values.update(zip(jaxpr.invars, inputs, strict=True))
    for equation in _needed(jaxpr):
        given = [_read(values, variable) for variable in equation.invars]
        made = _equation(writer, equation, given)
        values.update(zip(equation.outvars, made, strict=True))
    return tuple(_read(values, variable) for variable in jaxpr.outvars)


def _needed(jaxpr: Any) -> list[Any]:
    """Return the equations that the answer depends on: what a layer draws at random and then ignores is left out."""
    live = {variable for variable in jaxpr.outvars if not isinstance(variable, core.Literal)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if live.intersection(equation.outvars):
            kept.append(equation)
            live.update(variable for variable in equation.invars if not isinstance(variable, core.Literal))
    return kept[::-1]


def _read(values: dict[Any, Any], variable: Any) -> Value:
    value = variable.val if isinstance(variable, core.Literal) else values[variable]
    if isinstance(value, str):
        return value
    if jax.dtypes.issubdtype(variable.aval.dtype, jax.dtypes.prng_key):
        # A random key; only what is drawn with it could use it, and that is refused.
        return np.zeros((), np.uint32)
    return np.asarray(value, variable.aval.dtype)


def _equation(writer: Writer, equation: Any, given: list[Value]) -> tuple[Value, ...]:
    name = equation.primitive.name
    if name.startswith(_RANDOM):
        raise RefusedError(
            "the model draws random numbers when it answers",
            hint="call model.eval(), or pass deterministic=True, so that dropout does nothing",
        )
    if name in _CALLS:
        inner = equation.params[_CALLS[name]]
        return run(writer, inner if hasattr(inner, "consts") else core.ClosedJaxpr(inner, ()), given)
    if name not in PRIMITIVES:
        raise RefusedError(
            f"the JAX primitive '{name}' has no ONNX form here",
            hint="compute that part before the model, or write it with other functions of jax.numpy",
        )
    if name not in _LOOPS and _foldable(equation, given):
        return _computed(equation, given)
    made = PRIMITIVES[name](writer, equation, *given)
    return made if isinstance(made, tuple) else (made,)


def _foldable(equation: Any, given: list[Value]) -> bool:
    shapes = [variable.aval.shape for variable in equation.outvars]
    return (
        equation.primitive.name != "dim_as_value"
        and not any(isinstance(value, str) for value in given)
        and all(isinstance(size, int) for shape in shapes for size in shape)
        and sum(int(np.prod(shape, dtype=np.int64)) for shape in shapes) <= _KNOWN_BEFOREHAND
    )


def _computed(equation: Any, given: list[Value]) -> tuple[Value, ...]:
    """Let JAX compute what depends on no row."""
    made = equation.primitive.bind(*given, **equation.params)
    found = made if equation.primitive.multiple_results else [made]
    return tuple(np.asarray(value) for value in found)
