"""`Line`: rows of a model that is dear, worked off on a thread; those that came meanwhile make the next call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
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
    show_answered,
)
from shiplap.engineer.deploy.serve.models.patience import Patience
from shiplap.engineer.deploy.serve.models.tap import Asker, Tap
from shiplap.engineer.deploy.serve.models.threads import background
from shiplap.engineer.deploy.serve.models.turn import drifted
from shiplap.engineer.deploy.serve.problem import FULL, ProblemError

__all__ = ["Line"]

Matrix = NDArray[np.float64]
Encode = Callable[[Mapping[str, object] | bytes, Matrix], None]

_CALLS = 4  # in the longest wait there is time for so many calls at least


class Line:
    """Rows that wait for a thread, no longer than is promised: one that would wait longer is refused at once.

    How long a row would wait is how many are before it, times what a row took of late.

    Parameters
    ----------
    encode : callable
        ``encode(row, out)`` encodes a mapping or a JSON object into an array of shape (width,), on the thread; raises
        ``ProblemError``.
    runtime : Runtime
        Turns encoded rows into outputs.
    row_us : float
        What a row is thought to cost until the first are answered.
    wait_us : float
        How long a row may wait for its answer in a burst; see `Patience`.
    most : int
        How many rows may wait, for the memory they take.
    """

    def __init__(self, encode: Encode, runtime: Runtime, *, row_us: float, wait_us: float, most: int) -> None:
        self._encode = encode
        self._runtime = runtime
        self._row_us = row_us
        self._patience = Patience(wait_us / 1e6)
        self._most = most
        self._waiting: list[Waiting] = []
        self._busy = 0  # rows of the call in progress
        self._pool = background("shiplap-rows")
        self.taps: tuple[Tap, ...] = ()
        self.calls = Calls()

    @property
    def waiting(self) -> int:
        """How many rows wait for the next call."""
        return len(self._waiting)

    def add(self, row: Mapping[str, object] | bytes, asker: Asker, render: Render) -> None:
        """Take a row, or tell who asked that the line is too long."""
        if self._full():
            asker.refuse(FULL)
            return
        self._waiting.append((asker, render, row))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._call)

    def read(self, text: bytes, asker: Asker, render: Render) -> bool:
        """Take a row as a JSON object."""
        self.add(text, asker, render)
        return True

    def close(self) -> None:
        """Start no further call."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _full(self) -> bool:
        waiting = len(self._waiting)
        before = waiting + self._busy
        if not before:
            self._patience.empty()
            return False
        return waiting >= self._most or before * self._row_us > self._patience.now_s() * 1e6

    def _call(self) -> None:
        if self._busy or not self._waiting:
            return
        size = max(1, int(self._patience.now_s() * 1e6 / self._row_us / _CALLS))
        waiting, self._waiting = self._waiting[:size], self._waiting[size:]
        self._busy = len(waiting)
        self.calls.note(self._busy)
        start = perf_counter()
        future = asyncio.get_running_loop().run_in_executor(self._pool, self._work, [row for _, _, row in waiting])
        future.add_done_callback(partial(self._done, waiting, start))

    def _work(self, rows: Sequence[Mapping[str, object] | bytes]) -> tuple[list[Outcome], Matrix]:
        """Return what comes of each row, and the rows encoded; it is called on the thread."""
        encoded = np.zeros((len(rows), self._runtime.width))
        refused: dict[int, Outcome] = {}
        for place, row in enumerate(rows):
            try:
                self._encode(row, encoded[place])
            except ProblemError as problem:
                refused[place] = problem
        readable = [place for place in range(len(rows)) if place not in refused]
        found = iter(outcomes_of(self._runtime.run, encoded[readable]) if readable else ())
        return [refused[place] if place in refused else next(found) for place in range(len(rows))], encoded

    def _done(self, waiting: list[Waiting], start: float, future: asyncio.Future[tuple[list[Outcome], Matrix]]) -> None:
        self._busy = 0
        if future.cancelled():
            return
        self._row_us = drifted(self._row_us, perf_counter() - start, len(waiting))
        self._call()  # the thread goes on while these are answered
        error = future.exception()
        if error is not None:
            refuse_all(waiting, error)
            return
        outcomes, encoded = future.result()
        answer(waiting, outcomes)
        if self.taps:
            show_answered(self.taps, waiting, encoded, outcomes)
