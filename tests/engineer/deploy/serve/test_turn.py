"""Rows of one turn of the loop, on a clock of its own: a burst is taken in, of a crowd that stays only a part."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from shiplap.engineer.deploy.serve.models import patience as of_patience
from shiplap.engineer.deploy.serve.models import turn as of_turn
from shiplap.engineer.deploy.serve.models.turn import Turn

ROW_S = 0.0001


class Runtime:
    """Takes as long as it is told by the clock."""

    def __init__(self, clock, width):
        self.clock, self.input, self.output = clock, np.empty((1, width)), np.zeros((1, 2))

    def bound(self):
        return SimpleNamespace(input=self.input, output=self.output, run=lambda: self.run(self.input))

    def run(self, matrix):
        self.clock.now += ROW_S * len(matrix)
        return np.zeros((len(matrix), 2))


class Crowd:
    """Asks so many rows a turn, and counts what is refused."""

    def __init__(self):
        self.refused = self.answered = 0

    gone = False
    rows = 1

    def refuse(self, problem):
        self.refused += 1

    def took(self, asker, output):
        self.answered += 1


@pytest.fixture
def turn_of(monkeypatch, scorer):
    clock = SimpleNamespace(now=1_000.0)
    for module in (of_turn, of_patience):
        monkeypatch.setattr(module, "perf_counter", lambda: clock.now)

    def make(turn_us):
        runtime = Runtime(clock, scorer.encoder.width)
        return Turn(scorer.encoder, runtime, capacity=64, row_us=ROW_S * 1e6, turn_us=turn_us)

    return make


def answered(turn, asked):
    """Return how many of the rows that are asked in each turn are answered."""

    async def run():
        found = []
        for n_rows in asked:
            crowd = Crowd()
            for _ in range(n_rows):
                if not turn.read(b'{"age":41}', crowd, crowd.took):
                    raise AssertionError("it is a usual row")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert crowd.answered + crowd.refused == n_rows
            found.append(crowd.answered)
        return found

    return asyncio.run(run())


def test_a_burst_may_fill_a_turn_and_of_a_crowd_that_stays_a_fifth_of_it_is_taken(turn_of):
    assert answered(turn_of(10_000.0), [1_000] * 6) == [100, 100, 20, 20, 20, 20]


def test_what_fits_a_turn_is_never_refused_however_long_it_goes_on(turn_of):
    assert answered(turn_of(10_000.0), [90] * 20) == [90] * 20


def test_when_the_crowd_has_gone_a_burst_is_taken_in_again(turn_of):
    assert answered(turn_of(10_000.0), [1_000] * 4 + [60, 60, 100]) == [100, 100, 20, 20, 20, 60, 100]
