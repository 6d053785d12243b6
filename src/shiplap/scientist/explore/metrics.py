"""Metrics of a table by hour, day, week or month, aggregated over all rows where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.methods.query import quoted
from shiplap.methods.question import Problem
from shiplap.scientist.explore.view import View

__all__ = ["Metric", "Metrics", "Unit", "metrics_over_time"]

Floats: TypeAlias = npt.NDArray[np.float64]
Moments: TypeAlias = npt.NDArray[np.datetime64]
_MOST_BINS, _FEWEST_BINS, _FILLED = 500, 24, 0.7
_MOST_MEANS, _MOST_GAPS = 12, 6
_SELDOM = 0.005
_WHOLE = 0.9
_CALENDAR = 0.995


@dataclass(frozen=True)
class Unit:
    """A bin of time.

    Parameters
    ----------
    name : str
        As in SQL's ``date_trunc``.
    seconds : int
        Its length, on average.
    months : int
        Its length in months; 0 where all bins are equally long.
    periods : tuple of int
        The cycles that people live by, in bins.
    """

    name: str
    seconds: int
    months: int
    periods: tuple[int, ...]


UNITS = (
    Unit("minute", 60, 0, (60,)),
    Unit("hour", 3_600, 0, (24, 168)),
    Unit("day", 86_400, 0, (7,)),
    Unit("week", 604_800, 0, (52,)),
    Unit("month", 2_629_746, 1, (12,)),
    Unit("quarter", 7_889_238, 3, (4,)),
    Unit("year", 31_556_952, 12, ()),
)


@dataclass(frozen=True, eq=False)
class Metric:
    """One figure a bin, `values` of shape (n_bins,) with NaN where there is none, and the columns it is made of."""

    name: str
    columns: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, eq=False)
class Metrics:
    """Several metrics over the same bins.

    Parameters
    ----------
    time : str
        The column of time.
    unit : Unit
        The bins.
    starts : numpy.ndarray of datetime64[s], shape (n_bins,)
        Where each begins; a first or last one that is not whole is left out.
    metrics : tuple of Metric
        Rows first, then the target, then means and shares of missing values.
    """

    time: str
    unit: Unit
    starts: Moments
    metrics: tuple[Metric, ...]


def metrics_over_time(view: View) -> Metrics | None:
    """Aggregate what there is to follow over time, in the finest bins that are at most 500 and mostly filled.

    None without a column of dates, or with fewer than 24 bins.
    """
    time = _time_column(view)
    if time is None:
        return None
    ends = view.table.frame.fetch(_sentence(f"min({quoted(time)}), max({quoted(time)})"))[0]
    if ends[0] is None:
        return None
    first, last = (np.datetime64(end, "s") for end in ends)
    span = (last - first) / np.timedelta64(1, "s")
    for unit in UNITS:
        if span / unit.seconds <= _MOST_BINS:
            found = _aggregated(view, time, unit)
            if found is not None:
                return found
    return None


def _time_column(view: View) -> str | None:
    stated = view.problem.brief.time if view.problem else None
    if stated:
        column = view.table.schema[stated]
        return stated if column.kind == "date" and not column.private else None
    return next((column.name for column in view.schema if column.kind == "date"), None)


def _sentence(what: str, tail: str = "") -> str:
    return " ".join(("SELECT", what, "FROM rows", tail))


def _aggregated(view: View, time: str, unit: Unit) -> Metrics | None:
    chosen = _chosen(view, time)
    parts = ", ".join(sql for _, _, sql in chosen)
    start = f"date_trunc('{unit.name}', {quoted(time)})"
    what = f"{start} AS start, min({quoted(time)}), max({quoted(time)}), {parts}"
    rows = view.table.frame.fetch(_sentence(what, f"WHERE {quoted(time)} IS NOT NULL GROUP BY {start} ORDER BY start"))
    starts = np.array([np.datetime64(row[0], "s") for row in rows])
    if len(rows) < _FEWEST_BINS:
        return None
    inside = _whole(starts, rows, unit)
    starts, rows = starts[inside], rows[inside]
    place = _places(starts, unit)
    if place[-1] + 1 < _FEWEST_BINS or len(place) < _FILLED * (place[-1] + 1):
        return None
    grid = _grid(starts[0], int(place[-1]) + 1, unit)
    table = np.array([[np.nan if value is None else float(value) for value in row[3:]] for row in rows])
    found = []
    for index, (name, columns, _) in enumerate(chosen):
        values = np.full(len(grid), np.nan if columns else 0.0)
        values[place] = table[:, index]
        if not columns:
            found.append(Metric(f"{name} per {unit.name}", columns, values))
        elif not _is_calendar(values, grid):
            found.append(Metric(name, columns, values))
    target = _target(view.problem, grid, unit) if view.problem and view.problem.brief.time == time else []
    return Metrics(time, unit, grid, (found[0], *target, *found[1:]))


def _whole(starts: Moments, rows: list[tuple[Any, ...]], unit: Unit) -> slice:
    """Leave out the first bin where the rows begin in the midst of it, and the last where they end there."""
    begun = np.array([np.datetime64(row[1], "s") for row in rows]) - starts
    ended = np.array([np.datetime64(row[2], "s") for row in rows]) - starts
    slack = np.timedelta64(int((1 - _WHOLE) * unit.seconds), "s")
    late = begun[0] > np.median(begun[1:].astype(np.int64)).astype("m8[s]") + slack
    early = ended[-1] < np.median(ended[:-1].astype(np.int64)).astype("m8[s]") - slack
    return slice(int(late), len(rows) - int(early))


def _is_calendar(values: Floats, grid: Moments) -> bool:
    """Say whether a column only repeats what the time itself says: its year, month or day."""
    months = grid.astype("datetime64[M]")
    parts = (
        grid.astype("datetime64[Y]").astype(np.int64),
        months.astype(np.int64) % 12,
        (grid.astype("datetime64[D]") - months).astype(np.int64),
    )
    known = np.isfinite(values)
    if not known.any():
        return False
    told = [part[known] for part in parts if np.ptp(part[known]) > 0]
    return bool(np.ptp(values[known]) > 0) and any(np.corrcoef(values[known], part)[0, 1] > _CALENDAR for part in told)


def _chosen(view: View, time: str) -> list[tuple[str, tuple[str, ...], str]]:
    """Name, columns and SQL of each metric."""
    numbers = [column for column in view.schema if column.kind in ("number", "boolean")][:_MOST_MEANS]
    gaps = [column for column in view.schema if column.name != time and _has_gaps(column.n_missing, view.table.n_rows)]
    means = [
        f"avg({quoted(column.name)})"
        if column.kind == "number"
        else f"avg(CASE WHEN {quoted(column.name)} THEN 1.0 WHEN NOT {quoted(column.name)} THEN 0.0 END)"
        for column in numbers
    ]
    return [
        ("rows", (), "count(*)"),
        *(
            (f"{'mean' if column.kind == 'number' else 'share'} of '{column.name}'", (column.name,), sql)
            for column, sql in zip(numbers, means, strict=True)
        ),
        *(
            (
                f"share of missing '{column.name}'",
                (column.name,),
                f"avg(CASE WHEN {quoted(column.name)} IS NULL THEN 1.0 ELSE 0.0 END)",
            )
            for column in gaps[:_MOST_GAPS]
        ),
    ]


def _has_gaps(n_missing: int, n_rows: int) -> bool:
    return _SELDOM < n_missing / max(1, n_rows) < 1 - _SELDOM


def _places(starts: Moments, unit: Unit) -> npt.NDArray[np.int64]:
    """Position of each start on the grid that begins with the first."""
    if unit.months:
        months = starts.astype("datetime64[M]").astype(np.int64)
        return np.asarray((months - months[:1]) // unit.months)
    seconds = starts.astype("datetime64[s]").astype(np.int64)
    return np.asarray((seconds - seconds[:1]) // unit.seconds)


def _grid(first: np.datetime64, n_bins: int, unit: Unit) -> Moments:
    if unit.months:
        months = first.astype("datetime64[M]") + np.arange(n_bins) * unit.months
        return np.asarray(months.astype("datetime64[s]"))
    return np.asarray(first + np.arange(n_bins) * np.timedelta64(unit.seconds, "s"))


def _target(problem: Problem, grid: Moments, unit: Unit) -> list[Metric]:
    """Mean of the target, or share of its positive class, over the labelled rows."""
    if problem.task == "multiclass" or problem.time is None:
        return []
    values: npt.NDArray[Any] = problem.y if problem.task == "regression" else problem.y == problem.positive
    known = ~np.isnat(problem.time)
    place = np.searchsorted(grid, problem.time[known].astype("datetime64[s]"), side="right") - 1
    after = _grid(grid[-1], 2, unit)[1]
    inside = (place >= 0) & (problem.time[known].astype("datetime64[s]") < after)
    rows = np.bincount(place[inside], minlength=len(grid))
    total = np.bincount(place[inside], weights=values[known][inside].astype(np.float64), minlength=len(grid))
    rate = np.where(rows > 0, total / np.maximum(rows, 1), np.nan)
    return [Metric(_target_name(problem), problem.target_columns, rate)]


def _target_name(problem: Problem) -> str:
    if problem.task == "regression":
        return f"mean of '{problem.brief.target}'"
    positive = problem.classes[problem.positive]
    return f"share of '{problem.brief.target}'" + ("" if positive in (True, "True") else f" being '{positive}'")
