"""`Shadow`: another version that is asked the same beside the one that answers; its answers are only compared."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.tap import Asker
from shiplap.engineer.deploy.serve.models.threads import stand_back
from shiplap.scoring import Scorer

__all__ = ["Comparison", "Shadow"]

Matrix = NDArray[np.float64]
_MOST_ROWS = 4_096
_LAST_S = 2.0


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows that two versions were asked.

    Parameters
    ----------
    rows : int
        Rows that both answered.
    predictions_differ, decisions_differ : int
        Of those, how many have another label (or number), and how many another decision.
    largest_difference : float or None
        Largest difference of an output; None where the outputs do not mean the same.
    refused : int
        Rows that the shadow could not answer.
    missed : int
        Rows that it was not asked, because it could not keep up.

    Examples
    --------
    >>> (Comparison(rows=2, predictions_differ=1) + Comparison(rows=3, largest_difference=0.5)).rows
    5
    """

    rows: int = 0
    predictions_differ: int = 0
    decisions_differ: int = 0
    largest_difference: float | None = None
    refused: int = 0
    missed: int = 0

    def as_dict(self) -> dict[str, int | float | None]:
        """Return the figures by name."""
        return msgspec.structs.asdict(self)

    def __add__(self, other: Comparison) -> Comparison:
        seen = [each for each in (self.largest_difference, other.largest_difference) if each is not None]
        return Comparison(
            rows=self.rows + other.rows,
            predictions_differ=self.predictions_differ + other.predictions_differ,
            decisions_differ=self.decisions_differ + other.decisions_differ,
            largest_difference=max(seen, default=None),
            refused=self.refused + other.refused,
            missed=self.missed + other.missed,
        )


class Shadow:
    """A tap that asks its own ship what passes by, on a thread; it misses rows rather than hold others up.

    Parameters
    ----------
    stable : Hosted
        Who answers.
    shadow : Hosted
        Who is asked beside.
    """

    def __init__(self, stable: Hosted, shadow: Hosted) -> None:
        self.versions = (stable.version, shadow.version)
        self.found = Comparison()
        self._stable, self._shadow = stable.scorer, shadow.scorer
        self._comparable = _meaning(self._stable) == _meaning(self._shadow)
        self._waiting: deque[tuple[list[Mapping[str, object]], Matrix]] = deque()
        self._n_waiting = 0
        self._missed = 0
        self._lock = threading.Lock()
        self._told = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="shiplap-shadow", daemon=True)
        self._thread.start()

    def take(
        self, askers: Sequence[Asker], rows: Sequence[Mapping[str, object]], encoded: Matrix, outputs: Matrix
    ) -> None:
        """See rows that were answered."""
        with self._lock:
            if self._n_waiting + len(rows) > _MOST_ROWS:
                self._missed += len(rows)
                return
            self._n_waiting += len(rows)
            self._waiting.append((list(rows), outputs))
        self._told.set()

    def close(self) -> Comparison:
        """Compare what waits, as far as two seconds reach, and return what was found in all."""
        self._end_s = time.monotonic() + _LAST_S
        self._closed = True
        self._told.set()
        self._thread.join()
        return self.found

    def _work(self) -> None:
        stand_back()
        while not (self._closed and not self._waiting):
            self._told.wait()
            if not self._closed:
                self._told.clear()
            while self._waiting:
                with self._lock:
                    rows, outputs = self._waiting.popleft()
                    self._n_waiting -= len(rows)
                    missed, self._missed = self._missed, 0
                if self._closed and time.monotonic() > self._end_s:
                    missed += len(rows)
                else:
                    self.found += self._whatever_comes(rows, outputs)
                self.found += Comparison(missed=missed)

    def _whatever_comes(self, rows: list[Mapping[str, object]], outputs: Matrix) -> Comparison:
        try:
            return self._compared(rows, outputs)
        except Exception as error:  # or the thread would end, and nobody know
            sys.stderr.write(f"the shadow {self.versions[1]} cannot be compared: {error!r}\n")
            return Comparison(refused=len(rows))

    def _compared(self, rows: list[Mapping[str, object]], outputs: Matrix) -> Comparison:
        try:
            own = self._shadow.runtime.run(self._shadow.encoder.matrix(rows))
        except ShiplapError:
            if len(rows) == 1:
                return Comparison(refused=1)
            alone = (self._compared([row], outputs[place : place + 1]) for place, row in enumerate(rows))
            return sum(alone, Comparison())
        deciders = (self._stable.decider, self._shadow.decider)
        labels = [decider.labels(each) for decider, each in zip(deciders, (outputs, own), strict=True)]
        decisions = [decider.decisions(each) for decider, each in zip(deciders, (outputs, own), strict=True)]
        return Comparison(
            rows=len(rows),
            predictions_differ=_n_different(*labels),
            decisions_differ=_n_different(*decisions),
            largest_difference=_largest(outputs, own) if self._comparable else None,
        )


def _meaning(scorer: Scorer) -> tuple[object, ...]:
    signature = scorer.signature
    return signature.task, signature.classes, signature.n_outputs, signature.scores


def _largest(one: Matrix, other: Matrix) -> float:
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    apart = np.abs(np.where(same, 0.0, one - other))
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))


def _n_different(one: NDArray[np.generic], other: NDArray[np.generic]) -> int:
    if one.shape != other.shape:
        return len(one)
    apart = (one != other) & ~((one != one) & (other != other))  # noqa: PLR0124  (NaN is the same as NaN)
    return int(apart.reshape(len(one), -1).any(axis=1).sum())
