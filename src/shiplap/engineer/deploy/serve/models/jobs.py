"""`Jobs`: long work on a thread, so that the loop stays free for single rows and health checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Jobs"]


class Jobs:
    """A line of long jobs, worked off one by one, of limited length.

    Parameters
    ----------
    most : int
        Jobs that may wait; one more is refused with 503.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._waiting = 0
        self.closed = False
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shiplap-batch")

    def submit(
        self,
        exchange: Exchange,
        work: Callable[[], bytes],
        *,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer `exchange` with what `work` returns, or with what it raises means to a client.

        Raises
        ------
        ProblemError
            503: the line is full.
        """
        if self._waiting >= self._most:
            raise ProblemError(503, "too many long batches are waiting", headers={"Retry-After": "1"}, reason="batches")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)

        def done(future: asyncio.Future[bytes]) -> None:
            self._waiting -= 1
            error = None if future.cancelled() else future.exception()
            if future.cancelled() or exchange.gone:
                return
            if error is None:
                exchange.answer(future.result(), media_type=media_type, headers=headers)
            else:
                exchange.settle(error)

        future.add_done_callback(done)

    @property
    def waiting(self) -> int:
        """How many jobs wait or are being worked on."""
        return self._waiting

    def close(self) -> None:
        """Start no further job; one in progress ends at its next slice."""
        self.closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
