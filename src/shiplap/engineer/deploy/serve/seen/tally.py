"""`Tally`: what is counted of answers of one kind. `Spread`: how numbers are spread over buckets."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

__all__ = ["CALL_BOUNDS", "SECONDS_BOUNDS", "Spread", "Tally"]

SECONDS_BOUNDS = (
    *(0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005),
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
)
"""Upper bounds of the buckets of a duration, in seconds."""

CALL_BOUNDS = tuple(float(1 << power) for power in range(13))
"""Upper bounds of the buckets of the rows of a call."""


class Spread(msgspec.Struct, frozen=True):
    """How numbers are spread over buckets.

    Parameters
    ----------
    bounds : tuple of float
        Upper bounds of the buckets, but the last, which has none.
    counts : tuple of int
        How many numbers fell into each bucket.
    total : float
        The sum of the numbers.

    Examples
    --------
    >>> (Spread((1.0,), (2, 0), 2.0) + Spread((1.0,), (0, 1), 5.0)).counts
    (2, 1)
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    def __add__(self, other: Spread) -> Spread:
        counts = tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        return Spread(self.bounds, counts, self.total + other.total)


class Tally:
    """What is counted of answers that have model, version, protocol and status in common.

    Attributes
    ----------
    buckets : list of int
        Answers by duration, over `SECONDS_BOUNDS`.
    seconds : float
        Durations in all.
    rows, received_bytes, sent_bytes : int
        Rows, bytes of the bodies of requests, and of answers.
    """

    __slots__ = ("buckets", "received_bytes", "rows", "seconds", "sent_bytes")

    def __init__(self) -> None:
        self.buckets = [0] * (len(SECONDS_BOUNDS) + 1)
        self.seconds = 0.0
        self.rows = 0
        self.received_bytes = 0
        self.sent_bytes = 0

    def spread(self) -> Spread:
        """Return how the durations are spread."""
        return Spread(SECONDS_BOUNDS, tuple(self.buckets), self.seconds)


def call_spread(counts: Sequence[int], rows: int) -> Spread:
    """Return how calls are spread by their rows.

    Parameters
    ----------
    counts : sequence of int
        Calls of 1 row, of 2, of up to 4, of up to 8 ...
    rows : int
        Rows in all.
    """
    last = len(CALL_BOUNDS)
    return Spread(CALL_BOUNDS, (*counts[:last], sum(counts[last:])), float(rows))
