"""What a module of PyTorch reads, and whether it can be asked: names of its inputs, its arithmetic, its mode."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from shiplap.core.errors import RefusedError

__all__ = ["answering", "as_module", "by_position", "input_names", "real_dtype", "require_plain"]

_PLAIN = {torch.float32, torch.float64, torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}


def as_module(model: Any) -> torch.nn.Module:
    """Return what can be called: an exported program's module, or the module itself."""
    if isinstance(model, torch.export.ExportedProgram):
        module: torch.nn.Module = model.module()
        return module
    if isinstance(model, torch.nn.Module):
        return model
    raise RefusedError(
        f"a {type(model).__name__} of PyTorch is no module",
        hint="pack the torch.nn.Module that answers, weights loaded",
    )


def input_names(model: Any, preprocess: Callable[..., Any] | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the inputs that must be given and of those that may be, in order.

    Parameters
    ----------
    model : Module, ScriptModule or ExportedProgram
        Its ``forward`` names them.
    preprocess : callable, optional
        Where one comes before the model, its own parameters are the inputs.

    Raises
    ------
    RefusedError
        They are not named, as in ``forward(*args)``.

    Examples
    --------
    >>> input_names(torch.nn.Linear(2, 1))
    (('input',), ())
    """
    if preprocess is None and isinstance(model, torch.jit.ScriptModule):
        found = [(argument.name, argument.has_default_value()) for argument in model.forward.schema.arguments[1:]]
    else:
        found = _of_signature(_entry(model, preprocess))
    required = tuple(name for name, optional in found if not optional)
    return required, tuple(name for name, optional in found if optional)


def by_position(model: Any, names: tuple[str, ...]) -> int:
    """Return how many of the inputs, in the order of ``forward``, are given by position; the others need their names.

    Examples
    --------
    >>> by_position(torch.nn.Linear(2, 1), ("input",))
    1
    """
    known, keywords = input_names(model), set[str]()
    if isinstance(model, torch.export.ExportedProgram):
        keywords = set(model.call_spec.in_spec.children()[1].context)
    elif not isinstance(model, torch.jit.ScriptModule):
        parameters = inspect.signature(model.forward).parameters.values()
        keywords = {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    places = [name for name in (*known[0], *known[1]) if name not in keywords]
    return next(
        (place for place, pair in enumerate(zip(names, places, strict=False)) if len(set(pair)) > 1), len(places)
    )


def real_dtype(model: Any) -> torch.dtype:
    """Return the dtype of the model's real numbers: single precision where it holds none."""
    kinds = {tensor.dtype for _, tensor in _tensors(model) if tensor.is_floating_point()}
    return torch.float64 if kinds == {torch.float64} else torch.float32


def require_plain(model: Any) -> None:
    """Check that every parameter and buffer is a plain number on the processor.

    Raises
    ------
    RefusedError
        One is of half precision, quantized or complex, on another device, or does not exist yet; says which.
    """
    for name, tensor in _tensors(model):
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            raise RefusedError(
                f"the layer of '{name}' was never called", hint="call the model once, or load its weights"
            )
        if tensor.device.type != "cpu":
            raise RefusedError(f"'{name}' is on {tensor.device}", hint="call model.cpu() before packing")
        if tensor.dtype not in _PLAIN or tensor.layout != torch.strided:
            raise RefusedError(
                f"'{name}' is of {str(tensor.dtype).removeprefix('torch.')}, whose arithmetic differs between runtimes",
                hint="call model.float() before packing, and check that its answers are still good",
            )


@contextmanager
def answering(*modules: Any) -> Iterator[None]:
    """Hold modules in evaluation mode, without gradients; each of their parts is put back into its own mode after."""
    parts = [part for module in modules if isinstance(module, torch.nn.Module) for part in module.modules()]
    training = [part for part in parts if part.training]
    try:
        for part in training:
            part.training = False
        with torch.no_grad():
            yield
    finally:
        for part in training:
            part.training = True


def _entry(model: Any, preprocess: Callable[..., Any] | None) -> Callable[..., Any]:
    if preprocess is None:
        preprocess = as_module(model)
    entry: Callable[..., Any] = getattr(preprocess, "forward", preprocess)
    return entry


def _of_signature(entry: Callable[..., Any]) -> list[tuple[str, bool]]:
    parameters = list(inspect.signature(entry).parameters.values())
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        raise RefusedError(
            "the inputs of forward(*args) have no names", hint="give forward a parameter for each of its inputs"
        )
    named = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    return [(parameter.name, parameter.default is not parameter.empty) for parameter in named]


def _tensors(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(model, torch.export.ExportedProgram):
        yield from model.state_dict.items()
        return
    yield from model.named_parameters()
    yield from model.named_buffers()
