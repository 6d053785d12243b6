"""The records of a profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shiplap.core.schema import Column
from shiplap.scientist.explore.profile.tally import Tally

__all__ = ["ColumnProfile", "Dates", "Lengths", "Numbers", "Profile", "Value"]


@dataclass(frozen=True)
class Value:
    """One value of a column, and on how many rows it stands."""

    shown: str
    rows: int


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers.

    Parameters
    ----------
    mean, sd : float
        Of the finite values; NaN where there are none, `sd` where there is only one.
    low, high : float
        Range of the finite values.
    n_infinite : int
        Rows with plus or minus infinity.
    tally : Tally
        The finite values, in narrow bins.
    """

    mean: float
    sd: float
    low: float
    high: float
    n_infinite: int
    tally: Tally

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """The values that a quarter, half, and three quarters of the rows do not exceed."""
        first, second, third = self.tally.quantiles([0.25, 0.5, 0.75])
        return float(first), float(second), float(third)


@dataclass(frozen=True, eq=False)
class Dates:
    """A column of moments.

    Parameters
    ----------
    unit : {"day", "month"}
        What its rows are counted by.
    starts : numpy.ndarray of datetime64[s], shape (n_pieces,)
        Days or months that have rows, in order.
    rows : numpy.ndarray of int64, shape (n_pieces,)
        How many.
    week : numpy.ndarray of int64, shape (7, 24)
        Rows by weekday, Monday first, and by hour of the day.
    """

    unit: str
    starts: npt.NDArray[np.datetime64]
    rows: npt.NDArray[np.int64]
    week: npt.NDArray[np.int64]

    @property
    def has_hours(self) -> bool:
        """Whether its moments lie at several hours of the day."""
        return int(np.count_nonzero(self.week.sum(axis=0))) > 1


@dataclass(frozen=True)
class Lengths:
    """How long the texts of a column are, in characters."""

    shortest: int
    mean: float
    longest: int


@dataclass(frozen=True, eq=False)
class ColumnProfile:
    """What one column holds, over all rows.

    Parameters
    ----------
    column : Column
        Name, kind and the counts of the schema.
    n_rows : int
        Rows of the table.
    values : tuple of Value
        Its values, most frequent first; the frequent ones alone where `complete` is false.
    complete : bool
        Whether `values` lists all of them.
    numbers, dates, lengths : optional
        What belongs to its kind.
    """

    column: Column
    n_rows: int
    values: tuple[Value, ...] = ()
    complete: bool = False
    numbers: Numbers | None = None
    dates: Dates | None = None
    lengths: Lengths | None = None

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.column.name

    @property
    def n_present(self) -> int:
        """Rows that have a value."""
        return self.n_rows - self.column.n_missing

    @property
    def missing_share(self) -> float:
        """Share of rows where it is missing, 0 to 1."""
        return self.column.n_missing / max(1, self.n_rows)


@dataclass(frozen=True, eq=False)
class Profile:
    """What a table holds.

    Parameters
    ----------
    n_rows, n_duplicates : int
        All rows, and those that repeat an earlier one in every column.
    columns : tuple of ColumnProfile
        In the order of the table, private ones left out.
    """

    n_rows: int
    n_duplicates: int
    columns: tuple[ColumnProfile, ...]

    def __getitem__(self, name: str) -> ColumnProfile:
        return next(column for column in self.columns if column.name == name)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)
