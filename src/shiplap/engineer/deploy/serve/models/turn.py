"""`Turn`: every row that was parsed in one turn of the loop, answered by one call of the model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.runtimes import Runtime
from shiplap.core.errors import ShipError
from shiplap.engineer.deploy.serve.models.calls import Calls
from shiplap.engineer.deploy.serve.models.outcomes import (
    Render,
    Waiting,
    answer,
    outcomes_of,
    refuse_all,
    show,
    show_answered,
)
from shiplap.engineer.deploy.serve.models.patience import Patience
from shiplap.engineer.deploy.serve.models.tap import Asker, Tap
from shiplap.engineer.deploy.serve.problem import FULL
from shiplap.scoring import Encoder, JsonRows

__all__ = ["Turn", "drifted"]

_NEWS, _MOST_NEWS = 0.1, 2.0


def drifted(row_us: float, call_s: float, n_rows: int) -> float:
    """Return what a row is thought to cost after another call, in microseconds.

    Costs drift, so the last call counts a tenth; it may be an odd one that others kept from the processor, so it counts
    for no more than twice of what was thought before.

    Examples
    --------
    >>> drifted(100.0, 0.002, 10), drifted(100.0, 5.0, 10)
    (110.0, 110.0)
    """
    return row_us + _NEWS * (min(call_s * 1e6 / n_rows, _MOST_NEWS * row_us) - row_us)


class Turn:
    """Gathers single rows; no timer, no wait: the call is made when the loop has read what there was to read.

    How many rows one turn of the loop may take follows from what they cost; more are refused at once, so that those
    which were taken are answered in time.

    Parameters
    ----------
    encoder : Encoder
        Writes a row into the buffer.
    runtime : Runtime
        Turns encoded rows into outputs.
    capacity : int
        Rows of the buffer; a full one is answered at once.
    row_us : float
        What a row is thought to cost until the first are answered.
    turn_us : float
        How much work one turn of the loop may take on in a burst; see `Patience`.
    """

    def __init__(
        self, encoder: Encoder, runtime: Runtime, *, capacity: int, row_us: float = 10.0, turn_us: float = 10_000.0
    ) -> None:
        self._encode = encoder.row
        self._read = JsonRows(encoder).row
        self._run = runtime.run
        self._single = runtime.bound()
        self._output = self._single.output
        self._matrix = np.empty((capacity, encoder.width))
        # The first row goes where a call with one row reads it, which is the fastest there is.
        self._rows = [self._single.input, *self._matrix[1:]]
        self._waiting: list[Waiting] = []
        self._capacity = capacity
        self._turn_us = turn_us
        self._patience = Patience(turn_us / 1e6)
        self._row_us = row_us
        self._left = self._most = max(1, int(turn_us / row_us))
        self._refused = 0  # in this turn
        self.taps: tuple[Tap, ...] = ()
        self.calls = Calls()

    @property
    def waiting(self) -> int:
        """How many rows wait for the next call."""
        return len(self._waiting)

    def add(self, row: Mapping[str, object], asker: Asker, render: Render) -> None:
        """Take a row; who asked is answered later in this turn, or told at once that there is too much to do.

        Raises
        ------
        RowError
            The row cannot be encoded; nothing was taken.
        """
        waiting = self._waiting
        if not self._left:
            self._refused += 1
            asker.refuse(FULL)
            return
        self._encode(row, self._rows[len(waiting)])
        waiting.append((asker, render, row))
        self._taken(len(waiting))

    def read(self, text: bytes, asker: Asker, render: Render) -> bool:
        """Take a row as a JSON object, or return False where it is to be decoded and given to `add`."""
        waiting = self._waiting
        if not self._left:
            self._refused += 1
            asker.refuse(FULL)
            return True
        if not self._read(text, self._rows[len(waiting)]):
            return False
        waiting.append((asker, render, text))
        self._taken(len(waiting))
        return True

    def close(self) -> None:
        """Start no further call; there is none in progress."""

    def _taken(self, n_rows: int) -> None:
        if self._left == self._most:
            asyncio.get_running_loop().call_soon(self._end)
        self._left -= 1
        if n_rows == self._capacity:
            self._call()

    def _end(self) -> None:
        """Answer what came, and take rows again: the loop has read everything that there was to read."""
        if self._waiting:
            self._call()
        asked = self._most - self._left + self._refused
        if asked * self._row_us < self._turn_us:
            self._patience.empty()
        self._refused = 0
        self._left = self._most = max(1, int(self._patience.now_s() * 1e6 / self._row_us))

    def _call(self) -> None:
        start = perf_counter()
        waiting = self._waiting
        self._waiting = []
        n_rows = len(waiting)
        self.calls.note(n_rows)
        try:
            outputs = self._computed(n_rows)
        except ShipError:
            self._one_by_one(waiting)
        except Exception as error:
            refuse_all(waiting, error)
        else:
            answer(waiting, outputs.tolist())
            if self.taps:
                encoded = self._single.input if n_rows == 1 else self._matrix[:n_rows]
                show(self.taps, waiting, encoded, outputs)
        self._row_us = drifted(self._row_us, perf_counter() - start, n_rows)

    def _computed(self, n_rows: int) -> NDArray[np.float64]:
        if n_rows > 1:
            return self._run(self._gathered(n_rows))
        self._single.run()
        return self._output.copy() if self.taps else self._output

    def _one_by_one(self, waiting: list[Waiting]) -> None:
        """Ask for each row alone, because the graph fails on some."""
        encoded = self._gathered(len(waiting))
        outcomes = outcomes_of(self._run, encoded)
        answer(waiting, outcomes)
        show_answered(self.taps, waiting, encoded, outcomes)

    def _gathered(self, n_rows: int) -> NDArray[np.float64]:
        self._matrix[0] = self._single.input[0]
        return self._matrix[:n_rows]
