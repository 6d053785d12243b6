"""`Rates`: how often each key may ask, counted by all worker processes together without a lock.

A key's requests stand in line in time: each takes `1 / rate` seconds of it, one after the other, and none before it
came. A request is let through when its place lies no further ahead than the burst allows (a token bucket, in the form
of the generic cell rate algorithm). The end of the line is::

    end = max(base of each worker) + sum(spent by each worker)

Each worker writes its own two numbers and no others, so nothing that was counted is ever lost: `spent` only grows, by
`1 / rate` with every request let through, and `base` only grows, whenever the line had come to its end and time had
passed. Two workers that look at the same moment can take the same place. So at most `workers - 1` requests above the
burst get through; they are counted, and the next ones wait for them: over time the rate holds. The numbers are 8 bytes,
aligned, in memory shared since before the fork; a processor writes such a number in one piece.

References
----------
ITU-T I.371, annex A (GCRA, virtual scheduling)
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Mapping
from time import monotonic

from shiplap.core.errors import InputError

__all__ = ["Bucket", "Rates"]

_SLOTS = 16_384
_NUMBER_BYTES = 8
_TOLERANCE = 1e-3  # of a request: what rounding may take from the last one of a burst


class Bucket:
    """The requests of one key.

    Parameters
    ----------
    rates : Rates
        Whose bucket it is; it knows which worker this is.
    spent, base : memoryview of float
        Two numbers of each worker, in seconds.
    rate : float
        Requests a second.
    burst : int
        Requests that may come at once.
    """

    __slots__ = ("_ahead_s", "_base", "_rates", "_spent", "_step_s", "burst", "rate")

    def __init__(
        self, rates: Rates, spent: memoryview[float], base: memoryview[float], *, rate: float, burst: int
    ) -> None:
        self.rate = rate
        self.burst = burst
        self._rates = rates
        self._spent = spent
        self._base = base
        self._step_s = 1 / rate
        self._ahead_s = (burst - 1 + _TOLERANCE) / rate

    def take(self) -> float:
        """Count one request and return 0; or count nothing, and return in how many seconds there is room for one."""
        now = monotonic()
        spent_s = sum(self._spent)
        ahead_s = max(self._base) + spent_s - now
        if ahead_s < 0:
            self._base[self._rates.worker] = now - spent_s
        elif ahead_s > self._ahead_s:
            return ahead_s - self._ahead_s
        self._spent[self._rates.worker] += self._step_s
        return 0.0


class Rates:
    """The numbers of all keys, in memory that processes forked later share.

    Parameters
    ----------
    workers : int
        How many processes will count.

    Attributes
    ----------
    worker : int
        Which of them this process is, from 0.

    Examples
    --------
    >>> bucket = Rates().buckets({"billing": (2.0, 1)})["billing"]
    >>> bucket.take()
    0.0
    >>> 0 < bucket.take() <= 0.5
    True
    """

    def __init__(self, workers: int = 1) -> None:
        self.worker = 0
        self._workers = workers
        self._numbers = memoryview(mmap.mmap(-1, 2 * workers * _SLOTS * _NUMBER_BYTES)).cast("d")

    def buckets(self, policies: Mapping[str, tuple[float, int]]) -> dict[str, Bucket]:
        """Return a bucket for each name; the same policies find the same numbers, in every process.

        A key whose rate or burst is changed gets other numbers: what it spent under the old ones does not count.

        Parameters
        ----------
        policies : mapping of str to (float, int)
            Rate, in requests a second, and burst by name.

        Raises
        ------
        InputError
            There are too many.
        """
        if len(policies) > _SLOTS // 2:
            raise InputError(f"{len(policies)} keys have a rate; at most {_SLOTS // 2} can")
        found: dict[int, Bucket] = {}
        named: dict[str, Bucket] = {}
        for name, (rate, burst) in sorted(policies.items()):
            slot = zlib.crc32(f"{name} {rate} {burst}".encode()) % _SLOTS
            while slot in found:
                slot = (slot + 1) % _SLOTS
            named[name] = found[slot] = self._bucket(slot, rate, burst)
        return named

    def _bucket(self, slot: int, rate: float, burst: int) -> Bucket:
        start, count = 2 * self._workers * slot, self._workers
        spent, base = self._numbers[start : start + count], self._numbers[start + count : start + 2 * count]
        return Bucket(self, spent, base, rate=rate, burst=burst)
