"""`Tensors`: a ship as the Open Inference Protocol v2 sees it, in JSON and over gRPC: named tensors in, named ones out.

Every column is one input of shape ``[n]`` or ``[n, 1]``, an array ``[n]`` and its own shape, flat or nested; the
outputs are ``prediction`` and ``decision`` of shape ``[n]`` and, but for a regression, ``probabilities`` or ``scores``
of shape ``[n, classes]``. A model of tensors has ``prediction`` alone, of shape ``[n]`` and the shape of one row's
answer. ``FP``, ``INT`` and ``UINT`` of any size take numbers, ``BOOL`` booleans, ``BYTES`` texts; null is a missing
value in each. What a value then means is the encoder's word alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.brief import Label
from shiplap.core.schema import Kind
from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.openapi import key_of
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["DATATYPES", "Shape", "Tensor", "Tensors"]

_DATATYPES: dict[Kind, str] = {"number": "FP64", "boolean": "BOOL", "tensor": "FP64"}
_NUMBERS = {int, float, type(None)}
_TAKEN: dict[str, tuple[set[type], str]] = {
    **{f"FP{bits}": (_NUMBERS, "numbers or null") for bits in (16, 32, 64)},
    **{
        f"{sign}INT{bits}": ({int, type(None)}, "whole numbers or null")
        for sign in ("", "U")
        for bits in (8, 16, 32, 64)
    },
    "BOOL": ({bool, type(None)}, "true, false or null"),
    "BYTES": ({str, type(None)}, "texts or null"),
}


DATATYPES = list(_TAKEN)
"""The datatypes that are known."""


class Tensor(msgspec.Struct):
    """A tensor that is sent, or answered.

    Parameters
    ----------
    name : str
        Of the column, or of the output.
    shape : list of int
        The number of rows comes first.
    datatype : str
        ``FP64``, ``INT32``, ``BOOL``, ``BYTES`` ...
    data : list, optional
        The values, row after row, or nested; None while they stand elsewhere as bytes.
    parameters : dict, optional
        What a protocol says beside.
    """

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class Shape(msgspec.Struct, frozen=True):
    """What a tensor looks like; -1 stands for the number of rows."""

    name: str
    datatype: str
    shape: list[int]


class Tensors:
    """Reads the rows of one ship from tensors, and lays its answers out as tensors.

    Parameters
    ----------
    model : Hosted
        The ship.
    """

    def __init__(self, model: Hosted) -> None:
        signature = model.scorer.signature
        self.model = model
        self.inputs = [
            Shape(field.name, _DATATYPES.get(field.kind, "BYTES"), [-1, *field.shape]) for field in signature.inputs
        ]
        self.outputs = {each.name: each for each in _outputs(signature)}
        self.images = frozenset(field.name for field in signature.inputs if field.kind == "image")
        self.inner = {field.name: field.shape for field in signature.inputs}
        self.row_values = sum(map(prod, self.inner.values()))

    def rows(
        self, tensors: Sequence[Tensor], wanted: Iterable[str] = (), fill: Callable[[], None] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows that stand in tensors.

        Parameters
        ----------
        tensors : sequence of Tensor
            One a column.
        wanted : iterable of str
            The outputs that are asked for.
        fill : callable, optional
            Gives tensors that came as bytes their data, once it is clear that they are not too many.

        Raises
        ------
        ProblemError
            413: too many rows. 422: no such output, no input, or a tensor that is not what it claims to be.
        """
        for name in wanted:
            if name not in self.outputs:
                raise ProblemError(422, f"there is no output '{name}'", expected=", ".join(self.outputs))
        if not tensors:
            raise ProblemError(422, "at least one input is expected", field="inputs")
        n_rows = tensors[0].shape[0] if tensors[0].shape else 0
        most = self.model.limits.rows
        if n_rows > most:
            raise ProblemError(413, f"at most {most} rows are accepted in one request", value=n_rows)
        if fill is not None:
            fill()
        columns = {tensor.name: _values(tensor, n_rows, self.inner.get(tensor.name, ())) for tensor in tensors}
        names = tuple(columns)
        return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def example(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that asks about one row."""
        tensors = []
        for each in self.inputs:
            value = row[each.name]
            datatype = "BYTES" if isinstance(value, str) else each.datatype
            if isinstance(value, int | float) and not isinstance(value, bool):
                datatype = "FP64"
            shape = [1, *each.shape[1:]]
            data = [None] * prod(shape) if value is None else [value]
            tensors.append({"name": each.name, "shape": shape, "datatype": datatype, "data": data})
        return {"inputs": tensors}

    def answers(self, outputs: NDArray[np.float64], wanted: Sequence[str] = ()) -> list[Tensor]:
        """Return the answers to rows as tensors, flat, in the order they are asked for; with none named, all of them.

        Parameters
        ----------
        outputs : ndarray of float64, shape (n_rows, n_outputs)
            What the graph gave.
        wanted : sequence of str
            Names of outputs.
        """
        columns = self.model.answers.columns(outputs)
        told = []
        for name in wanted or self.outputs:
            form, data = self.outputs[name], columns[name]
            if form.datatype == "BYTES":
                data = [key_of(label) for label in data]
            told.append(Tensor(name, [len(outputs), *form.shape[1:]], form.datatype, data))
        return told


def _values(tensor: Tensor, n_rows: int, inner: tuple[int, ...]) -> list[Any]:
    """Return the values of a column, each of shape `inner`, checked against what it claims to be."""
    taken = _TAKEN.get(tensor.datatype)
    if taken is None:
        raise ProblemError(
            422,
            f"input '{tensor.name}' has an unknown datatype",
            field=tensor.name,
            value=tensor.datatype,
            expected=", ".join(_TAKEN),
        )
    shapes = [[n_rows, *inner]] if inner else [[n_rows], [n_rows, 1]]
    if tensor.shape not in shapes:
        raise ProblemError(
            422,
            f"input '{tensor.name}' has a shape that does not fit",
            field=tensor.name,
            value=str(tensor.shape),
            expected=" or ".join(map(str, shapes)),
        )
    values = tensor.data or []
    for _ in inner or (1,):
        if list in set(map(type, values)):
            values = [part for value in values for part in (value if type(value) is list else [value])]
    size = prod(inner)
    if len(values) != n_rows * size:
        raise ProblemError(
            422,
            f"input '{tensor.name}' has {len(values)} values where its shape says {n_rows * size}",
            field=tensor.name,
            expected=f"{n_rows * size} values",
        )
    if not taken[0].issuperset(map(type, values)):
        row, value = next((row, value) for row, value in enumerate(values) if type(value) not in taken[0])
        detail = f"input '{tensor.name}' is of datatype {tensor.datatype}"
        raise ProblemError(422, detail, row=row // size, field=tensor.name, value=value, expected=taken[1])
    return np.array(values, dtype=object).reshape(n_rows, *inner).tolist() if inner else values


def _outputs(signature: Signature) -> list[Shape]:
    if signature.task == "regression":
        return [Shape("prediction", "FP64", [-1]), Shape("decision", "FP64", [-1])]
    if signature.task == "tensor":
        return [Shape("prediction", "FP64", [-1, *(signature.shape or [len(signature.outputs)])])]
    label, known = _label_datatype(signature.classes), "scores" if signature.scores else "probabilities"
    return [
        Shape("prediction", label, [-1]),
        Shape(known, "FP64", [-1, len(signature.classes)]),
        Shape("decision", "BOOL" if signature.task == "binary" else label, [-1]),
    ]


def _label_datatype(labels: Sequence[Label]) -> str:
    kinds = set(map(type, labels))
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"
