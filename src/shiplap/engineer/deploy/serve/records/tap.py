"""`RecordTap`: what the loop does for a record: copy a few numbers, and now and then keep a row."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from shiplap.engineer.deploy.serve.models.tap import Asker
from shiplap.engineer.deploy.serve.records.counting import Block, Counting, Sample

__all__ = ["RecordTap"]

Matrix = NDArray[np.float64]
Rows = Sequence[Mapping[str, object]]

_RANGE = 1 << 32
# Steps of the golden ratio and of the root of two fall everywhere alike, whatever pattern requests come in.
_BY_REQUEST, _BY_ROW = 0x9E3779B1, 0x6A09E667
_MOST_TAILS = 256
_MOST_ROWS, _MOST_PENDING = 65_536, 4_000_000


class RecordTap:
    """Looks on at one ship.

    Parameters
    ----------
    counting : Counting
        What is done with what was seen.
    wake : callable
        Called when there is something to count after there was nothing; it must be quick and safe among threads.
    """

    def __init__(self, counting: Counting, wake: Callable[[RecordTap], None]) -> None:
        self.counting = counting
        features = counting.features
        self._whole = features.whole
        self._columns = np.array(features.columns, np.intp)
        self._needs_rows = features.needs_rows
        self._bar = round(counting.share * _RANGE)
        self._salt = secrets.randbelow(_RANGE)  # or every worker would keep the same numbers
        self._wake = wake
        self._guard = threading.Lock()
        self._blocks: list[Block] = []
        self._tails: dict[int, int] = {}
        self._pending = self._dropped = 0
        self._most = min(_MOST_ROWS, max(1_024, _MOST_PENDING // (len(self._columns) + counting.n_outputs)))

    def take(self, askers: Sequence[Asker], rows: Rows, encoded: Matrix, outputs: Matrix) -> None:
        """Copy what is counted, and keep a row now and then; where counting cannot keep up, rows are left out."""
        n_rows = len(askers)
        samples: Sequence[Sample] = ()
        if self._bar:
            if askers[0].rows > 1:
                samples = self._of_many(askers[0], rows, n_rows)
            else:
                for place, asker in enumerate(askers):
                    if (asker.number * _BY_REQUEST + self._salt) % _RANGE < self._bar:
                        samples = [*samples, Sample(place, asker.id, rows[place], time.time())]
        numbers = encoded.copy() if self._whole else encoded.take(self._columns, axis=1)
        with self._guard:
            pending = self._pending + n_rows
            if pending > self._most:
                self._dropped += n_rows
                return
            first = not self._pending
            self._pending = pending
            self._blocks.append((numbers, rows if self._needs_rows else None, outputs, samples))
        if first:
            self._wake(self)

    def drain(self) -> tuple[list[Block], int]:
        """Return what came since the last time, and how many rows were left out."""
        with self._guard:
            blocks, dropped = self._blocks, self._dropped
            self._blocks = []
            self._pending = self._dropped = 0
        return blocks, dropped

    def _of_many(self, asker: Asker, rows: Rows, n_rows: int) -> list[Sample]:
        """Return the samples of a part of one request; parts come in order."""
        start = self._tails.pop(asker.number, 0)
        if start + n_rows < asker.rows:
            if len(self._tails) >= _MOST_TAILS:  # of requests that were given up
                self._tails.clear()
            self._tails[asker.number] = start + n_rows
        base = (asker.number * _BY_REQUEST + self._salt) % _RANGE
        places = (np.arange(start, start + n_rows) * _BY_ROW + base) % _RANGE
        chosen = np.flatnonzero(places < self._bar).tolist()
        if not chosen:
            return []
        name, now = asker.id, time.time()
        return [Sample(place, f"{name}/{start + place}", rows[place], now) for place in chosen]
