"""`Line`: rows of a model that is dear, worked off on a thread; those that came meanwhile make the next call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.runtimes import Runtime
from shiplap.engineer.deploy.serve.models.calls import Calls
from shiplap.engineer.deploy.serve.models.outcomes import (
    Outcome,
    Render,
    Waiting,
    answer,
    outcomes_of,
    refuse_all,
    show,
)
from shiplap.engineer.deploy.serve.models.tap import Asker, Tap
from shiplap.engineer.deploy.serve.models.threads import background
from shiplap.engineer.deploy.serve.models.turn import drifted
from shiplap.engineer.deploy.serve.problem import FULL
from shiplap.scoring import Encoder, JsonRows

__all__ = ["Line"]

_CALLS = 4  # in the longest wait there is time for so many calls at least


class Line:
    """Rows that wait for a thread, no longer than is promised: one that would wait longer is refused at once.

    How long a row would wait is how many are before it, times what a row took of late.

    Parameters
    ----------
    encoder : Encoder
        Encodes a row.
    runtime : Runtime
        Turns encoded rows into outputs.
    row_us : float
        What a row is thought to cost until the first are answered.
    wait_us : float
        How long a row may wait for its answer.
    most : int
        How many rows may wait, for the memory they take.
    """

    def __init__(self, encoder: Encoder, runtime: Runtime, *, row_us: float, wait_us: float, most: int) -> None:
        self._encode = encoder.row
        self._read = JsonRows(encoder).row
        self._width = encoder.width
        self._run = runtime.run
        self._row_us = row_us
        self._wait_us = wait_us
        self._most = most
        self._waiting: list[Waiting] = []
        self._encoded: list[NDArray[np.float64]] = []
        self._busy = 0  # rows of the call in progress
        self._pool = background("shiplap-rows")
        self.taps: tuple[Tap, ...] = ()
        self.calls = Calls()

    @property
    def waiting(self) -> int:
        """How many rows wait for the next call."""
        return len(self._waiting)

    def add(self, row: Mapping[str, object], asker: Asker, render: Render) -> None:
        """Take a row, or tell who asked that the line is too long.

        Raises
        ------
        RowError
            The row cannot be encoded; nothing was taken.
        """
        if self._full():
            asker.refuse(FULL)
            return
        place = np.empty((1, self._width))
        self._encode(row, place)
        self._take(place, (asker, render, row))

    def read(self, text: bytes, asker: Asker, render: Render) -> bool:
        """Take a row as a JSON object, or return False where it is to be decoded and given to `add`."""
        if self._full():
            asker.refuse(FULL)
            return True
        place = np.empty((1, self._width))
        if not self._read(text, place):
            return False
        self._take(place, (asker, render, text))
        return True

    def close(self) -> None:
        """Start no further call."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _full(self) -> bool:
        waiting = len(self._waiting)
        before = waiting + self._busy
        return waiting >= self._most or (before > 0 and before * self._row_us > self._wait_us)

    def _take(self, encoded: NDArray[np.float64], waiting: Waiting) -> None:
        self._encoded.append(encoded)
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._call)

    def _call(self) -> None:
        if self._busy or not self._waiting:
            return
        size = max(1, int(self._wait_us / self._row_us / _CALLS))
        waiting, self._waiting = self._waiting[:size], self._waiting[size:]
        encoded, self._encoded = np.concatenate(self._encoded[:size]), self._encoded[size:]
        self._busy = len(waiting)
        self.calls.note(self._busy)
        start = perf_counter()
        future = asyncio.get_running_loop().run_in_executor(self._pool, outcomes_of, self._run, encoded)
        future.add_done_callback(partial(self._done, waiting, encoded, start))

    def _done(
        self, waiting: list[Waiting], encoded: NDArray[np.float64], start: float, future: asyncio.Future[list[Outcome]]
    ) -> None:
        self._busy = 0
        if future.cancelled():
            return
        self._row_us = drifted(self._row_us, perf_counter() - start, len(waiting))
        self._call()  # the thread goes on while these are answered
        error = future.exception()
        if error is not None:
            refuse_all(waiting, error)
            return
        answer(waiting, future.result())
        if self.taps:
            show(self.taps, waiting, encoded, future.result())
