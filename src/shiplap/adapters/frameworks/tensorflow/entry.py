"""What a TensorFlow model takes, and how it is called: one form for models, SavedModels and functions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from shiplap.core.errors import RefusedError

__all__ = ["Entry", "Port", "entry_of", "flat"]

_SIGNATURE = "serving_default"
_NAMELESS = re.compile(r"(keras_tensor|input_layer)(_\d+)?(CLONE)?")


@dataclass(frozen=True)
class Port:
    """An input.

    Parameters
    ----------
    name : str
        What it is called; an input that its maker gave no name is ``x``, or ``x0``, ``x1`` ... among several.
    dtype : str
        TensorFlow's name of the type that it reads.
    shape : tuple of (int or None), or None
        Shape of one row's value, where it is known.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None

    @property
    def single(self) -> bool:
        """Whether it takes one value a row."""
        return self.shape in {(), (1,)}


@dataclass(frozen=True)
class Entry:
    """How a model is called.

    Parameters
    ----------
    ports : tuple of Port
        Its inputs in order; empty where they follow from the rows.
    call : callable
        ``call(tensors, names)`` with a tensor for each input, in order.
    dtype : str
        The floating type that it computes in.
    """

    ports: tuple[Port, ...]
    call: Callable[[Sequence[Any], Sequence[str]], Any]
    dtype: str = "float32"


def entry_of(model: Any) -> Entry:
    """Return how a model is called.

    Parameters
    ----------
    model : keras.Model, SavedModel, tf.Module, or tf.function
        A model that was built.

    Raises
    ------
    RefusedError
        It is not built, runs on another backend than TensorFlow, or has no signature.
    """
    if isinstance(model, keras.Layer):
        return _of_keras(model)
    if hasattr(model, "signatures"):
        return _of_saved(model)
    if isinstance(model, tf.types.experimental.ConcreteFunction):
        return _of_signature(model)
    if not callable(model):
        raise RefusedError(
            f"a {type(model).__name__} cannot be called",
            hint="pass a Keras model, a SavedModel with a signature, or a tf.function",
        )
    return _of_function(model)


def flat(answer: Any) -> tuple[Any, ...]:
    """Return the tensors of an answer, nested in tuples, lists or dicts, in order."""
    return tuple(tensor for tensor in tf.nest.flatten(answer) if tensor is not None)


def _of_keras(model: Any) -> Entry:
    if keras.backend.backend() != "tensorflow":
        raise RefusedError(
            f"Keras runs on {keras.backend.backend()} here, and its models are read on TensorFlow",
            hint="set KERAS_BACKEND=tensorflow before keras is imported, and load the model again",
        )
    if not model.built:
        raise RefusedError(f"{type(model).__name__} is not built", hint="call it once on some rows, or fit it")
    dtype = "float64" if model.compute_dtype == "float64" else "float32"
    tensors = getattr(model, "inputs", None)
    if not tensors:
        return Entry((), lambda given, names: model(_by_name(given, names), training=False), dtype)
    names = _names([tensor.name for tensor in tensors])
    ports = tuple(
        Port(name, str(tensor.dtype), tuple(tensor.shape[1:])) for name, tensor in zip(names, tensors, strict=True)
    )
    if isinstance(model, keras.Sequential):
        return Entry(ports, lambda given, names: model(given[0], training=False), dtype)
    structure = model.input
    return Entry(
        ports, lambda given, names: model(keras.tree.pack_sequence_as(structure, list(given)), training=False), dtype
    )


def _by_name(given: Sequence[Any], names: Sequence[str]) -> Any:
    return given[0] if len(given) == 1 else dict(zip(names, given, strict=True))


def _names(given: Sequence[str]) -> list[str]:
    """Return names that are the same in every session: Keras numbers those that nobody chose."""
    chosen = [not _NAMELESS.fullmatch(name) for name in given]
    return [
        name if kept else "x" if len(given) == 1 else f"x{place}"
        for place, (name, kept) in enumerate(zip(given, chosen, strict=True))
    ]


def _of_saved(model: Any) -> Entry:
    if _SIGNATURE not in model.signatures:
        known = ", ".join(model.signatures) or "none"
        raise RefusedError(
            f"the SavedModel has no signature '{_SIGNATURE}'; it has {known}",
            hint="save it with signatures={'serving_default': function}",
        )
    return _of_signature(model.signatures[_SIGNATURE])


def _of_signature(function: Any) -> Entry:
    placed, named = function.structured_input_signature
    specs: dict[str, Any] = {spec.name or f"x{place}": spec for place, spec in enumerate(placed)} | dict(named)
    keys = list(specs)
    names = _names(keys)
    count = len(placed)

    def call(given: Sequence[Any], _: Sequence[str]) -> Any:
        return function(*given[:count], **dict(zip(keys[count:], given[count:], strict=True)))

    return Entry(tuple(_port(name, spec) for name, spec in zip(names, specs.values(), strict=True)), call)


def _port(name: str, spec: Any) -> Port:
    shape = None if spec.shape.rank is None else tuple(spec.shape[1:].as_list())
    return Port(name, spec.dtype.name, shape)


def _of_function(function: Any) -> Entry:
    specs = getattr(function, "input_signature", None)
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    dtype = _float_of(getattr(function, "variables", ()))
    if specs is None:

        def call(given: Sequence[Any], names: Sequence[str]) -> Any:
            if set(names) <= set(parameters):
                return function(**dict(zip(names, given, strict=True)))
            return function(_by_name(given, names))

        return Entry((), call, dtype)
    names = [spec.name or parameters[place] for place, spec in enumerate(specs)]
    ports = tuple(_port(name, spec) for name, spec in zip(names, specs, strict=True))
    return Entry(ports, lambda given, _: function(*given), dtype)


def _float_of(variables: Sequence[Any]) -> str:
    kinds = {tf.as_dtype(variable.dtype).name for variable in variables}
    return "float64" if "float64" in kinds and "float32" not in kinds else "float32"
