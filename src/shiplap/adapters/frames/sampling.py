"""A sample of rows that is the same wherever the rows lie."""

from __future__ import annotations

__all__ = ["one_in"]

_PRIME = 2_147_483_647


def one_in(share: int, seed: int) -> str:
    """Return SQL that holds for one in `share` of the rows, chosen by their rowid and a seed.

    Two rounds of a quadratic congruence (Knuth, The Art of Computer Programming 2, 3.2.2) over the rowid, in whole
    numbers that fit 64 bits: DuckDB, PostgreSQL and Spark choose the same rows, which their hashes would not.

    Parameters
    ----------
    share : int
        One row in so many is kept.
    seed : int
        Another seed keeps other rows.

    Examples
    --------
    >>> from shiplap.adapters.frames import read
    >>> read({"a": range(1000)}).frame.fetch(f"SELECT count(*) FROM rows WHERE {one_in(4, 0)}")
    [(247,)]
    """
    x = f"((rowid + {1 + seed * 7_919}) % {_PRIME})"
    y = f"(({x} * {x} + 48271 * {x}) % {_PRIME})"
    return f"({y} * {y} + 69621 * {y}) % {_PRIME} % {share} = 0"
