"""A profile as figures: how each column is distributed over all rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shiplap.core.report import Cell, Figure
from shiplap.scientist.explore.profile.moments import WEEKDAYS
from shiplap.scientist.explore.profile.records import ColumnProfile, Dates, Numbers, Profile

__all__ = ["distribution", "missing_figure", "round_edges", "week_figure"]

_BARS = 20
_BINS = 30
_SINGLE = 12
_MOST_COLUMNS = 40
_PIECES = ("D", "W", "M", "Y")
_MOST_PIECES = 400


def missing_figure(profile: Profile) -> Figure | None:
    """Draw the columns with gaps; None where there is none."""
    gaps = [(column.name, column.missing_share) for column in profile.columns if column.column.n_missing]
    gaps = sorted(gaps, key=lambda pair: -pair[1])[:_MOST_COLUMNS]
    if not gaps:
        return None
    return Figure(
        name="missing",
        title="Share of missing values, columns without any left out",
        kind="bar",
        data={"column": [name for name, _ in gaps], "share": [share for _, share in gaps]},
        x="column",
        y=("share",),
        labels={"column": "column", "share": "share of rows"},
    )


def distribution(column: ColumnProfile) -> Figure | None:
    """Draw how one column is distributed: a histogram of numbers, rows over time of dates, bars of the rest."""
    if column.dates is not None and len(column.dates.starts) > 1:
        return _over_time(column, column.dates)
    if column.numbers is not None and column.column.n_distinct > _SINGLE:
        return _histogram(column, column.numbers)
    return _bars(column) if column.values else None


def _bars(column: ColumnProfile) -> Figure:
    shown = [(value.shown, value.rows) for value in column.values[:_BARS]]
    if column.numbers is not None:
        shown.sort(key=lambda pair: float(pair[0]))
    if rest := column.n_present - sum(rows for _, rows in shown):
        shown.append(("all others", rest))
    if column.column.n_missing:
        shown.append(("missing", column.column.n_missing))
    return Figure(
        name=f"distribution.{column.name}",
        title=f"How '{column.name}' is distributed",
        kind="bar",
        data={"value": [value for value, _ in shown], "rows": [rows for _, rows in shown]},
        x="value",
        y=("rows",),
        labels={"value": column.name, "rows": "rows"},
    )


def _histogram(column: ColumnProfile, numbers: Numbers) -> Figure:
    low, high = numbers.tally.quantiles([0.005, 0.995])
    edges = round_edges(float(low), float(high), whole=_is_whole(numbers))
    counts = numbers.tally.histogram(edges)
    beyond = numbers.tally.n_rows - int(counts.sum())
    left_out = f", {beyond:,} rows further out left out" if beyond > 0 else ""
    return Figure(
        name=f"distribution.{column.name}",
        title=f"How '{column.name}' is distributed{left_out}",
        kind="histogram",
        data={
            "value": [float(value) for value in (edges[1:] + edges[:-1]) / 2],
            "low": [float(value) for value in edges[:-1]],
            "high": [float(value) for value in edges[1:]],
            "rows": [int(count) for count in counts],
        },
        x="value",
        y=("rows",),
        low="low",
        high="high",
        labels={"value": column.name, "rows": "rows"},
    )


def _is_whole(numbers: Numbers) -> bool:
    single = numbers.tally.low == numbers.tally.high
    return bool(single.all() and np.all(numbers.tally.low == np.round(numbers.tally.low)))


def round_edges(low: float, high: float, *, whole: bool) -> npt.NDArray[np.float64]:
    """Cut a range into bins of one round width (1, 2, 2.5 or 5 times a power of ten), whole for whole numbers."""
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        half = max(abs(low), 1.0) / 2
        return np.array([low - half, low + half])
    rough = (high - low) / _BINS
    power = 10.0 ** np.floor(np.log10(rough))
    width = float(next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= rough))
    width = max(1.0, np.ceil(width)) if whole else width
    shift = 0.5 if whole and width == 1.0 else 0.0
    first = np.floor((low + shift) / width) * width - shift
    count = int(np.floor((high - first) / width)) + 1
    return np.asarray(first + width * np.arange(count + 1), np.float64)


def _over_time(column: ColumnProfile, dates: Dates) -> Figure:
    """Draw rows by day, week, month or year; pieces without rows count as 0."""
    starts, rows = dates.starts, dates.rows
    for unit in _PIECES[0 if dates.unit == "day" else 2 :]:
        pieces = starts.astype(f"datetime64[{unit}]")
        if (pieces[-1] - pieces[0]).astype(np.int64) < _MOST_PIECES:
            break
    places = (pieces - pieces[0]).astype(np.int64)
    counts = np.bincount(places, weights=rows)[: 10 * _MOST_PIECES]
    names = [str(piece.astype("datetime64[D]")) for piece in pieces[0] + np.arange(len(counts))]
    each = {"D": "day", "W": "week", "M": "month", "Y": "year"}[unit]
    return Figure(
        name=f"distribution.{column.name}",
        title=f"Rows by {each} of '{column.name}'",
        kind="line",
        data={"time": list(names), "rows": [int(count) for count in counts]},
        x="time",
        y=("rows",),
        labels={"time": column.name, "rows": f"rows a {each}"},
    )


def week_figure(column: ColumnProfile) -> Figure | None:
    """Draw on which days of the week, and at which hours where there are several, the rows of a column lie."""
    dates = column.dates
    if dates is None or len(dates.starts) < 2 or dates.unit != "day":
        return None
    zone = " (UTC)" if column.column.dtype.endswith("WITH TIME ZONE") else ""
    days, by_day = list(WEEKDAYS), dates.week.sum(axis=1)
    day, hour = divmod(int(dates.week.argmax()), 24)
    most = f"{days[day]} from {hour} to {hour + 1} o'clock{zone}" if dates.has_hours else days[int(by_day.argmax())]
    data: dict[str, list[Cell]] = {"day": [*days], "rows": by_day.tolist()}
    if dates.has_hours:
        hours: list[Cell] = [f"{hour:02d}" for hour in range(24)]
        data = {"day": [day for day in days for _ in hours], "hour": hours * 7, "rows": [*dates.week.ravel().tolist()]}
    return Figure(
        name=f"week.{column.name}",
        title=f"When in the week the rows of '{column.name}' lie: most on {most}",
        kind="heatmap" if dates.has_hours else "bar",
        data=data,
        x="hour" if dates.has_hours else "day",
        y=("day", "rows") if dates.has_hours else ("rows",),
        labels={"day": "day of the week", "hour": f"hour of the day{zone}", "rows": "rows"},
    )
