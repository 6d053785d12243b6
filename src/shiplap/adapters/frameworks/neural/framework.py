"""The adapter that all networks share: rows to arrays, the network's ONNX model to a ship's graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frameworks.neural.wrap import Wire, wrap
from shiplap.adapters.frameworks.protocol import Ask, Lowered
from shiplap.adapters.frameworks.sklearn.sample import columns_of
from shiplap.core.brief import Label, OutputTask
from shiplap.core.encoding import Boolean, Encoding, Number, Operation, Tensor
from shiplap.core.errors import RefusedError, TableError
from shiplap.core.schema import Column

__all__ = ["Code", "Network", "Neural"]

Arrays = dict[str, NDArray[Any]]
Doubles = NDArray[np.float64]

_FEW = 256
_LARGEST = 1e6
_SWAY = 1e-2
"""How far answers may sway with the rows beside, relative to the largest: rounding alone stays far below."""


@dataclass(frozen=True)
class Code:
    """An input that the encoder turns into numbers by an operation of its own, such as a lookup of strings.

    Parameters
    ----------
    operation : Operation
        What the encoder does.
    dtype : str
        NumPy's name of the type in which the exported model reads what comes out.
    shape : tuple of int
        Shape of one row's value there.
    """

    operation: Operation
    dtype: str
    shape: tuple[int, ...]


class Network(Protocol):
    """What one framework offers about its networks."""

    name: str

    def inputs(self, model: Any, X: Any) -> Arrays:
        """Return rows as the network reads them: an array for each of its inputs, by name and in order.

        Parameters
        ----------
        model : Any
            The network.
        X : ndarray, DataFrame, or dict of str to ndarray
            The rows; a dict or a DataFrame names inputs, columns of numbers are the features of the only input.

        Raises
        ------
        TableError
            The rows do not fit the network's inputs.
        """
        ...

    def export(self, model: Any, arrays: Arrays, ask: Ask) -> Any:
        """Return the network as an ``onnx.ModelProto`` with inputs named as in `arrays` and an open batch axis.

        Raises
        ------
        RefusedError
            Its exporter fails; the message says where.
        """
        ...

    def call(self, model: Any, arrays: Arrays, ask: Ask) -> tuple[NDArray[Any], ...]:
        """Return the network's own answers, one array for each output, the batch on the first axis.

        Raises
        ------
        ValueError
            It cannot take these numbers: an index outside an embedding, say.
        """
        ...


@dataclass(frozen=True)
class _Answer:
    """What comes out of a network, and how it becomes the columns of a ship."""

    task: OutputTask
    classes: tuple[Label, ...] = ()
    scores: bool = False
    shape: tuple[int, ...] = ()
    both: str = ""

    def columns(self, parts: tuple[NDArray[Any], ...]) -> Doubles:
        matrix = np.hstack([np.asarray(part, np.float64).reshape(len(part), -1) for part in parts])
        if not self.both:
            return matrix
        return np.hstack([1.0 - matrix if self.both == "probability" else -matrix, matrix])


@dataclass(frozen=True)
class Neural:
    """A framework of networks, as the rest of Shiplap sees it.

    Parameters
    ----------
    network : Network
        What is particular to it.
    """

    network: Network
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.network.name)

    def sample(self, X: Any, model: Any = None) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return rows as a frame: columns of numbers as they are, arrays one to a cell."""
        if isinstance(X, pd.DataFrame):
            frame = X.set_axis([str(name) for name in X.columns], axis=1)
            return frame, tuple(_column(frame[column.name], column) for column in columns_of(frame))
        arrays = self.network.inputs(model, X)
        if len({len(array) for array in arrays.values()}) > 1:
            raise TableError("the inputs of the network have different numbers of rows")
        frame = pd.DataFrame({name: list(array) for name, array in arrays.items()})
        return frame, tuple(_column(frame[name], _named(name, array)) for name, array in arrays.items())

    def lower(
        self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False, ask: Ask = Ask()
    ) -> Lowered:
        """Export a network and put it between matrices; see `Framework.lower`."""
        del canonical
        few = frame.iloc[:_FEW]
        arrays = self.network.inputs(model, _given(few))
        operations, wires = _encoded(columns, arrays, self.codes(model))
        width = sum(operation.width for operation in operations)
        try:
            parts = self.network.call(model, arrays, ask)
        except ValueError as error:
            raise TableError(
                f"the network cannot take the rows: {error}", hint="pass some rows of what it was trained on"
            ) from error
        answer = _meaning(parts, ask.classes)
        proto = self.network.export(model, arrays, ask)
        self._require_rows_apart(model, arrays, ask, parts)
        single = any(np.asarray(array).dtype == np.float32 for array in (*arrays.values(), *parts))
        return Lowered(
            encoding=Encoding(operations=operations),
            graph=wrap(proto, wires, width=width, both=answer.both, guarded=self._loses_nothing(model, arrays, ask)),
            task=answer.task,
            classes=answer.classes,
            dtype="float32" if single else "float64",
            terms=1,
            columns=columns,
            thresholds={},
            paths=(),
            probes=list,
            scores=answer.scores,
            shape=answer.shape,
            answers=lambda rows: answer.columns(
                self.network.call(model, self.network.inputs(model, _given(rows)), ask)
            ),
            largest=_LARGEST,
        )

    def codes(self, model: Any) -> Mapping[str, Code]:
        """Return the inputs that the encoder turns into numbers by operations of their own, by name."""
        return {}

    def answers_nan(self, model: Any) -> bool:
        """Return whether the model exported last makes of NaN what its export does; where not, the ship answers NaN."""
        return True

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> Doubles:
        """Return the network's own answers, shape (n_rows, n_outputs)."""
        parts = self.network.call(model, self.network.inputs(model, _given(frame)), ask)
        return _meaning(parts, ask.classes).columns(parts)

    def labels(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[Any]:
        """Return the class of the largest output of each row."""
        labels: NDArray[Any] = np.array(ask.classes)[self.outputs(model, frame, ask).argmax(axis=1)]
        return labels

    def _require_rows_apart(self, model: Any, arrays: Arrays, ask: Ask, together: tuple[NDArray[Any], ...]) -> None:
        alone = self.network.call(model, {name: array[:1] for name, array in arrays.items()}, ask)
        for one, many in zip(alone, together, strict=True):
            wide, first = np.asarray(many, np.float64), np.asarray(one, np.float64)[0]
            apart = np.abs(first - wide[0])
            if np.fmax.reduce(apart, axis=None) > _SWAY * max(1.0, np.fmax.reduce(np.abs(wide), axis=None)):
                raise RefusedError(
                    "the network answers a row otherwise when other rows stand beside it",
                    hint="put it in evaluation mode, so that normalization and dropout use what they learned",
                )

    def _loses_nothing(self, model: Any, arrays: Arrays, ask: Ask) -> bool:
        """Tell whether one NaN in any float input makes the whole answer NaN, or is to do so in the ship."""
        if not self.answers_nan(model):
            return True
        floats = [name for name, array in arrays.items() if np.asarray(array).dtype.kind == "f"]
        for name in floats:
            spoilt = np.array(arrays[name][:2])
            spoilt.reshape(len(spoilt), -1)[:, -1] = np.nan
            rows = {key: array[:2] for key, array in arrays.items()} | {name: spoilt}
            try:
                parts = self.network.call(model, rows, ask)
            except ValueError:
                return False
            if not all(np.isnan(np.asarray(part, np.float64)).all() for part in parts):
                return False
        return bool(floats)


def _given(frame: pd.DataFrame) -> Any:
    """Return a frame as the network's `inputs` takes it: arrays by name, or the frame of plain columns."""
    if not any(len(frame) and isinstance(frame[name].iloc[0], np.ndarray) for name in frame.columns):
        return frame
    return {str(name): np.stack(list(frame[name])) for name in frame.columns}


def _named(name: str, array: NDArray[Any]) -> Column:
    shape = tuple(np.shape(array)[1:])
    return Column(name=name, kind="tensor" if shape else "number", dtype=str(array.dtype), shape=shape)


def _column(values: pd.Series[Any], known: Column) -> Column:
    """Return what a column holds, arrays told from plain values."""
    first = values.iloc[0] if len(values) else None
    if not isinstance(first, np.ndarray):
        return known
    return Column(name=known.name, kind="tensor", dtype=str(first.dtype), shape=tuple(first.shape))


def _encoded(
    columns: tuple[Column, ...], arrays: Arrays, codes: Mapping[str, Code]
) -> tuple[tuple[Operation, ...], list[Wire]]:
    """Return the encoder's operations, and which of the columns they write each input takes."""
    operations = tuple(
        codes[column.name].operation if column.name in codes else _operation(column) for column in columns
    )
    read = {name: (tuple(array.shape[1:]), str(array.dtype)) for name, array in arrays.items()}
    read |= {name: (code.shape, code.dtype) for name, code in codes.items()}
    widths = {column.name: operation.width for column, operation in zip(columns, operations, strict=True)}
    total = sum(widths.values())
    starts = dict(zip(widths, np.cumsum([0, *widths.values()]).tolist(), strict=False))
    if len(read) == 1:
        name, (shape, dtype) = next(iter(read.items()))
        if prod(shape) == total:
            return operations, [Wire(name, 0, shape, dtype)]
    wires = []
    for name, (shape, dtype) in read.items():
        if widths.get(name) != prod(shape):
            raise TableError(
                f"the network's input '{name}' takes {list(shape)} numbers a row, and the rows have "
                f"{widths.get(name, 'none')} of that name",
                hint="pass a dict of arrays by input name",
            )
        wires.append(Wire(name, starts[name], shape, dtype))
    return operations, wires


def _operation(column: Column) -> Operation:
    if column.kind == "tensor":
        return Tensor(column=column.name, shape=column.shape)
    if column.kind == "boolean":
        return Boolean(column=column.name)
    if column.kind == "number":
        return Number(column=column.name)
    raise RefusedError(
        f"column '{column.name}' holds a {column.kind} and the network computes with numbers",
        hint="encode it in a pipeline before, or pass the numbers that the network was trained on",
    )


def _meaning(parts: tuple[NDArray[Any], ...], classes: tuple[Label, ...]) -> _Answer:
    """Settle what the outputs are: probabilities where they are some, else scores; numbers without named classes."""
    widths = [prod(part.shape[1:]) for part in parts]
    if not classes:
        if widths == [1]:
            return _Answer("regression")
        return _Answer("tensor", shape=tuple(parts[0].shape[1:]) if len(parts) == 1 else (sum(widths),))
    task: OutputTask = "binary" if len(classes) == 2 else "multiclass"
    if widths == [len(classes)]:
        return _Answer(task, classes, scores=not _sums_to_one(parts[0].reshape(len(parts[0]), -1)))
    if widths == [1] and len(classes) == 2:
        known = bool(((parts[0] >= 0) & (parts[0] <= 1)).all())
        return _Answer(task, classes, scores=not known, both="probability" if known else "score")
    raise RefusedError(
        f"the network gives {widths} numbers a row, which {len(classes)} classes do not name",
        hint="name one class for each number of its only output",
    )


def _sums_to_one(values: NDArray[Any]) -> bool:
    wide = np.asarray(values, np.float64)
    return bool((wide >= 0).all() and np.allclose(wide.sum(axis=1), 1.0, atol=1e-3))
