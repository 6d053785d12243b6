"""How many labelled rows are brought into memory: all of them up to a number, a sample beyond."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from shiplap.adapters.frames.digests import digest_of
from shiplap.adapters.frames.frame import DuckFrame
from shiplap.adapters.frames.sampling import one_in
from shiplap.core.table import Table

__all__ = ["REACH", "within_reach"]

REACH = 1_000_000
"""Labelled rows that are brought from elsewhere, roughly: beyond them every n-th one is, by its rowid and a seed."""
_CELL_BYTES = 32
"""Memory that a value takes on its way, copies included: measured at 31 with numbers, dates and short texts."""


@runtime_checkable
class _Divisible(Protocol):
    def where(self, condition: str) -> Any: ...


def within_reach(table: Table, target: str, seed: int, *, memory_mb: float) -> tuple[Table, int]:
    """Leave out labelled rows until what is left fits into memory; of a table that lies elsewhere, about `REACH`.

    Parameters
    ----------
    table : Table
        The rows.
    target : str
        The target as SQL over ``rows``.
    seed : int
        Seed of the sample.
    memory_mb : float
        What the rows may take, in megabytes.

    Returns
    -------
    table : Table
        With all rows that have no label.
    left_out : int
        Labelled rows that are not in it.
    """
    frame = table.frame
    if not isinstance(frame, _Divisible):
        return table, 0
    most = max(1, int(memory_mb * 2**20 / (_CELL_BYTES * len(table.schema))))
    most = most if isinstance(frame, DuckFrame) else min(most, REACH)
    if table.n_rows <= most:
        return table, 0
    labelled = int(frame.fetch(f"SELECT count({target}) FROM rows")[0][0])
    if labelled <= most:
        return table, 0
    share = -(-labelled // most)
    some = frame.where(f"({target}) IS NULL OR {one_in(share, seed)}")
    n_rows = int(some.fetch("SELECT count(*) FROM rows")[0][0])
    digest = digest_of({"table": table.digest, "reach": share, "seed": seed})
    return replace(table, frame=some, n_rows=n_rows, digest=digest), table.n_rows - n_rows
