"""A module as an ONNX model with named inputs and an open batch: PyTorch's own exporters, silenced and checked."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from shiplap.adapters.frameworks.torch.modules import as_module, by_position
from shiplap.core.errors import RefusedError

__all__ = ["Entry", "exported", "flat_outputs"]

_OPSET = 18
_ROWS = 3
_SCOPES = "pkg.torch.onnx.name_scopes"
_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}
_LOGGERS = ("torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")
_LONG = 300
_EVALUATED = 2  # a Dropout with a third input is told whether it is in training
_HINT = "use operators that ONNX has, choose by torch.where instead of if, let the first axis have any length"


class Entry(torch.nn.Module):  # type: ignore[misc]  # untyped here
    """Preprocessing and model in one: takes the inputs in order, gives the outputs as a tuple of tensors.

    Parameters
    ----------
    model : Module
        What answers.
    names : tuple of str
        The inputs in order: parameters of the preprocessing, or else of the model's ``forward``.
    preprocess : callable, optional
        Takes the inputs as tensors and returns what the model takes: a tensor, several in a tuple, or a dict by name.

    Examples
    --------
    >>> entry = Entry(torch.nn.Identity(), ("x",), lambda x: x / 255)
    >>> entry(torch.full((1, 2), 51.0))
    (tensor([[0.2000, 0.2000]]),)
    """

    def __init__(self, model: Any, names: tuple[str, ...], preprocess: Callable[..., Any] | None = None) -> None:
        super().__init__()
        self.model = as_module(model)
        self.preprocess = preprocess
        self._names = names
        self._by_position = 0 if preprocess else by_position(model, names)

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the outputs."""
        if self.preprocess is None:
            first, rest = tensors[: self._by_position], tensors[self._by_position :]
            return flat_outputs(self.model(*first, **dict(zip(self._names[len(first) :], rest, strict=True))))
        prepared = self.preprocess(*tensors)
        if isinstance(prepared, Mapping):
            return flat_outputs(self.model(**prepared))
        return flat_outputs(self.model(*(prepared if isinstance(prepared, tuple | list) else (prepared,))))


def flat_outputs(answer: Any) -> tuple[torch.Tensor, ...]:
    """Return the tensors of an answer, nested in tuples, lists or dicts, in order.

    Examples
    --------
    >>> [tensor.item() for tensor in flat_outputs({"a": torch.tensor(1), "b": (torch.tensor(2), None)})]
    [1, 2]
    """
    if isinstance(answer, torch.Tensor):
        return (answer,)
    if answer is None:
        return ()
    parts = answer.values() if isinstance(answer, Mapping) else answer
    if not isinstance(answer, Mapping | tuple | list):
        raise RefusedError(
            f"forward returns a {type(answer).__name__}",
            hint="let forward return a tensor, or tensors in a tuple or dict",
        )
    return tuple(tensor for part in parts for tensor in flat_outputs(part))


def exported(model: Any, tensors: Mapping[str, torch.Tensor], preprocess: Callable[..., Any] | None) -> onnx.ModelProto:
    """Export a model that is in evaluation mode.

    Parameters
    ----------
    model : Module, ScriptModule or ExportedProgram
        What answers.
    tensors : mapping of str to Tensor
        Some rows of each input, batch first.
    preprocess : callable, optional
        Comes before the model and is exported with it.

    Returns
    -------
    onnx.ModelProto
        With the names of `tensors` as inputs. Nothing in it tells where or of which lines it was made.

    Raises
    ------
    RefusedError
        Neither exporter can write it down with an open batch, or it draws random numbers.
    """
    names = tuple(tensors)
    rows = {name: tensor.repeat(_ROWS, *[1] * (tensor.dim() - 1))[:_ROWS] for name, tensor in tensors.items()}
    with _quiet():
        if isinstance(model, torch.jit.ScriptModule) and preprocess is None:
            proto = _traced(model, names, rows)
        elif isinstance(model, torch.export.ExportedProgram) and preprocess is None:
            proto = _of_program(model, names, rows)
        else:
            proto = _of_module(Entry(model, names, preprocess), names, rows)
    _clean(proto)
    _require_certain(proto)
    _require_open(proto)
    return proto


def _of_module(entry: Entry, names: tuple[str, ...], rows: Mapping[str, torch.Tensor]) -> onnx.ModelProto:
    entry.eval()
    shapes = (tuple({0: torch.export.Dim.DYNAMIC} for _ in names),)
    try:
        return _written(entry, tuple(rows.values()), names, shapes)
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        reason = _reason(error)
    try:
        return _traced(entry, names, rows)
    except RefusedError as error:
        raise RefusedError(f"{error.message}; torch.export says: {reason}", hint=error.hint) from None


def _of_program(
    program: torch.export.ExportedProgram, names: tuple[str, ...], rows: Mapping[str, torch.Tensor]
) -> onnx.ModelProto:
    try:
        return _written(program, tuple(rows.values()), names, None)
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        raise RefusedError(f"the exported program cannot be written as ONNX: {_reason(error)}") from None


def _written(model: Any, args: tuple[Any, ...], names: tuple[str, ...], shapes: Any) -> onnx.ModelProto:
    program = torch.onnx.export(
        model,
        args,
        dynamo=True,
        dynamic_shapes=shapes,
        input_names=list(names),
        opset_version=_OPSET,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the exporter gave nothing")
    proto: onnx.ModelProto = program.model_proto
    return proto


def _traced(model: Any, names: tuple[str, ...], rows: Mapping[str, torch.Tensor]) -> onnx.ModelProto:
    """Use the older exporter, which records one run; where it had to guess, the model is refused."""
    buffer = io.BytesIO()
    with _no_descriptor(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", torch.jit.TracerWarning)
        try:
            torch.onnx.export(
                model,
                tuple(rows.values()),
                buffer,
                dynamo=False,
                opset_version=_OPSET,
                input_names=list(names),
                dynamic_axes={name: {0: "n"} for name in names},
            )
        except (torch.onnx.OnnxExporterError, RuntimeError) as error:
            raise RefusedError(f"the model cannot be written as ONNX: {_reason(error)}", hint=_HINT) from None
    guesses = [str(warning.message) for warning in caught if issubclass(warning.category, torch.jit.TracerWarning)]
    if guesses:
        raise RefusedError(f"the model chooses its way by the values of a row: {_shortened(guesses[0])}", hint=_HINT)
    return onnx.load_model_from_string(buffer.getvalue())


def _clean(proto: onnx.ModelProto) -> None:
    """Name the nodes by the module they stand for, and drop file names and source lines that the exporter notes."""
    proto.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")
    for node in _nodes(proto):
        place = _place(next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), ""))
        node.name = f"{place} [{node.name}]" if place else node.name
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in [*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        value.ClearField("metadata_props")
        value.ClearField("doc_string")


def _place(scopes: str) -> str:
    """Return the innermost module of the scopes that the exporter lists, the operator itself last.

    Examples
    --------
    >>> _place("['', 'model', 'model.layers.0', 'linear']"), _place("['', 'add']")
    ('layers.0', '')
    """
    names = [name.strip(" '\"") for name in scopes.strip("[]").split(",")]
    known = [name for name in names[:-1] if name and not name.startswith("_empty_nn_module")]
    return known[-1].removeprefix("model").removeprefix(".") if known else ""


def _nodes(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    waiting = [proto.graph, *proto.functions]
    while waiting:
        for node in waiting.pop().node:
            yield node
            waiting.extend(attribute.g for attribute in node.attribute if attribute.HasField("g"))


def _require_certain(proto: onnx.ModelProto) -> None:
    for node in _nodes(proto):
        if node.op_type in _RANDOM or (node.op_type == "Dropout" and len(node.input) > _EVALUATED):
            raise RefusedError(
                f"{node.name}: the model draws random numbers in evaluation mode",
                hint="draw none where self.training is false",
            )


def _require_open(proto: onnx.ModelProto) -> None:
    for value in proto.graph.input:
        first = value.type.tensor_type.shape.dim[0]
        if not first.dim_param:
            raise RefusedError(
                f"the input '{value.name}' is fixed at {first.dim_value} rows",
                hint="export it with dynamic_shapes that leave the first axis open: {0: torch.export.Dim.AUTO}",
            )


def _reason(error: BaseException) -> str:
    """Return what lies at the bottom of an exporter's error, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return _shortened(lines[0]) if lines else type(error).__name__


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


@contextlib.contextmanager
def _no_descriptor() -> Iterator[None]:
    """Close the standard output itself for a while: the older exporter prints a graph that it cannot write from C++."""
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' warnings, log lines and prints from a user who asked for none of them."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
