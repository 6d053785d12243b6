"""What is recorded of a model in service: who answered, samples of what it answered, what came of it, and windows."""

from __future__ import annotations

from typing import Any

import msgspec

from shiplap.core.brief import Label, OutputTask

__all__ = ["Outcome", "Prediction", "ServedModel", "Window"]


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A ship that was served under a name, and what its records need to be read without it.

    Parameters
    ----------
    name : str
        The name it was served by.
    ship : str
        Ship id.
    task : {"binary", "multiclass", "regression", "tensor"}
        What it answers.
    classes : tuple
        Labels in the order of the outputs.
    categories : dict of str to tuple
        By feature: what the codes in its sketch stand for, by place; ``label`` and ``decision`` too.
    private : tuple of str
        Columns of which no value was written down.
    """

    name: str
    ship: str
    task: OutputTask
    classes: tuple[Label, ...] = ()
    categories: dict[str, tuple[Label, ...]] = {}
    private: tuple[str, ...] = ()


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One row that was answered, kept as a sample; with its outcome where that is known.

    Parameters
    ----------
    id : str
        Id of the request; of its row ``n`` from the second on, ``id/n``.
    model, ship : str
        Who answered.
    at : float
        When, in seconds since 1970.
    share : float
        The share of all rows that were kept then: each stands for ``1 / share`` rows.
    row : dict
        Values as they came, by column.
    left_out : tuple of str
        Columns that are private or held too much to keep.
    outputs : tuple of float or None
        What the graph gave; None where that is no number. Empty where it is more than 1,024 numbers.
    label, decision
        What was answered, and what was decided; None for a tensor.
    outcome
        What truly came, as it was told last: a label, a number, or numbers; None where nobody has told.
    outcome_at : float, optional
        When that happened, in seconds since 1970.
    told_at : float, optional
        When it was told.
    """

    id: str
    model: str
    ship: str
    at: float
    share: float
    row: dict[str, Any]
    left_out: tuple[str, ...] = ()
    outputs: tuple[float | None, ...] = ()
    label: Label | None = None
    decision: Label | None = None
    outcome: Any = None
    outcome_at: float | None = None
    told_at: float | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What truly came of a row.

    Parameters
    ----------
    id : str
        Which row, as in `Prediction`.
    outcome
        A label, a number, or a list of numbers.
    at : float, optional
        When it happened, in seconds since 1970; when it was told where nothing is said.
    told_at : float
        When it was told.
    """

    id: str
    outcome: Any
    at: float | None = None
    told_at: float = 0.0


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What one model was asked and answered in a stretch of time, at one worker or at all of them.

    Parameters
    ----------
    model, ship : str
        Who answered.
    start, seconds : float
        From when, in seconds since 1970, and for how long.
    rows, dropped : int
        Rows that were counted, and rows that were answered but not counted, for lack of time.
    traffic : bytes
        Sketches of each column and answer, for ``shiplap.methods.traffic.unpack``.
    worker : str
        Which process counted; empty where several are added up.
    """

    model: str
    ship: str
    start: float
    seconds: float
    rows: int
    dropped: int
    traffic: bytes
    worker: str = ""
