"""How many labelled rows are brought here from where they lie: all of them up to a number, a sample beyond."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from shiplap.adapters.frames.digests import digest_of
from shiplap.adapters.frames.sampling import one_in
from shiplap.core.table import Table

__all__ = ["REACH", "within_reach"]

REACH = 1_000_000
"""Labelled rows that are brought here, roughly: beyond them every n-th one is, chosen by its rowid and a seed."""


@runtime_checkable
class _Elsewhere(Protocol):
    def where(self, condition: str) -> Any: ...


def within_reach(table: Table, target: str, seed: int) -> tuple[Table, int]:
    """Leave out labelled rows of a table that lies elsewhere until about `REACH` are left.

    Parameters
    ----------
    table : Table
        The rows; those of a file lie here and are returned as they are.
    target : str
        The target as SQL over ``rows``.
    seed : int
        Seed of the sample.

    Returns
    -------
    table : Table
        With all rows that have no label.
    left_out : int
        Labelled rows that are not in it.
    """
    frame = table.frame
    if not isinstance(frame, _Elsewhere):
        return table, 0
    labelled = int(frame.fetch(f"SELECT count({target}) FROM rows")[0][0])
    if labelled <= REACH:
        return table, 0
    share = -(-labelled // REACH)
    some = frame.where(f"({target}) IS NULL OR {one_in(share, seed)}")
    n_rows = int(some.fetch("SELECT count(*) FROM rows")[0][0])
    digest = digest_of({"table": table.digest, "reach": share, "seed": seed})
    return replace(table, frame=some, n_rows=n_rows, digest=digest), table.n_rows - n_rows
