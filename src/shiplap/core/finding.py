"""`Finding`: one observation, with what it means and what to do."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Finding", "Grade"]

Grade = Literal["good", "note", "warn", "fail"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, what came out, what it means, what to do.

    Parameters
    ----------
    check : str
        Stable dotted name of what was checked, e.g. ``"leak.missing_pattern"``.
    verdict : {"good", "note", "warn", "fail"}
        How it stands.
    means : str
        One sentence a person understands.
    todo : str
        What to do about it; empty when there is nothing to do.
    columns : tuple of str
        The columns it speaks of.
    value, limit : float or str or None
        The figure found and the figure it was held against.

    Examples
    --------
    >>> Finding(check="rows.duplicates", verdict="note", means="3 rows appear twice", value=3).verdict
    'note'
    """

    check: str
    verdict: Grade
    means: str
    todo: str = ""
    columns: tuple[str, ...] = ()
    value: float | str | None = None
    limit: float | str | None = None
