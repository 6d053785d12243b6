"""`Records`: how much is recorded, and for how long; and where."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from shiplap.core.brief import read_brief
from shiplap.core.errors import InputError

__all__ = ["Records", "private_columns", "store_of"]


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of each model.

    Parameters
    ----------
    share : float
        The share of rows that are kept as samples, 0 to 1; 0 leaves sketches alone.
    private : tuple of str
        Columns of which no value is written down, in no sample and no sketch: only how many were missing.
    window_s : float
        Length of the windows in which rows are counted; after a day they are put together to hours.
    every_s : float
        How often what was seen is written.
    keep_rows : int
        Samples that are kept at most, of all models together.
    keep_days, keep_windows_days : float
        How long samples and outcomes are kept, and how long windows are.
    value_bytes : int
        A value of a sample that takes more in JSON is left out.

    Examples
    --------
    >>> Records(share=0.5).share
    0.5
    >>> Records(share=2)
    Traceback (most recent call last):
    shiplap.core.errors.InputError: the share of rows that are kept must be from 0 to 1, not 2
    """

    share: float = 0.01
    private: tuple[str, ...] = ()
    window_s: float = 60.0
    every_s: float = 1.0
    keep_rows: int = 100_000
    keep_days: float = 90.0
    keep_windows_days: float = 400.0
    value_bytes: int = 4_096

    def __post_init__(self) -> None:
        """Refuse what records nothing."""
        if not 0 <= self.share <= 1:
            raise InputError(f"the share of rows that are kept must be from 0 to 1, not {self.share:g}")
        for name in ("window_s", "every_s", "keep_rows", "keep_days", "keep_windows_days", "value_bytes"):
            if not getattr(self, name) > 0:
                raise InputError(f"'{name}' of what is recorded must be above 0, not {getattr(self, name)}")


def store_of(project: Path) -> Path | None:
    """Return the folder of a project's store, or None where there is no project: then that is said.

    Parameters
    ----------
    project : Path
        A folder; a project has a ``shiplap.toml`` or a store in it.
    """
    store = project / ".shiplap"
    if store.is_dir() or (project / "shiplap.toml").is_file():
        return store
    sys.stderr.write(f"predictions are not recorded: '{project}' has no shiplap.toml and no store\n")
    return None


def private_columns(project: Path) -> tuple[str, ...]:
    """Return the columns that the brief of a project calls private; none where it has no brief.

    Raises
    ------
    BriefError
        There is a brief, and it cannot be read.
    """
    if not (project / "shiplap.toml").is_file():
        return ()
    brief = read_brief(project)
    told = {name for name, known in brief.columns.items() if known.private}
    return tuple(sorted(told.union(brief.private)))
