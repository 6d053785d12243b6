"""`RecordTap`: what the loop does for a record: copy a few numbers, and now and then keep a row."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from math import log, log1p

import numpy as np
from numpy.typing import NDArray

from shiplap.engineer.deploy.serve.models.tap import Asker
from shiplap.engineer.deploy.serve.records.counting import Counting, Gathered, Sample

__all__ = ["RecordTap"]

Matrix = NDArray[np.float64]
Rows = Sequence[Mapping[str, object]]

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
        self._all_outputs = counting.n_counted == counting.n_outputs
        self._wake = wake
        self._guard = threading.Lock()
        self._gathered = Gathered()
        self._skip = _skip(counting.share)
        self._pending = 0
        self._most = min(_MOST_ROWS, max(1_024, _MOST_PENDING // (len(self._columns) + counting.n_counted)))

    def take(self, askers: Sequence[Asker], rows: Rows, encoded: Matrix, outputs: Matrix) -> None:
        """Copy what is counted, and keep a row now and then; where counting cannot keep up, rows are left out."""
        n_rows = len(askers)
        numbers = (encoded if self._whole else encoded.take(self._columns, axis=1)).tobytes()
        answers = (outputs if self._all_outputs else outputs[:, : self.counting.n_counted]).tobytes()
        with self._guard:
            gathered, pending = self._gathered, self._pending
            if pending and pending + n_rows > self._most:
                gathered.dropped += n_rows
                return
            self._skip -= n_rows
            if self._skip < 0:
                self._keep(askers, rows, outputs)
            self._pending = pending + n_rows
            gathered.encoded.append(numbers)
            gathered.outputs.append(answers)
            if self._needs_rows:
                gathered.rows.append(rows)
        if not pending:
            self._wake(self)

    def drain(self) -> Gathered:
        """Return what came since the last time."""
        with self._guard:
            gathered, self._gathered = self._gathered, Gathered()
            gathered.n_rows, self._pending = self._pending, 0
        return gathered

    def _keep(self, askers: Sequence[Asker], rows: Rows, outputs: Matrix) -> None:
        """Keep rows by chance, each with the same: as many are skipped as would lie between two that are chosen."""
        now = time.time()
        place = len(askers) + self._skip
        while place < len(askers):
            asker = askers[place]
            name = f"{asker.id}/{asker.first + place}" if asker.rows > 1 else asker.id
            self._gathered.samples.append(Sample(name, rows[place], outputs[place : place + 1].copy(), now))
            place += 1 + _skip(self.counting.share)
        self._skip = place - len(askers)


def _skip(share: float) -> int:
    """Return how many rows are left out before the next that is kept, by chance."""
    if share in {0.0, 1.0}:
        return 0 if share else 1 << 62
    return int(log(1.0 - random.random()) / log1p(-share))  # noqa: S311 (nothing secret hangs on it)
