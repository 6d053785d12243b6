"""The JAX adapter: how functions and modules are called, and what they are traced from."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import jax
import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frameworks.jax.trace import first_line, flax_errors, require_row_each, to_onnx, untraceable
from shiplap.adapters.frameworks.neural import Neural, reads_nan_alike, require_runnable, with_nan
from shiplap.adapters.frameworks.protocol import Ask
from shiplap.core.errors import RefusedError, TableError

__all__ = ["JAX", "Jax"]

Arrays = dict[str, NDArray[Any]]

_SIZES = (1, 8, 64, 512, 4096)
"""Rows that a function is compiled for: fewer are filled up with the last, as each number of rows is compiled anew."""

_ANY = "x"
"""What the input of a function is called whose parameter has no name of its own."""


@dataclass(frozen=True)
class _Compiled:
    """A model as it was when packing began.

    Parameters
    ----------
    model, ask : Any, Ask
        What it was made for.
    plain, run : callable
        The model as a function of arrays, run primitive by primitive, and compiled as a whole.
    reads_nan : bool
        Whether ONNX Runtime makes of a NaN what JAX does.
    """

    model: Any
    ask: Ask
    plain: Callable[[Sequence[Any]], Any]
    run: Callable[[Sequence[Any]], Any]
    reads_nan: bool = True


class Jax:
    """Functions of arrays, and modules of Flax NNX.

    Examples
    --------
    >>> Jax().inputs(lambda x: x, np.zeros((2, 3)))["x"].dtype
    dtype('float32')
    """

    name = "jax"

    def __init__(self) -> None:
        self._last: _Compiled | None = None

    def inputs(self, model: Any, X: Any) -> Arrays:
        """Return rows as arrays by the names of the function's parameters, in JAX's own precision."""
        parameters = _parameters(model)
        first = parameters[0] if parameters else _ANY
        if isinstance(X, pd.DataFrame):
            if len(X.columns) > 1 and set(X.columns) <= set(parameters):
                return {str(name): _canonical(X[name].to_numpy(np.float64)) for name in X.columns}
            return {first: _canonical(X.to_numpy(np.float64))}
        if isinstance(X, dict):
            _require_callable_with(parameters, X)
            return {str(name): _canonical(np.asarray(array)) for name, array in X.items()}
        array = np.asarray(X)
        if not array.ndim:
            raise TableError("rows need to be an array with the rows on its first axis, not one number")
        return {first: _canonical(array)}

    def export(self, model: Any, arrays: Arrays, ask: Ask) -> onnx.ModelProto:
        """Trace the function and write its primitives."""
        self._last = None
        exported = to_onnx(lambda *values: _function(model, tuple(arrays), ask)(values), arrays)
        session = require_runnable(exported)
        made = self._compiled(model, arrays, ask)
        alike = reads_nan_alike(
            lambda rows: _answers(made.plain, list(rows.values())), lambda rows: session.run(None, rows), arrays
        )
        self._last = replace(made, reads_nan=alike)
        return exported

    def call(self, model: Any, arrays: Arrays, ask: Ask) -> tuple[NDArray[Any], ...]:
        """Return what the function answers, compiled as a whole; rows with NaN are run primitive by primitive."""
        made = self._compiled(model, arrays, ask)
        parts = _chunked(made.run, arrays)
        spoilt = with_nan(arrays)
        if not spoilt.any():
            return parts
        if not made.reads_nan:
            raise ValueError("what this function answers to NaN depends on how it is compiled")
        parts = tuple(np.array(part) for part in parts)
        own = _chunked(made.plain, {name: array[spoilt] for name, array in arrays.items()})
        for part, mended in zip(parts, own, strict=True):
            part[spoilt] = mended
        return parts

    def answers_nan(self, model: Any) -> bool:
        """Return whether rows with NaN are compared at all."""
        return self._last is None or self._last.model is not model or self._last.reads_nan

    def _compiled(self, model: Any, arrays: Arrays, ask: Ask) -> _Compiled:
        last = self._last
        if last is None or last.model is not model or last.ask is not ask:
            plain = _function(model, tuple(arrays), ask)
            last = self._last = _Compiled(model, ask, plain, jax.jit(plain))
        return last


class _Functions(Neural):
    """Functions of arrays, as the rest of Shiplap sees them."""

    def answers_nan(self, model: Any) -> bool:
        """Return whether the function exported last makes of NaN what its export does."""
        return _NETWORK.answers_nan(model)


_NETWORK = Jax()
JAX = _Functions(_NETWORK)


def _chunked(run: Callable[[Sequence[Any]], Any], arrays: Arrays) -> tuple[NDArray[Any], ...]:
    count = max(1, len(next(iter(arrays.values()))))
    chunks = [
        _answers(run, [array[start : start + _SIZES[-1]] for array in arrays.values()])
        for start in range(0, count, _SIZES[-1])
    ]
    return chunks[0] if len(chunks) == 1 else tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))


def _answers(run: Callable[[Sequence[Any]], Any], arrays: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    """Ask a function for the answers of at most `_SIZES[-1]` rows."""
    count = len(arrays[0])
    size = next(size for size in _SIZES if size >= count) if count else 0
    filled = [np.concatenate([array, np.repeat(array[-1:], size - count, axis=0)]) for array in arrays]
    try:
        parts = [np.asarray(part) for part in jax.tree.leaves(run(tuple(filled)))]
    except (jax.errors.ConcretizationTypeError, *flax_errors()) as error:
        raise untraceable(error) from error
    except TypeError as error:
        raise ValueError(first_line(error)) from error
    for part in parts:
        require_row_each(part.shape, size)
    return tuple(part[:count] for part in parts)


def _function(model: Any, names: tuple[str, ...], ask: Ask) -> Callable[[Sequence[Any]], Any]:
    """Return the model, after its preprocessing, as a function of a sequence of arrays that changes nothing."""
    call = _pure(model)
    by_name = len(names) > 1 or names[0] in _parameters(model)

    def run(values: Sequence[Any]) -> Any:
        given: Any = dict(zip(names, values, strict=True)) if by_name else tuple(values)
        if ask.preprocess is not None:
            given = ask.preprocess(*values)
        if isinstance(given, dict):
            return call(**given)
        return call(*(given if isinstance(given, tuple | list) else (given,)))

    return run


def _pure(model: Any) -> Callable[..., Any]:
    """Return a module as a function, in evaluation mode: neither that nor tracing must write to the module itself."""
    nnx = sys.modules.get("flax.nnx")
    if nnx is None or not isinstance(model, nnx.Module):
        return cast("Callable[..., Any]", model)
    copy = nnx.clone(model)
    copy.eval()
    graph, state = nnx.split(copy)

    def call(*values: Any, **named: Any) -> Any:
        # Merged anew each time: variables belong to the trace that they are used in.
        return nnx.merge(graph, state, copy=True)(*values, **named)

    return call


def _parameters(model: Any) -> list[str]:
    """Return the names of the parameters that take arrays."""
    if not callable(model):
        raise RefusedError(
            f"a {type(model).__name__} cannot be called",
            hint="pass a function of arrays, such as functools.partial(apply, params)",
        )
    kinds = inspect.signature(model).parameters.values()
    return [kind.name for kind in kinds if kind.kind is kind.POSITIONAL_OR_KEYWORD and kind.default is kind.empty]


def _require_callable_with(parameters: Sequence[str], X: dict[str, Any]) -> None:
    if len(X) > 1 and not set(X) <= set(parameters):
        raise TableError(
            f"the function takes {', '.join(parameters) or 'one array'}, and the rows have {', '.join(map(str, X))}",
            hint="pass a dict of arrays by the names of the function's parameters",
        )


def _canonical(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "biuf":
        raise TableError(f"JAX computes with numbers, and an input holds {array.dtype}")
    return array.astype(jax.dtypes.canonicalize_dtype(array.dtype))
