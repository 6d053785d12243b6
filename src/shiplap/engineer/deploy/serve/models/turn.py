"""`Turn`: every row that was parsed in one turn of the loop, answered by one call of the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.runtimes import Runtime
from shiplap.core.errors import ShipError
from shiplap.engineer.deploy.serve.models.tap import Asker, Tap
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import Encoder

__all__ = ["Render", "Turn", "beyond"]

Matrix = NDArray[np.float64]
Outcome = list[float] | ProblemError
Render = Callable[[Any, list[float]], None]
"""Answers whoever asked from the outputs of the row."""
Waiting = tuple[Asker, Render, Mapping[str, object]]


class Turn:
    """Gathers single rows; no timer, no wait: the call is made when the loop has read what there was to read.

    A model that is dear for even one row runs on a thread instead; the rows that come meanwhile make the next call.

    Parameters
    ----------
    encoder : Encoder
        Writes a row into the buffer.
    runtime : Runtime
        Turns encoded rows into outputs.
    capacity : int
        Rows of the buffer; a full one is answered at once.
    dear : bool
        Whether one row takes so long that it belongs on a thread.
    """

    def __init__(self, encoder: Encoder, runtime: Runtime, *, capacity: int, dear: bool = False) -> None:
        self._encode = encoder.row
        self._run = runtime.run
        self._single = runtime.bound()
        self._matrix = np.empty((capacity, encoder.width))
        # The first row goes where a call with one row reads it, which is the fastest there is.
        self._rows = [self._single.input, *self._matrix[1:]]
        self._waiting: list[Waiting] = []
        self._capacity = capacity
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shiplap-rows") if dear else None
        self._busy = False
        self.taps: tuple[Tap, ...] = ()
        self.calls = [0] * 32  # by rows: 1, 2, up to 4, up to 8 ...
        self.called_rows = 0

    def add(self, row: Mapping[str, object], asker: Asker, render: Render) -> None:
        """Take a row; who asked is answered later in this turn.

        Raises
        ------
        RowError
            The row cannot be encoded; nothing was taken.
        ProblemError
            503: so many rows wait for the thread already.
        """
        waiting = self._waiting
        place = len(waiting)
        if place == self._capacity:
            raise ProblemError(503, "too many rows are waiting", headers={"Retry-After": "1"}, reason="rows")
        self._encode(row, self._rows[place])
        waiting.append((asker, render, row))
        if not place:
            asyncio.get_running_loop().call_soon(self._call)
        elif place + 1 == self._capacity and self._pool is None:
            self._call()

    @property
    def waiting_rows(self) -> int:
        """How many rows wait for the next call."""
        return len(self._waiting)

    def close(self) -> None:
        """Start no further call."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _call(self) -> None:
        waiting = self._waiting
        if not waiting or self._busy:
            return
        self._waiting = []
        self.calls[(len(waiting) - 1).bit_length()] += 1
        self.called_rows += len(waiting)
        if self._pool is not None:
            self._busy = True
            encoded = self._gathered(len(waiting)).copy()
            future = asyncio.get_running_loop().run_in_executor(self._pool, _outcomes, self._run, encoded)
            future.add_done_callback(partial(self._done, waiting, encoded))
            return
        try:
            outputs = self._computed(len(waiting))
        except Exception as error:
            _fail(waiting, error)
        else:
            _answer(waiting, outputs)
            if self.taps:
                self._show(waiting, self._gathered(len(waiting)), outputs)

    def _computed(self, n_rows: int) -> list[Outcome]:
        if n_rows > 1:
            return _outcomes(self._run, self._gathered(n_rows))
        try:
            self._single.run()
        except ShipError as error:
            return [beyond(error)]
        return list(self._single.output.tolist())

    def _gathered(self, n_rows: int) -> Matrix:
        self._matrix[0] = self._single.input[0]
        return self._matrix[:n_rows]

    def _done(self, waiting: list[Waiting], encoded: Matrix, future: asyncio.Future[list[Outcome]]) -> None:
        self._busy = False
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            _answer(waiting, future.result())
            self._show(waiting, encoded, future.result())
        else:
            _fail(waiting, error)
        self._call()

    def _show(self, waiting: list[Waiting], encoded: Matrix, outcomes: list[Outcome]) -> None:
        kept = [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, ProblemError)]
        if len(kept) < len(waiting):
            waiting, encoded = [waiting[place] for place in kept], encoded[kept]
        if kept:
            outputs = np.array([outcomes[place] for place in kept])
            for tap in self.taps:
                tap.take([asker for asker, _, _ in waiting], [row for _, _, row in waiting], encoded, outputs)


def beyond(error: ShipError) -> ProblemError:
    """Return the refusal of a row that the graph cannot take, such as an index outside its table."""
    return ProblemError(422, error.message, hint=error.hint or None)


def _outcomes(run: Callable[[Matrix], Matrix], matrix: Matrix) -> list[Outcome]:
    """Return what comes of each row; where the graph fails, each is asked alone, so that one spoils no other."""
    try:
        return list(run(matrix).tolist())
    except ShipError as error:
        if len(matrix) == 1:
            return [beyond(error)]
    return [_outcomes(run, matrix[row : row + 1])[0] for row in range(len(matrix))]


def _answer(waiting: list[Waiting], outcomes: list[Outcome]) -> None:
    for (asker, render, _), output in zip(waiting, outcomes, strict=True):
        if asker.gone:
            continue
        if isinstance(output, ProblemError):
            asker.refuse(output)
            continue
        try:
            render(asker, output)
        except Exception as error:
            asker.settle(error)


def _fail(waiting: list[Waiting], error: BaseException) -> None:
    for asker, _, _ in waiting:
        asker.settle(error)
