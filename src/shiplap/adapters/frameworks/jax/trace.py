"""From a JAX function to ONNX: trace it with the number of rows left open, and write what was traced."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import onnx
from numpy.typing import NDArray

# Each of these registers the primitives that it writes.
from shiplap.adapters.frameworks.jax import elementwise, indexing, loops, products, reductions, shapes  # noqa: F401
from shiplap.adapters.frameworks.jax.interpret import run
from shiplap.adapters.frameworks.jax.writer import Writer
from shiplap.core.errors import RefusedError

__all__ = ["first_line", "flax_errors", "require_row_each", "to_onnx", "untraceable"]


def to_onnx(function: Callable[..., Any], arrays: dict[str, NDArray[Any]]) -> onnx.ModelProto:
    """Write a function of arrays, rows first, as ONNX.

    Parameters
    ----------
    function : callable
        Called as ``function(*arrays)``; what it returns, flattened, becomes ``output0``, ``output1`` ...
    arrays : dict of str to ndarray
        Rows for each input by name; the axis of the rows stays open.

    Raises
    ------
    RefusedError
        The function cannot be traced for any number of rows, or contains something that ONNX cannot express.
    """
    (batch,) = jax.export.symbolic_shape("rows")
    structures = [jax.ShapeDtypeStruct((batch, *array.shape[1:]), array.dtype) for array in arrays.values()]
    closed = _traced(function, structures)
    avals = [variable.aval for variable in closed.jaxpr.outvars]
    for aval in avals:
        require_row_each(aval.shape, batch)
    writer = Writer(batch, run)
    writer.count_rows(next(iter(arrays)))
    made = run(writer, closed, list(arrays))
    return writer.model(
        {name: (array.dtype, array.shape[1:]) for name, array in arrays.items()},
        {
            f"output{place}": (value, np.dtype(aval.dtype), aval.shape[1:])
            for place, (value, aval) in enumerate(zip(made, avals, strict=True))
        },
    )


def _traced(function: Callable[..., Any], structures: list[Any]) -> Any:
    try:
        return jax.make_jaxpr(function)(*structures)
    except _tracing_errors() as error:
        raise untraceable(error) from error


def require_row_each(shape: tuple[Any, ...], rows: Any) -> None:
    """Refuse an output whose first axis, and no other, is not that of the rows.

    Raises
    ------
    RefusedError
        It has another shape.
    """
    if not shape or shape[0] != rows or not all(isinstance(size, int) for size in shape[1:]):
        raise RefusedError(
            f"the function answers with an array of shape {shape}, not with one answer a row",
            hint="let the first axis of every output be the rows",
        )


def untraceable(error: Exception) -> RefusedError:
    """Return the error that says why a function cannot be traced, to be raised."""
    return RefusedError(
        f"JAX cannot trace the function for any number of rows: {first_line(error)}",
        hint="branch with jnp.where, keep shapes free of the values, and let the first axis be the rows",
    )


def first_line(error: Exception) -> str:
    """Return what an error says first.

    Examples
    --------
    >>> first_line(ValueError("no such axis\\nin line 3"))
    'no such axis'
    """
    return str(error).strip().split("\n")[0]


def flax_errors() -> tuple[type[Exception], ...]:
    """Return the root of Flax's errors, where Flax is in use."""
    flax = sys.modules.get("flax.errors")
    return () if flax is None else (flax.FlaxError,)


def _tracing_errors() -> tuple[type[Exception], ...]:
    usual = (TypeError, ValueError, IndexError, AttributeError, NotImplementedError)
    return (*usual, jax.errors.InconclusiveDimensionOperation, *flax_errors())
