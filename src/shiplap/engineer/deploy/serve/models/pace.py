"""`Pace`: how long a line of work takes, by what its parts were thought to take."""

from __future__ import annotations

from time import perf_counter

__all__ = ["Pace"]

_MEMORY_S = 1.0
_FIRST_S = 0.1  # how much the first thought counts


class Pace:
    """Learns how much longer than thought work takes, with all that is done meanwhile.

    What counts is the time from the end of one piece of work to the end of the next, as long as there is any. Times
    are summed up before they are compared with thoughts: pieces that are done in turns end all at once.

    Attributes
    ----------
    left_us : float
        What the work that is left is thought to take.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.begin(2e6)
    >>> pace.seconds(pace.left_us)  # until it has learned, as long as was thought
    2.0
    """

    __slots__ = ("_pieces", "_since_s", "_taken_s", "_thought_us", "left_us")

    def __init__(self) -> None:
        self._thought_us, self._taken_s = _FIRST_S * 1e6, _FIRST_S
        self._since_s = 0.0
        self._pieces = 0
        self.left_us = 0.0

    def begin(self, cost_us: float) -> None:
        """Take on work that is thought to take so long."""
        if not self._pieces:
            self._since_s = perf_counter()
            self.left_us = 0.0
        self._pieces += 1
        self.left_us += cost_us

    def end(self, cost_us: float, *, done: bool = True) -> None:
        """Note the end of such work; nothing is learned from what was given up, or of what nothing was thought."""
        self._pieces -= 1
        self.left_us -= cost_us
        now = perf_counter()
        taken_s, self._since_s = now - self._since_s, now
        if not (done and cost_us):
            return
        self._thought_us += cost_us
        self._taken_s += taken_s
        if self._taken_s > 2 * _MEMORY_S:  # what was longer ago counts for less and less
            self._thought_us /= 2
            self._taken_s /= 2

    def seconds(self, cost_us: float) -> float:
        """Return how long work of that cost will take, in seconds."""
        return cost_us * self._taken_s / self._thought_us
