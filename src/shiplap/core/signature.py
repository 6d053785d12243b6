"""`Signature`: the named, typed inputs and outputs of something that predicts."""

from __future__ import annotations

from math import prod

import msgspec

from shiplap.core.brief import Label, OutputTask
from shiplap.core.schema import Kind

__all__ = ["Field", "Signature"]


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One named input.

    Parameters
    ----------
    name : str
        Column name, as clients send it.
    kind : Kind
        What it holds.
    nullable : bool
        Whether the model has seen it missing; a missing value is accepted either way.
    example : str, float, bool or None
        A typical value, for documentation; never one of a private column.
    shape : tuple of int
        Of a tensor: the shape of one row's value.
    """

    name: str
    kind: Kind
    nullable: bool = True
    example: str | float | bool | None = None
    shape: tuple[int, ...] = ()


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Inputs in order, the task, and the classes in the order of the probabilities.

    Parameters
    ----------
    inputs : tuple of Field
        One a column; the first axis of every input is the batch.
    task : {"binary", "multiclass", "regression", "tensor"}
        What comes out: probabilities or scores of shape (n_rows, n_classes), numbers of shape (n_rows,), or a tensor.
    classes : tuple
        Labels in the order of the probabilities; empty for regression and tensors.
    scores : bool
        Whether the classes come with scores, of which the first largest is the answer, instead of probabilities.
    outputs : tuple of str
        Names of a tensor's columns, where it is a matrix with names.
    shape : tuple of int
        Shape of one row of a tensor without names.
    """

    inputs: tuple[Field, ...]
    task: OutputTask
    classes: tuple[Label, ...] = ()
    scores: bool = False
    outputs: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs in order."""
        return tuple(field.name for field in self.inputs)

    @property
    def n_outputs(self) -> int:
        """How many numbers come out for a row."""
        if self.task == "tensor":
            return prod(self.shape) if self.shape else len(self.outputs)
        return max(len(self.classes), 1)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of a tensor's numbers: as they are called, else ``y0``, ``y1`` ..."""
        return self.outputs or tuple(f"y{index}" for index in range(self.n_outputs))
