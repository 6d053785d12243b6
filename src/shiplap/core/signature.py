"""`Signature`: the named, typed inputs and outputs of something that predicts."""

from __future__ import annotations

import msgspec

from shiplap.core.brief import Label, Task
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
    """

    name: str
    kind: Kind
    nullable: bool = True
    example: str | float | bool | None = None


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Inputs in order, the task, and the classes in the order of the probabilities.

    Parameters
    ----------
    inputs : tuple of Field
        One a column; the first axis of every input is the batch.
    task : {"binary", "multiclass", "regression"}
        What comes out: probabilities of shape (n_rows, n_classes), or numbers of shape (n_rows,).
    classes : tuple
        Labels in the order of the probabilities; empty for regression.
    """

    inputs: tuple[Field, ...]
    task: Task
    classes: tuple[Label, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs in order."""
        return tuple(field.name for field in self.inputs)
