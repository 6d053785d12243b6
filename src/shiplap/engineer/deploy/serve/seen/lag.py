"""`Lag`: how late the event loop is."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from time import perf_counter

from shiplap.engineer.deploy.serve.seen.tally import SECONDS_BOUNDS, Spread

__all__ = ["Lag"]

_PERIOD_S = 0.25


class Lag:
    """Sets a timer again and again, and notes how late it comes: as late as a request would be read."""

    def __init__(self) -> None:
        self._buckets = [0] * (len(SECONDS_BOUNDS) + 1)
        self._seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._wait()

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def spread(self) -> Spread:
        """Return what was noted."""
        return Spread(SECONDS_BOUNDS, tuple(self._buckets), self._seconds)

    def _wait(self) -> None:
        self._due = perf_counter() + _PERIOD_S
        self._timer = self._loop.call_later(_PERIOD_S, self._note)

    def _note(self) -> None:
        late = max(0.0, perf_counter() - self._due)
        self._buckets[bisect_left(SECONDS_BOUNDS, late)] += 1
        self._seconds += late
        self._wait()
