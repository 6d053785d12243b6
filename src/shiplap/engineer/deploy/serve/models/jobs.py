"""`Jobs`: long work, a step at a time, so that single rows and health checks are answered in between."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Generator, Mapping
from time import perf_counter
from typing import NamedTuple, TypeVar

from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange
from shiplap.engineer.deploy.serve.models.patience import Patience
from shiplap.engineer.deploy.serve.models.threads import background
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Jobs", "Steps", "finished"]

T = TypeVar("T")
_GAP_S = 20e-6  # the loop comes round sooner than this where there is nothing to read
_QUIET_S = 1e-3
_NEWS = 0.1
_FEW = 4  # so many may always wait, however long they are
Steps = Generator[None, None, T]
"""Work that stops for a moment wherever others may go before it, and returns what it made."""


class _Job(NamedTuple):
    exchange: Exchange
    steps: Steps[bytes]
    media_type: str
    headers: Mapping[str, str] | None


class Jobs:
    """Long jobs, of limited number.

    Most of them are worked on in the loop, a step of each in turn: nothing waits longer than one step takes, and no
    two threads fight over the interpreter. What has steps that are long by themselves is worked on by a thread.

    Parameters
    ----------
    most : int
        Jobs that may wait or be worked on; one more is refused with 503.
    wait_s : float
        So is one that would have to wait longer than this, by what jobs took of late; see `Patience`.
    """

    def __init__(self, *, most: int, wait_s: float = math.inf) -> None:
        self._most = most
        self._patience = Patience(wait_s)
        self._job_s = 0.0  # from the end of one to the end of the next
        self._since_s = 0.0  # when the last one ended, or the first one came
        self._waiting = 0
        self._jobs: deque[_Job] = deque()
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
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer `exchange` with what `steps` come to, or with what they raise means to a client.

        Raises
        ------
        ProblemError
            503: there are too many.
        """
        self._count()
        self._jobs.append(_Job(exchange, steps, media_type, headers))
        if len(self._jobs) == 1:
            asyncio.get_running_loop().call_soon(self._step)

    def submit(
        self,
        exchange: Exchange,
        work: Callable[[], bytes],
        *,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer `exchange` with what `work` returns on a thread, or with what it raises means to a client.

        Raises
        ------
        ProblemError
            503: there are too many.
        """
        self._count()
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)

        def done(future: asyncio.Future[bytes]) -> None:
            self._ended()
            error = None if future.cancelled() else future.exception()
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

    def _count(self) -> None:
        if not self._waiting:
            self._patience.empty()
            self._since_s = perf_counter()
        elif self._waiting >= self._most or self._too_long():
            raise ProblemError(503, "too many long batches are waiting", headers={"Retry-After": "1"}, reason="batches")
        self._waiting += 1

    def _too_long(self) -> bool:
        return self._waiting >= _FEW and self._waiting * self._job_s > self._patience.now_s()

    def _ended(self) -> None:
        """Learn how long it is from one end to the next, with all that the loop does meanwhile."""
        self._waiting -= 1
        now = perf_counter()
        taken_s, self._since_s = now - self._since_s, now
        self._job_s = taken_s if not self._job_s else self._job_s + _NEWS * (taken_s - self._job_s)

    def _step(self) -> None:
        """Do one step of the job that has waited longest for one."""
        now = perf_counter()
        if now - self._stepped_s > _GAP_S:
            self._others_s = now
        job = self._jobs.popleft()
        going_on = False
        try:
            if not job.exchange.gone:
                next(job.steps)
                going_on = True
        except StopIteration as end:
            job.exchange.answer(end.value, media_type=job.media_type, headers=job.headers)
        except Exception as error:
            job.exchange.settle(error)
        if going_on:
            self._jobs.append(job)
        else:
            self._ended()
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
