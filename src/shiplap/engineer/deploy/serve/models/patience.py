"""`Patience`: how long those who ask may be kept waiting: a burst is taken in, a backlog that stays is not."""

from __future__ import annotations

from time import perf_counter

__all__ = ["Patience"]

_STANDING = 0.2


class Patience:
    """The longest wait that is accepted now.

    It is `wait_s` while the line was empty not longer ago than that, and a fifth of it afterwards: a line that never
    empties would only make everybody wait as long as the last one who was let in.

    Parameters
    ----------
    wait_s : float
        The longest wait in a burst, in seconds.

    References
    ----------
    Nichols and Jacobson, Controlling Queue Delay, ACM Queue 10 (5), 2012.
    Maurer, Fail at Scale, ACM Queue 13 (8), 2015.

    Examples
    --------
    >>> patience = Patience(10.0)
    >>> patience.now_s()
    10.0
    >>> patience.empty_s -= 11  # as if the line had not been empty for so long
    >>> patience.now_s()
    2.0
    """

    __slots__ = ("_wait_s", "empty_s")

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self.empty_s = perf_counter()

    def empty(self) -> None:
        """Note that nobody waits."""
        self.empty_s = perf_counter()

    def now_s(self) -> float:
        """Return how long somebody who comes now may have to wait, in seconds."""
        fresh = perf_counter() - self.empty_s <= self._wait_s
        return self._wait_s if fresh else self._wait_s * _STANDING
