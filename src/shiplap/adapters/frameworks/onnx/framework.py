"""The adapter of ONNX files: what they take, what they answer, and how they are put into a ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray
from onnx import helper

from shiplap.adapters.frameworks.neural import Code, Neural, require_runnable
from shiplap.adapters.frameworks.onnx.answers import Answers, answers_of
from shiplap.adapters.frameworks.onnx.files import LargeOnnx
from shiplap.adapters.frameworks.onnx.outside import gathered
from shiplap.adapters.frameworks.onnx.session import Session
from shiplap.adapters.frameworks.onnx.texts import coded
from shiplap.adapters.frameworks.onnx.upgrade import batch_of, fed, prepared
from shiplap.adapters.frameworks.protocol import Ask, Lowered
from shiplap.core.errors import RefusedError, TableError
from shiplap.core.schema import Column

__all__ = ["ONNX", "OnnxFiles", "OnnxNetwork"]

Arrays = dict[str, NDArray[Any]]

_FEW, _TIE = 256, 1e-5
_LARGEST = 2**31 - 2**24
_OPEN = "export it with a dynamic batch axis: dynamic_shapes in torch.onnx.export"


@dataclass(frozen=True)
class _Opened:
    """A model that was looked at once."""

    model: onnx.ModelProto | LargeOnnx
    proto: onnx.ModelProto
    answers: Answers
    batch: int
    session: Session


class OnnxNetwork:
    """ONNX models: their inputs by name, their outputs side by side."""

    name = "onnx"

    def __init__(self) -> None:
        self._last: _Opened | None = None

    def opened(self, model: onnx.ModelProto | LargeOnnx) -> _Opened:
        """Return what is known of a model, loaded; of the last one it is kept."""
        if self._last is None or self._last.model is not model:
            proto = model.proto if isinstance(model, LargeOnnx) else model
            if proto.ByteSize() > _LARGEST:
                raise RefusedError(
                    "the model has more than 2 GB of weights in itself, which no file can hold",
                    hint="onnx.save_model(model, path, save_as_external_data=True), and pack the file",
                )
            batch, below = batch_of(proto), answers_of(proto)
            source = model.path if isinstance(model, LargeOnnx) else _answering(proto, below)
            self._last = _Opened(model, proto, below, batch, Session(source, batch=batch))
        return self._last

    def inputs(self, model: onnx.ModelProto | LargeOnnx, X: Any) -> Arrays:
        """Return rows as arrays of the types that the model declares, by the names of its inputs."""
        ports = {port.name: port for port in fed(model.proto if isinstance(model, LargeOnnx) else model)}
        if isinstance(X, pd.DataFrame):
            given = _columns(X, ports)
        elif isinstance(X, dict):
            given = X
        elif len(ports) == 1:
            given = {next(iter(ports)): X}
        else:
            raise TableError(f"the model has {len(ports)} inputs", hint=f"pass a dict of {', '.join(ports)}")
        missing = [name for name in ports if name not in given]
        if missing:
            raise TableError(f"the rows lack the model's input '{missing[0]}'", hint=f"it takes {', '.join(ports)}")
        return {name: _typed(port, given[name]) for name, port in ports.items()}

    def export(self, model: onnx.ModelProto | LargeOnnx, arrays: Arrays, ask: Ask) -> onnx.ModelProto:
        """Return the model with recent operators, an open batch axis and its numbers alone as outputs."""
        if ask.preprocess is not None:
            raise RefusedError("a function cannot be put before an ONNX file", hint="export it with the model")
        known = self.opened(model)
        ready = prepared(coded(known.proto)[0], known.answers.names)
        if isinstance(model, LargeOnnx):
            if known.batch:
                raise RefusedError("a model beyond 2 GB takes one row at a time", hint=_OPEN)
            return ready
        require_runnable(ready)
        if known.batch:
            self._require_any_batch(known, ready, arrays)
        return ready

    def call(self, model: onnx.ModelProto | LargeOnnx, arrays: Arrays, ask: Ask) -> tuple[NDArray[Any], ...]:
        """Return what the file answers, run as it is."""
        del ask
        known = self.opened(model)
        return tuple(known.session.run(known.answers.names, arrays))

    def _require_any_batch(self, known: _Opened, ready: onnx.ModelProto, arrays: Arrays) -> None:
        """Refuse a model of one row at a time whose nodes count on that."""
        if any(array.dtype == object for array in arrays.values()):
            raise RefusedError("the model takes one row of texts at a time", hint=_OPEN)
        few = {name: array[:7] for name, array in arrays.items()}
        try:
            ours = Session(ready).run(known.answers.names, few)
        except ValueError as error:
            raise RefusedError("the model takes one row at a time, and its nodes count on that", hint=_OPEN) from error
        theirs = known.session.run(known.answers.names, few)
        for one, other in zip(ours, theirs, strict=True):
            if one.shape != other.shape or not np.allclose(one, other, rtol=1e-3, atol=1e-5, equal_nan=True):
                raise RefusedError("the model takes one row at a time, and mixes several", hint=_OPEN)


class OnnxFiles(Neural):
    """ONNX models as Shiplap sees them: a network whose classes are often known from its nodes."""

    network: OnnxNetwork

    def sample(self, X: Any, model: Any = None) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return rows as a frame; inputs of one number a row are columns of numbers."""
        if isinstance(X, dict) and all(np.size(array) == len(array) for array in X.values()):
            X = pd.DataFrame({name: np.asarray(array).reshape(-1) for name, array in X.items()})
        return super().sample(X, model)

    def lower(
        self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False, ask: Ask = Ask()
    ) -> Lowered:
        """Put the model into a graph; see `Framework.lower`."""
        try:
            lowered = super().lower(model, frame, columns, canonical=canonical, ask=self._known(model, ask))
        except ValueError as error:
            raise TableError(f"the model does not take these rows: {error}") from error
        if lowered.classes and not ask.classes and self.network.opened(model).answers.label:
            self._require_largest(model, frame.iloc[:_FEW])
        if isinstance(model, LargeOnnx):
            graph, weights = gathered(lowered.graph, model.path.parent)
            lowered = replace(lowered, graph=graph, weights=weights)
        return lowered

    def _require_largest(self, model: Any, frame: pd.DataFrame) -> None:
        """Refuse a model whose own label is not that of its largest number, ties apart."""
        numbers = self.outputs(model, frame)
        ranked = np.sort(numbers, axis=1)
        clear = ranked[:, -1] - ranked[:, -2] > _TIE
        largest = np.array(self.network.opened(model).answers.classes)[numbers.argmax(axis=1)]
        if (clear & (largest != self.labels(model, frame))).any():
            raise RefusedError(
                "the model's own label is not that of its largest number",
                hint="pack the estimator that was exported, or export it with probabilities",
            )

    def codes(self, model: Any) -> Mapping[str, Code]:
        """Return the lookups of texts that a model begins with."""
        return coded(self.network.opened(model).proto)[1]

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[np.float64]:
        """Return the file's own answers, shape (n_rows, n_outputs)."""
        return super().outputs(model, frame, self._known(model, ask))

    def labels(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[Any]:
        """Return the label that the file itself answers, or the class of its largest number."""
        known = self.network.opened(model)
        if not known.answers.label or ask.classes:
            return super().labels(model, frame, self._known(model, ask))
        labels: NDArray[Any] = known.session.run([known.answers.label], self.network.inputs(model, frame))[0]
        return labels.reshape(-1)

    def _known(self, model: Any, ask: Ask) -> Ask:
        return ask if ask.classes else replace(ask, classes=self.network.opened(model).answers.classes)


def _answering(model: onnx.ModelProto, answers: Answers) -> onnx.ModelProto:
    """Return the model with the tensor below a ``ZipMap`` as one more output; else as it is."""
    known = {port.name for port in model.graph.output}
    if set(answers.names) <= known:
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in answers.names if name not in known)
    return copy


def _columns(X: pd.DataFrame, ports: dict[str, onnx.ValueInfoProto]) -> dict[str, Any]:
    """Return the columns that name inputs, or all of them as the only input."""
    names = [str(name) for name in X.columns]
    if set(ports) <= set(names):
        return {name: _stacked(X[name]) for name in ports}
    if len(ports) == 1:
        return {next(iter(ports)): X.to_numpy()}
    return {name: _stacked(X[name]) for name in names if name in ports}


def _stacked(values: pd.Series[Any]) -> NDArray[Any]:
    """Return a column as an array; arrays in its cells become one of more axes."""
    if len(values) and isinstance(values.iloc[0], np.ndarray):
        return np.stack(list(values))
    return values.to_numpy()


def _typed(port: onnx.ValueInfoProto, values: Any) -> NDArray[Any]:
    """Return values in the type and rank of an input.

    Raises
    ------
    RefusedError
        The input takes no numbers.
    ValueError
        They cannot be numbers of that type: an integer that is none.
    """
    kind = port.type.tensor_type
    if not port.type.HasField("tensor_type"):
        raise RefusedError(f"the input '{port.name}' takes no tensor", hint="export the model with tensors alone")
    if kind.elem_type == onnx.TensorProto.STRING:
        return _texts(port, values)
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    array = np.asarray(values)
    if array.dtype == object:
        array = array.astype(np.float64)
    if np.dtype(dtype).kind in "iub" and array.dtype.kind == "f":
        _require_whole(port.name, array, np.dtype(dtype))
    with np.errstate(over="ignore"):
        array = array.astype(dtype)
    return _ranked(port, array)


def _texts(port: onnx.ValueInfoProto, values: Any) -> NDArray[Any]:
    """Return texts; a missing one is sent as the empty text, for ONNX knows no other."""
    array = np.asarray(values, dtype=object)
    array = np.where(pd.isna(array), "", array)
    if not all(isinstance(value, str) for value in array.ravel()):
        raise ValueError(f"the input '{port.name}' takes texts, and a value is none")
    return _ranked(port, array)


def _ranked(port: onnx.ValueInfoProto, array: NDArray[Any]) -> NDArray[Any]:
    """Return an array with the number of axes that the input has."""
    kind = port.type.tensor_type
    rank = len(kind.shape.dim) if kind.HasField("shape") else array.ndim
    if array.ndim == 1 and rank == 2:
        array = array.reshape(-1, 1)
    if array.ndim == 2 and rank == 1 and array.shape[1] == 1:
        array = array.reshape(-1)
    _require_shape(port, array)
    return array


def _require_whole(name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> None:
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    with np.errstate(invalid="ignore"):
        fits = np.isfinite(array) & (array == np.floor(array)) & (array >= low) & (array <= float(high) * (1 - 2**-53))
    if dtype.kind == "b":
        fits = (array == 0) | (array == 1)
    if not fits.all():
        raise ValueError(f"the input '{name}' takes {dtype.name}, and a value is none")


def _require_shape(port: onnx.ValueInfoProto, array: NDArray[Any]) -> None:
    kind = port.type.tensor_type
    if not kind.HasField("shape"):
        return
    wanted = [axis.dim_value or None for axis in kind.shape.dim][1:]
    found = array.shape[1:]
    if len(found) != len(wanted) or any(size not in {None, have} for size, have in zip(wanted, found, strict=True)):
        shown = ", ".join("any" if size is None else str(size) for size in wanted)
        raise TableError(f"the input '{port.name}' takes ({shown}) a row, and the rows are {found}")


ONNX = OnnxFiles(OnnxNetwork())
