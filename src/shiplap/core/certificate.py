"""`Certificate`: the proof that a ship answers as the original does."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = ["Certificate", "Failure", "ParityClass", "RowKind", "Sent", "Vectors"]

Sent = str | float | bool | list[Any] | None
"""A value as a client sends it; a tensor as nested lists."""

ParityClass = Literal["exact", "within tolerance", "flips"]


class RowKind(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of row fared.

    Parameters
    ----------
    name : str
        ``data``, ``on a threshold``, ``one ulp below``, ``one ulp above``, ``missing``, ``unseen``, ``extreme`` ...
    rows : int
        How many were compared.
    largest_difference : float
        Largest absolute difference between the two outputs (probability, or units of the target relative to its scale).
    flips : int
        Labels or decisions that differ and whose score lies outside the tolerance band around the border.
    ties : int
        Labels or decisions that differ inside the band: the original does not decide them reliably either.
    refused : int
        Rows that the original itself refuses, so that nothing can be compared.
    """

    name: str
    rows: int
    largest_difference: float
    flips: int = 0
    ties: int = 0
    refused: int = 0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A row on which the two answers part.

    Parameters
    ----------
    kind : str
        Kind of row.
    values : dict
        What was sent; values of private columns are left out.
    original, ship : tuple of float
        The two outputs.
    node : str
        The graph node where they part, as far as it could be located.
    """

    kind: str
    values: dict[str, Sent]
    original: tuple[float | None, ...]
    ship: tuple[float | None, ...]
    node: str = ""


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """Constructed rows with the answers they must get; what ``verify`` replays.

    Parameters
    ----------
    columns : tuple of str
        Names of the inputs.
    rows : tuple of tuple
        One tuple a row; dates as ISO 8601 text, infinities as the texts ``inf`` and ``-inf``.
    outputs : tuple of tuple of float
        Probabilities of shape (n_rows, n_classes), or predictions of shape (n_rows, 1); NaN is ``null``.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Sent, ...], ...]
    outputs: tuple[tuple[float | None, ...], ...]


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, on which rows, and how far the answers lay apart.

    Parameters
    ----------
    ship : str
        The ship id it speaks of.
    parity : {"exact", "within tolerance", "flips"}
        The verdict.
    rows, flips, ties : int
        Totals over `kinds`.
    largest_difference : float
        Largest over `kinds`.
    band : float
        Tolerance: from the original's own variation and the model's arithmetic.
    scale : float or tuple of float
        What a difference is measured in: 1 for probabilities, the spread of other answers, column by column where
        they have names (a larger answer is measured against itself).
    own_variation : float
        How far the original's answers differ from its own (batch of one against many, threads).
    input_cast : float
        Largest change that casting the input alone causes (0 where the graph takes doubles).
    dtype : str
        Arithmetic of the model: ``float64`` or ``float32``.
    kinds : tuple of RowKind
        Verdict per kind of row.
    failures : tuple of Failure
        The first few rows on which the answers part.
    environment : dict of str to str
        Versions under which it was made.
    vectors : Vectors
        Constructed rows for replay.
    """

    ship: str
    parity: ParityClass
    rows: int
    flips: int
    ties: int
    largest_difference: float
    band: float
    own_variation: float
    input_cast: float
    dtype: str
    kinds: tuple[RowKind, ...]
    failures: tuple[Failure, ...] = ()
    environment: dict[str, str] = {}
    vectors: Vectors
    scale: float | tuple[float, ...] = 1.0
