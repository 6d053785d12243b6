"""`Jobs`: long work, a step at a time, so that single rows, health checks and shorter work are done in between."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Generator, Mapping
from heapq import heappop, heappush
from itertools import count
from time import perf_counter
from typing import NamedTuple, TypeVar

from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange
from shiplap.engineer.deploy.serve.models.pace import Pace
from shiplap.engineer.deploy.serve.models.patience import Patience
from shiplap.engineer.deploy.serve.models.threads import background
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Jobs", "Steps", "finished"]

T = TypeVar("T")
_GAP_S = 20e-6  # the loop comes round sooner than this where there is nothing to read
_QUIET_S = 1e-3
_FEW = 4  # so many may always wait, however long they are
_STRETCH = 10  # a job is due when it has taken so many times as long as it would alone
Steps = Generator[None, None, T]
"""Work that stops for a moment wherever others may go before it, and returns what it made."""


class _Job(NamedTuple):
    due_s: float
    number: int
    exchange: Exchange
    steps: Steps[bytes]
    cost_us: float
    media_type: str
    headers: Mapping[str, str] | None


class Jobs:
    """Long jobs, of limited number, size and time.

    Most of them are worked on in the loop, a step at a time: nothing waits longer than one step takes, and no two
    threads fight over the interpreter. The next step is that of the job which is due first: a short one overtakes long
    ones, and of equal ones the first to come is the first to be done. Taking turns, all would end as late as the last.
    What has steps that are long by themselves is worked on by a thread.

    Parameters
    ----------
    most : int
        Jobs that may wait or be worked on; one more is refused with 503.
    most_bytes : int
        So is one whose body would make theirs longer than this in all, unless nothing else waits.
    wait_s : float
        So is one that would have to wait longer than this, by what jobs took of late; see `Patience`.

    References
    ----------
    Bender, Chakrabarti and Muthukrishnan, Flow and Stretch Metrics for Scheduling Continuous Job Streams, SODA 1998.
    """

    def __init__(self, *, most: int, most_bytes: float = math.inf, wait_s: float = math.inf) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._patience = Patience(wait_s)
        self._waiting = 0
        self._held_bytes = 0
        self._numbers = count()
        self._jobs: list[_Job] = []  # of the loop: a heap
        self._pace = Pace()
        self._thread_pace = Pace()
        self.closed = False
        self._stepped_s = self._others_s = 0.0  # when the last step ended, and when somebody else last had the loop
        self._pool = background("shiplap-batch")

    @property
    def waiting(self) -> int:
        """How many jobs wait or are being worked on."""
        return self._waiting

    @property
    def alone(self) -> bool:
        """Whether nobody else had anything to do between the last steps, so that longer ones hold nobody up."""
        return self._stepped_s - self._others_s > _QUIET_S

    def start(
        self,
        exchange: Exchange,
        steps: Steps[bytes],
        *,
        cost_us: float = 0.0,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer `exchange` with what `steps` come to, or with what they raise means to a client.

        Parameters
        ----------
        exchange : Exchange
            Who asks.
        steps : generator
            The work.
        cost_us : float
            What it is thought to take, alone.
        media_type : str
            Content type of the answer.
        headers : mapping of str to str
            Further headers of the answer.

        Raises
        ------
        ProblemError
            503: there are too many.
        """
        jobs = self._jobs
        due_s = perf_counter() + _STRETCH * self._pace.seconds(cost_us)
        self._count(exchange, self._pace.seconds(sum(job.cost_us for job in jobs if job.due_s <= due_s)))
        self._pace.begin(cost_us)
        heappush(jobs, _Job(due_s, next(self._numbers), exchange, steps, cost_us, media_type, headers))
        if len(jobs) == 1:
            asyncio.get_running_loop().call_soon(self._step)

    def submit(
        self,
        exchange: Exchange,
        work: Callable[[], bytes],
        *,
        cost_us: float = 0.0,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer `exchange` with what `work` returns on a thread; otherwise as `start`."""
        pace = self._thread_pace
        self._count(exchange, pace.seconds(pace.left_us))
        pace.begin(cost_us)
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)

        def done(future: asyncio.Future[bytes]) -> None:
            error = None if future.cancelled() else future.exception()
            pace.end(cost_us, done=not future.cancelled() and error is None)
            self._uncount(exchange)
            if future.cancelled() or exchange.gone:
                return
            if error is None:
                exchange.answer(future.result(), media_type=media_type, headers=headers)
            else:
                exchange.settle(error)

        future.add_done_callback(done)

    def close(self) -> None:
        """Start no further job; one in progress ends at its next slice."""
        self.closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _count(self, exchange: Exchange, wait_s: float) -> None:
        """Take a job that would wait so long, or refuse it; raises ``ProblemError`` (503)."""
        size_bytes = len(exchange.body)
        waiting = self._waiting
        if not waiting:
            self._patience.empty()
        elif (
            waiting >= self._most
            or self._held_bytes + size_bytes > self._most_bytes
            or (waiting >= _FEW and wait_s > self._patience.now_s())
        ):
            raise ProblemError(503, "too many long batches are waiting", headers={"Retry-After": "1"}, reason="batches")
        self._waiting += 1
        self._held_bytes += size_bytes

    def _uncount(self, exchange: Exchange) -> None:
        self._waiting -= 1
        self._held_bytes -= len(exchange.body)

    def _step(self) -> None:
        """Do one step of the job that is due first."""
        now = perf_counter()
        if now - self._stepped_s > _GAP_S:
            self._others_s = now
        job = heappop(self._jobs)
        going_on = done = False
        try:
            if not job.exchange.gone:
                next(job.steps)
                going_on = True
        except StopIteration as end:
            done = True
            job.exchange.answer(end.value, media_type=job.media_type, headers=job.headers)
        except Exception as error:
            job.exchange.settle(error)
        if going_on:
            heappush(self._jobs, job)
        else:
            self._uncount(job.exchange)
            self._pace.end(job.cost_us, done=done)
            job.steps.close()
        self._stepped_s = perf_counter()
        if self._jobs:
            asyncio.get_running_loop().call_soon(self._step)


def finished(steps: Steps[T]) -> T:
    """Do all steps, and return what they come to.

    Examples
    --------
    >>> def steps():
    ...     yield
    ...     return 3
    >>> finished(steps())
    3
    """
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
