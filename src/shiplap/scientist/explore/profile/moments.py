"""What is wrong with columns of moments: codes for missing, the future, stretches and weekdays without rows, zones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding
from shiplap.scientist.explore.profile.records import ColumnProfile, Dates, Profile

__all__ = ["WEEKDAYS", "moment_findings", "zone_findings"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CODES = {"0001-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01", "2099-12-31", "2999-12-31"}
_NEVER = np.datetime64("2200-01-01")
_YEAR = np.timedelta64(366, "D")
_RARE = 0.001
_CROWDED = 20
"""Times the usual rows of a day from which on a code's day stands out among others."""
_FEW_DAYS, _FEW_WEEKS = 30, 8
_EMPTY = 0.01


def moment_findings(column: ColumnProfile, today: np.datetime64) -> Iterator[Finding]:
    """Say what is odd about one column of moments.

    Parameters
    ----------
    column : ColumnProfile
        What it holds.
    today : numpy.datetime64
        The day after which the future begins.
    """
    dates = column.dates
    if dates is None or len(dates.starts) < 2:
        return
    codes = _codes(column, dates)
    for place, day in codes.items():
        rows = int(dates.rows[place])
        means = (
            f"'{column.name}' is {day} on {rows:,} rows, far from what its others lead to expect: a code for missing?"
        )
        todo = "make them missing before dates are reckoned with"
        yield _finding("placeholder", column, means, todo, value=rows, grave=True)
    yield from _future(column, dates, today, [*codes])
    if not codes and (gap := _gap(dates)):
        start, stop, days = gap
        means = f"'{column.name}' has no rows for {days:,} days, from {start} to {stop}"
        yield _finding("gap", column, means, "see whether rows were lost", value=days)
    if free := _free_weekdays(dates):
        means = f"'{column.name}' has hardly any rows on {' and '.join(free)}"
        yield _finding(
            "weekdays", column, means, "count in working days; a missing day is no missing row", value=len(free)
        )


def zone_findings(profile: Profile) -> list[Finding]:
    """Say which columns carry offsets from UTC, and that times of day without a zone do not go together with them."""
    zoned = [column for column in profile.columns if column.column.dtype.endswith("WITH TIME ZONE")]
    bare = [column for column in profile.columns if column.dates and column.dates.has_hours and column not in zoned]
    found = [
        _finding("zone", column, f"'{column.name}' carries offsets from UTC; it is shown in UTC", value=0)
        for column in zoned
    ]
    if zoned and bare:
        names = ", ".join(f"'{column.name}'" for column in bare)
        others = ", ".join(f"'{column.name}'" for column in zoned)
        means = (
            f"{names} has times of day without a time zone, {others} is in UTC: what lies between them is off by hours"
        )
        todo = "bring all to one zone in a query before they are compared"
        found.append(_finding("zones", bare[0], means, todo, value=len(bare), grave=True))
    return found


def _finding(
    check: str, column: ColumnProfile, means: str, todo: str = "", *, value: float, grave: bool = False
) -> Finding:
    return Finding(
        check=f"column.{check}",
        verdict="warn" if grave else "note",
        means=means,
        todo=todo,
        columns=(column.name,),
        value=value,
    )


def _codes(column: ColumnProfile, dates: Dates) -> dict[int, str]:
    """Find days that stand for missing, by place: at an end more than a year from the others, or crowded among them."""
    days = dates.starts.astype("datetime64[D]")
    usual, enough = float(np.median(dates.rows)), max(3.0, _RARE * dates.rows.sum())
    ends = {0: column.column.low, len(days) - 1: column.column.high}
    found = {}
    for place, day in enumerate(days):
        written = str(ends[place])[:10] if dates.unit == "month" and place in ends else str(day)
        if written not in _CODES and day < _NEVER:
            continue
        apart = place in ends and abs(day - days[1 if place == 0 else place - 1]) > _YEAR
        crowded = dates.unit == "day" and len(days) > _FEW_DAYS and dates.rows[place] >= max(enough, _CROWDED * usual)
        if apart or crowded:
            found[place] = written
    return found


def _future(column: ColumnProfile, dates: Dates, today: np.datetime64, codes: list[int]) -> Iterator[Finding]:
    late = dates.starts.astype("datetime64[D]") > today
    late[codes] = False
    if rows := int(dates.rows[late].sum()):
        means = f"'{column.name}' lies in the future on {rows:,} rows: after {today}"
        todo = "right for a plan or a due date, wrong for what has happened: see how they came about"
        yield _finding("future", column, means, todo, value=rows, grave=rows <= _EMPTY * dates.rows.sum())


def _gap(dates: Dates) -> tuple[str, str, int] | None:
    """Find the longest stretch without rows among days that mostly have some; None where it is nothing unusual."""
    days = dates.starts.astype("datetime64[D]").astype(np.int64)
    steps = np.diff(days)
    if dates.unit != "day" or len(days) < _FEW_DAYS or len(days) < 0.3 * (days[-1] - days[0]):
        return None
    place = int(np.argmax(steps))
    if steps[place] - 1 < max(3, 3 * np.quantile(steps, 0.98)):
        return None
    start, stop = (np.datetime64(int(day), "D") for day in (days[place] + 1, days[place + 1] - 1))
    return str(start), str(stop), int(steps[place] - 1)


def _free_weekdays(dates: Dates) -> list[str]:
    """Name the days of the week that have hardly a row, where weeks enough have some."""
    by_day: npt.NDArray[np.int64] = dates.week.sum(axis=1)
    weeks = np.unique((dates.starts.astype("datetime64[D]").astype(np.int64) + 3) // 7)
    if dates.unit != "day" or len(weeks) < _FEW_WEEKS:
        return []
    free = by_day < _EMPTY * by_day.max()
    return [day for day, empty in zip(WEEKDAYS, free, strict=True) if empty] if free.sum() <= 3 else []
