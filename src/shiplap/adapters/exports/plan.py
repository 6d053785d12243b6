"""What a plain model is put together from: named inputs, how each becomes numbers, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shiplap.core.encoding import DatePart
from shiplap.core.policy import Policy

__all__ = ["Flat", "Lookup", "Moment", "Part", "Plain", "Plan", "Port", "PortType"]

PortType = Literal["number", "boolean", "text", "moment", "tensor"]


@dataclass(frozen=True)
class Port:
    """A named input.

    Parameters
    ----------
    name : str
        The column.
    type : str
        ``number`` (double), ``boolean`` (bool), ``text`` (string), ``moment`` (int64) or ``tensor`` (double).
    shape : tuple of int
        Shape of one row's value.
    note : str
        How a missing value is sent, and what else a caller has to know.
    gap : str
        The text that stands for a missing one.
    """

    name: str
    type: PortType
    shape: tuple[int, ...] = (1,)
    note: str = ""
    gap: str = ""


@dataclass(frozen=True)
class Plain:
    """The number itself; those in `marked` mean that it is missing."""

    port: Port
    marked: tuple[float, ...] = ()


@dataclass(frozen=True)
class Lookup:
    """A row of numbers for each key, one for what is missing, one for everything else."""

    port: Port
    keys: tuple[str, ...] | tuple[float, ...]
    rows: tuple[tuple[float, ...], ...] = field(repr=False)
    gap: tuple[float, ...]
    other: tuple[float, ...]


@dataclass(frozen=True)
class Moment:
    """Parts of a moment."""

    port: Port
    parts: tuple[DatePart, ...]


@dataclass(frozen=True)
class Flat:
    """All numbers of a tensor, row by row."""

    port: Port
    width: int


Part = Plain | Lookup | Moment | Flat


@dataclass(frozen=True)
class Plan:
    """A plain model.

    Parameters
    ----------
    ports : tuple of Port
        Named inputs.
    parts : tuple of Part
        What the columns of the matrix are, in order.
    policy : Policy
        Task, classes and what is decided.
    scores : bool
        Whether classes come with scores instead of probabilities.
    shape : tuple of int
        Shape of one row of a tensor's answer.
    facts : dict of str to str
        What is written into the model about itself.
    text : str
        What a reader of the model is told.
    """

    ports: tuple[Port, ...]
    parts: tuple[Part, ...]
    policy: Policy
    scores: bool = False
    shape: tuple[int, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    text: str = ""
