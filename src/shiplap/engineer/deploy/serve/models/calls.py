"""`Calls`: how many rows a call of a model answered, over all its calls."""

from __future__ import annotations

__all__ = ["Calls"]


class Calls:
    """Counts calls by their rows.

    Attributes
    ----------
    counts : list of int
        Calls of 1 row, of 2, of up to 4, of up to 8 ...
    rows : int
        Rows in all.

    Examples
    --------
    >>> calls = Calls()
    >>> for n_rows in (1, 1, 3, 4):
    ...     calls.note(n_rows)
    >>> calls.counts[:4], calls.rows
    ([2, 0, 2, 0], 9)
    """

    __slots__ = ("counts", "rows")

    def __init__(self) -> None:
        self.counts = [0] * 32
        self.rows = 0

    def note(self, n_rows: int) -> None:
        """Count a call."""
        self.counts[(n_rows - 1).bit_length()] += 1
        self.rows += n_rows

    def add(self, other: Calls) -> None:
        """Count the calls of `other` too."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.rows += other.rows
