"""The TensorFlow adapter: Keras models, SavedModels and functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from shiplap.adapters.frameworks.neural import Code, Neural, reads_nan_alike, require_runnable, with_nan
from shiplap.adapters.frameworks.protocol import Ask
from shiplap.adapters.frameworks.tensorflow.convert import to_onnx
from shiplap.adapters.frameworks.tensorflow.entry import Entry, entry_of, flat
from shiplap.adapters.frameworks.tensorflow.lookups import Lookup, behind, lookups_of
from shiplap.adapters.frameworks.tensorflow.values import as_read, by_name, require_readable
from shiplap.core.errors import TableError
from shiplap.core.schema import Column

__all__ = ["TENSORFLOW", "Tensorflow"]

Arrays = dict[str, NDArray[Any]]

_PORT = "shiplap_input_"


@dataclass(frozen=True)
class _Compiled:
    """A model as it was when packing began.

    Parameters
    ----------
    model, ask : Any, Ask
        What it was made for.
    plain, run : callable
        The model as a function of tensors, run layer by layer, and traced once.
    reads_nan : bool
        Whether ONNX Runtime makes of a NaN what TensorFlow does; many kernels of either lose it on the way.
    """

    model: Any
    ask: Ask
    plain: Callable[..., Any]
    run: Callable[..., Any]
    reads_nan: bool = True


class Tensorflow:
    """Models of Keras 3 on TensorFlow, SavedModels, modules and functions of tensors.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    >>> Tensorflow().inputs(model, np.zeros((2, 3)))["x"].dtype
    dtype('float32')
    """

    name = "tensorflow"

    def __init__(self) -> None:
        self._last: _Compiled | None = None

    def inputs(self, model: Any, X: Any) -> Arrays:
        """Return rows as arrays by the names of the model's inputs, in the types that they read."""
        entry = entry_of(model)
        given = by_name(entry, X)
        if not entry.ports:
            return {name: _plain(array, entry.dtype) for name, array in given.items()}
        return {port.name: as_read(port, given[port.name]) for port in entry.ports}

    def export(self, model: Any, arrays: Arrays, ask: Ask) -> onnx.ModelProto:
        """Write the model behind its lookups as ONNX."""
        self._last = None
        entry = entry_of(model)
        lookups = lookups_of(model, entry)
        read = {name: (array.shape[1:], array.dtype.name) for name, array in arrays.items()}
        read |= {name: (lookup.shape, lookup.dtype) for name, lookup in lookups.items()}
        specs = [
            tf.TensorSpec((None, *shape), dtype, name=f"{_PORT}{place}")
            for place, (shape, dtype) in enumerate(read.values())
        ]
        function = _function(behind(model, entry, lookups), tuple(arrays), ask)
        exported = _renamed(to_onnx(function, specs), tuple(arrays))
        session = require_runnable(exported)
        made = self._compiled(model, entry, arrays, ask)
        alike = reads_nan_alike(
            lambda rows: _answers(made.plain, rows), lambda rows: session.run(None, _looked_up(rows, lookups)), arrays
        )
        self._last = replace(made, reads_nan=alike)
        return exported

    def call(self, model: Any, arrays: Arrays, ask: Ask) -> tuple[NDArray[Any], ...]:
        """Return what the model answers, traced once for any number of rows; rows with NaN are run layer by layer."""
        entry = entry_of(model)
        require_readable(entry, arrays)
        made = self._compiled(model, entry, arrays, ask)
        spoilt = with_nan(arrays)
        if not spoilt.any():
            return _answers(made.run, arrays)
        if not made.reads_nan:
            raise ValueError("what this model answers to NaN depends on how it is run")
        parts = [np.array(part) for part in _answers(made.run, arrays)]
        for part, own in zip(parts, _answers(made.plain, {n: a[spoilt] for n, a in arrays.items()}), strict=True):
            part[spoilt] = own
        return tuple(parts)

    def answers_nan(self, model: Any) -> bool:
        """Return whether rows with NaN are compared at all."""
        return self._last is None or self._last.model is not model or self._last.reads_nan

    def _compiled(self, model: Any, entry: Entry, arrays: Arrays, ask: Ask) -> _Compiled:
        last = self._last
        if last is None or last.model is not model or last.ask is not ask:
            plain = _function(entry, tuple(arrays), ask)
            specs = [tf.TensorSpec((None, *array.shape[1:]), tf.as_dtype(array.dtype)) for array in arrays.values()]
            last = self._last = _Compiled(model, ask, plain, tf.function(plain, input_signature=specs))
        return last


class _Tables(Neural):
    """Networks that read columns of a table by name, beside arrays."""

    def sample(self, X: Any, model: Any = None) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return rows as a frame; inputs of one value a row are columns of it."""
        ports = entry_of(model).ports if model is not None else ()
        names = [port.name for port in ports]
        if isinstance(X, pd.DataFrame) and names:
            X = X.set_axis([str(name) for name in X.columns], axis=1)
            if set(names) <= set(X.columns):
                X = X[names]
            elif len(ports) > 1 or ports[0].dtype == "string":
                missing = next(name for name in names if name not in X.columns)
                raise TableError(
                    f"the data has no column '{missing}', which an input of the model is called",
                    hint="name the columns as the inputs, or each Input as its column",
                )
        elif isinstance(X, dict) and any(port.dtype == "string" for port in ports):
            X = self._framed(X, model, {port.name for port in ports if port.single})
        return super().sample(X, model)

    def codes(self, model: Any) -> Mapping[str, Code]:
        """Return the lookups that a model begins with, by the name of the input."""
        found = lookups_of(model, entry_of(model))
        return {name: Code(lookup.operation, lookup.dtype, lookup.shape) for name, lookup in found.items()}

    def answers_nan(self, model: Any) -> bool:
        """Return whether the model exported last makes of NaN what its export does."""
        return _NETWORK.answers_nan(model)

    def _framed(self, X: dict[str, Any], model: Any, single: set[str]) -> pd.DataFrame:
        arrays = self.network.inputs(model, X)
        if len({len(array) for array in arrays.values()}) > 1:
            raise TableError("the inputs of the network have different numbers of rows")
        return pd.DataFrame(
            {name: array.reshape(-1) if name in single else list(array) for name, array in arrays.items()}
        )


_NETWORK = Tensorflow()
TENSORFLOW = _Tables(_NETWORK)


def _answers(run: Callable[..., Any], arrays: Arrays) -> tuple[NDArray[Any], ...]:
    try:
        return tuple(np.asarray(part) for part in run(*(tf.convert_to_tensor(array) for array in arrays.values())))
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(error.message) from error


def _looked_up(rows: Arrays, lookups: Mapping[str, Lookup]) -> Arrays:
    return rows | {name: lookup.layer(rows[name]).numpy().astype(lookup.dtype) for name, lookup in lookups.items()}


def _plain(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    values = np.asarray(array)
    if values.dtype.kind not in "biuf":
        raise TableError(
            f"the model reads numbers, and an input holds {values.dtype}",
            hint="a model that begins with lookups has to be functional, with an Input for each text",
        )
    return values.astype(dtype) if values.dtype.kind == "f" else values


def _function(entry: Entry, names: tuple[str, ...], ask: Ask) -> Callable[..., Any]:
    """Return the model, after its preprocessing, as a function of tensors."""

    def run(*tensors: Any) -> tuple[Any, ...]:
        if ask.preprocess is None:
            return flat(entry.call(tensors, names))
        given = ask.preprocess(*tensors)
        if isinstance(given, dict):
            return flat(entry.call(tuple(given.values()), tuple(given)))
        made: Sequence[Any] = given if isinstance(given, tuple | list) else (given,)
        return flat(entry.call(made, names[: len(made)]))

    return run


def _renamed(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """Give the inputs their own names, of which TensorFlow does not allow all."""
    nodes = []
    for port in model.graph.input:
        inner = port.name
        port.name = names[int(inner.removeprefix(_PORT).partition(":")[0])]
        nodes.append(onnx.helper.make_node("Identity", [port.name], [inner], name=f"{inner} in"))
    nodes.extend(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
