"""Compare the answers of an original and of a ship, kind of row by kind of row."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.runtimes import runtimes
from shiplap.core.certificate import Failure, RowKind, Sent
from shiplap.core.errors import RowError
from shiplap.proof.locate import parting_node
from shiplap.proof.rows import Case
from shiplap.proof.subject import Subject
from shiplap.proof.synthetic import sendable
from shiplap.scoring import Scorer, decided_apart, distances

__all__ = ["Comparison", "Tally", "original_outputs"]

_FAILURES, _REFUSALS = 5, 100


def original_outputs(subject: Subject, frame: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return the original's answers, or None where it refuses the rows; its warnings are not ours to show."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return subject.outputs(frame)
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, pd.errors.OutOfBoundsDatetime):
        # AttributeError: vectorizers of texts ask None for its lower case. IndexError: CategoricalNB reads its tables.
        return None


@dataclass
class Tally:
    """What was counted of one kind of row."""

    rows: int = 0
    largest: float = 0.0
    flips: int = 0
    ties: int = 0
    refused: int = 0
    refusals: int = 0


@dataclass
class Comparison:
    """Compares case after case and keeps the count.

    A row *flips* when its two answers lie further apart than the band; a *tie* is a label or a decision that differs
    although the answers agree within the band, which the original does not decide reliably either. So is a row where
    the original picks among equals in an order that another processor would change, as its lowered form says.

    Parameters
    ----------
    subject : Subject
        The original.
    scorer : Scorer
        The ship.
    band : float
        Tolerance, in units of `scale`.
    scale : float or tuple of float
        1 for probabilities; the spread of other answers, of each column where they have names.
    """

    subject: Subject
    scorer: Scorer
    band: float
    scale: float | tuple[float, ...]
    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Compare the rows of a case; rows that the original refuses are searched for, and only counted."""
        tally = self.tallies.setdefault(case.kind, Tally())
        theirs = original_outputs(self.subject, case.frame) if len(case.frame) else np.empty((0, self._width))
        if theirs is None:
            tally.refusals += 1
            if len(case.frame) == 1 or tally.refusals > _REFUSALS:
                tally.refused += len(case.frame)
                return
            middle = len(case.frame) // 2
            self.add(case.part(slice(0, middle)))
            self.add(case.part(slice(middle, None)))
            return
        try:
            ours = self.scorer.outputs(case.rows)
        except RowError as error:
            self._refused_by_ship(case, theirs, error)
            theirs, ours = np.zeros_like(theirs), np.full_like(theirs, np.inf)  # apart, even where NaN is the answer
        self.count(case, tally, theirs, ours)

    @property
    def _width(self) -> int:
        return self.subject.signature.n_outputs

    def count(self, case: Case, tally: Tally, theirs: NDArray[np.float64], ours: NDArray[np.float64]) -> None:
        """Count how far two sets of answers lie apart."""
        if theirs.shape != ours.shape:
            theirs, ours = np.full((1, 1), np.nan), np.zeros((1, 1))
        if not len(theirs):
            return
        apart = distances(theirs, ours, self.scale)
        beyond = ~(apart <= self.band)
        doubtful = beyond & self.doubtful(case) if beyond.any() else beyond
        apart, beyond = np.where(doubtful, 0.0, apart), beyond & ~doubtful
        tally.rows += len(theirs)
        tally.flips += int(beyond.sum())
        tally.largest = max(tally.largest, float(apart.max()))
        tally.ties += int(((decided_apart(theirs, ours, self.scorer.decider) | doubtful) & ~beyond).sum())
        for row in np.flatnonzero(beyond)[: _FAILURES - len(self.failures)]:
            self._failed(case, int(row), theirs[row], ours[row])

    def doubtful(self, case: Case) -> NDArray[np.bool_]:
        """Tell of each row whether the original picks among equals there, in an order of its own."""
        graph = self.subject.lowered.doubt
        if not graph:
            return np.zeros(len(case.frame), dtype=bool)
        doubts = runtimes.get("onnxruntime")(graph).run(self.scorer.encoder.matrix(case.rows))
        found: NDArray[np.bool_] = doubts[:, 0] > 0
        return found

    def _failed(self, case: Case, row: int, theirs: NDArray[np.float64], ours: NDArray[np.float64]) -> None:
        frame = case.frame.iloc[row : row + 1]
        try:
            matrix = self.scorer.encoder.matrix(case.part(slice(row, row + 1)).rows)
            node = parting_node(self.subject, frame, matrix, band=max(self.band, 1e-12))
        except RowError:
            node = "encoder"
        self.failures.append(
            Failure(
                kind=case.kind, values=self._values(frame), original=_numbers(theirs), ship=_numbers(ours), node=node
            )
        )

    def _refused_by_ship(self, case: Case, theirs: NDArray[np.float64], error: RowError) -> None:
        frame = case.frame.iloc[error.row : error.row + 1]
        node = f"encoder: {error.message}" if error.column not in self.subject.private else "encoder"
        self.failures.append(
            Failure(
                kind=case.kind, values=self._values(frame), original=_numbers(theirs[error.row]), ship=(), node=node
            )
        )

    def _values(self, frame: pd.DataFrame) -> dict[str, Sent]:
        return {
            str(name): sendable(frame[name].iloc[0])
            for name in frame.columns
            if name not in self.subject.private and name in self.subject.signature.names
        }

    def kinds(self) -> tuple[RowKind, ...]:
        """Return the verdict per kind of row; what the original refused stands as a kind of its own."""
        found = []
        for name, tally in self.tallies.items():
            if tally.rows or not tally.refused:
                found.append(
                    RowKind(
                        name=name,
                        rows=tally.rows,
                        largest_difference=tally.largest,
                        flips=tally.flips,
                        ties=tally.ties,
                    )
                )
            if tally.refused:
                found.append(
                    RowKind(
                        name=f"{name} (the original refuses)", rows=0, largest_difference=0.0, refused=tally.refused
                    )
                )
        return tuple(found)


def _numbers(row: NDArray[Any]) -> tuple[float | None, ...]:
    return tuple(float(value) if np.isfinite(value) else None for value in row)
