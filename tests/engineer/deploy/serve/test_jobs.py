"""Long work beside the loop, on a clock of its own: its order, how long it waits, and what is refused."""

import asyncio
from types import SimpleNamespace

import pytest

from shiplap.engineer.deploy.serve.models import jobs as of_jobs
from shiplap.engineer.deploy.serve.models import pace as of_pace
from shiplap.engineer.deploy.serve.models import patience as of_patience
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.models.pace import Pace
from shiplap.engineer.deploy.serve.problem import ProblemError

STEP_S = 0.001


class Asked:
    """A request of so many steps, which notes when it was answered."""

    def __init__(self, clock, n_steps, *, body=b""):
        self.clock, self.n_steps, self.body, self.gone = clock, n_steps, body, False
        self.asked_s, self.answered_s = clock.now, None

    def steps(self):
        for _ in range(self.n_steps):
            self.clock.now += STEP_S
            yield
        return b""

    def refused_steps(self):
        yield
        raise ProblemError(422, "no row")

    def settle(self, error):
        assert isinstance(error, ProblemError)

    def answer(self, body, **_):
        self.answered_s = self.clock.now

    @property
    def waited_s(self):
        return self.answered_s - self.asked_s


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1_000.0)
    for module in (of_jobs, of_pace, of_patience):
        monkeypatch.setattr(module, "perf_counter", lambda: clock.now)
    return clock


def ask(jobs, clock, n_steps, *, body=b"", off=1.0):
    """Put a request; what it costs is thought to be `off` times what it does."""
    asked = Asked(clock, n_steps, body=body)
    jobs.start(asked, asked.steps(), cost_us=off * n_steps * STEP_S * 1e6)
    return asked


def lived(live):
    """Run a coroutine on a loop, and let what it began come to its end."""

    async def run():
        found = await live()
        for _ in range(20_000):
            await asyncio.sleep(0)
        return found

    return asyncio.run(run())


def test_equal_jobs_are_done_in_their_order_and_a_short_one_first(clock):
    jobs = Jobs(most=10)

    async def live():
        return [ask(jobs, clock, n_steps) for n_steps in (100, 100, 100, 3)]

    *long, short = lived(live)
    assert [round(each.waited_s, 3) for each in long] == [0.103, 0.203, 0.303]
    assert short.waited_s == pytest.approx(0.003)
    assert not jobs.waiting


def test_a_long_job_is_not_overtaken_for_ever(clock):
    jobs = Jobs(most=10)

    async def live():
        long = ask(jobs, clock, 50)
        while long.answered_s is None and clock.now < 1_005:  # as much as can be done is asked in short
            if jobs.waiting < 3:
                ask(jobs, clock, 5)
            await asyncio.sleep(0)
        return long

    assert 0.4 < lived(live).waited_s < 0.6  # it was due after ten times its 50 ms


@pytest.mark.parametrize("off", [0.2, 1.0, 5.0])
def test_at_ten_times_the_capacity_what_is_taken_waits_no_longer_than_was_promised(clock, off):
    jobs = Jobs(most=64, wait_s=0.5)

    async def live():
        taken, refused, due_s = [], 0, clock.now
        while clock.now < 1_010:
            while due_s <= clock.now:
                due_s += 0.0008
                try:
                    taken.append(ask(jobs, clock, 8, off=off))
                except ProblemError:
                    refused += 1
            await asyncio.sleep(0)
        return taken, refused

    taken, refused = lived(live)
    assert refused > 8 * len(taken)
    assert len(taken) > 0.95 * 10 / 0.008  # it is never idle for want of work
    settled = [each.waited_s for each in taken if each.asked_s > 1_003]
    assert max(settled) < 0.13  # a fifth of 500 ms, while the line never empties, and its own time


def test_bodies_that_wait_are_limited_together_but_one_alone_may_be_as_long_as_it_is(clock):
    jobs = Jobs(most=10, most_bytes=100)

    async def live():
        ask(jobs, clock, 1, body=bytes(150))
        with pytest.raises(ProblemError) as refusal:
            ask(jobs, clock, 1, body=b"1")
        while jobs.waiting:
            await asyncio.sleep(0)
        ask(jobs, clock, 1, body=bytes(60))
        ask(jobs, clock, 1, body=bytes(40))
        with pytest.raises(ProblemError):
            ask(jobs, clock, 1, body=b"1")
        return refusal.value

    assert lived(live).reason == "batches"
    assert not jobs.waiting


def test_a_job_whose_client_left_is_dropped_and_teaches_nothing(clock):
    jobs = Jobs(most=10)

    async def live():
        asked = [ask(jobs, clock, 1_000) for _ in range(3)]
        asked[1].gone = True
        return asked

    first, left, last = lived(live)
    assert left.answered_s is None
    assert (first.waited_s, last.waited_s) == (pytest.approx(1.0), pytest.approx(2.0))


def test_pace_learns_over_pieces_that_end_all_at_once(clock):
    pace = Pace()
    for _ in range(20):
        for _ in range(5):
            pace.begin(10_000)
        clock.now += 5 * 0.03
        for _ in range(5):
            pace.end(10_000)
    assert pace.seconds(10_000) == pytest.approx(0.03, rel=0.2)
    clock.now += 1_000  # with nothing to do
    pace.begin(10_000)
    pace.end(10_000)
    assert pace.seconds(10_000) < 0.04


def test_work_that_is_refused_or_of_unknown_cost_teaches_nothing(clock):
    jobs, pace = Jobs(most=10, wait_s=0.05), Pace()

    async def live():
        for _ in range(100):  # thought to be long, and refused at once
            asked = Asked(clock, 0)
            jobs.start(asked, asked.refused_steps(), cost_us=1e9)
            while jobs.waiting:
                await asyncio.sleep(0)
        for _ in range(4):
            ask(jobs, clock, 20)
        with pytest.raises(ProblemError):
            ask(jobs, clock, 20)

    lived(live)
    for _ in range(10_000):
        pace.begin(0)
        clock.now += 1
        pace.end(0)
    assert pace.seconds(1e6) == 1.0
