"""What the metrics of a table do over time: seasons, trends, and when their level changed."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.multiple import LEVEL
from shiplap.methods.part import Part
from shiplap.methods.trends import Change, Course, Season, course_of
from shiplap.scientist.explore.metrics import Metric, Metrics, Unit, metrics_over_time
from shiplap.scientist.explore.profile.moments import WEEKDAYS
from shiplap.scientist.explore.view import View

__all__ = ["look_at_trends"]

Described: TypeAlias = list[tuple[Metric, Course]]
_SAID, _DRAWN = 6, 3
_STRONG = 0.5
_TWO_YEARS = np.timedelta64(730, "D")


def look_at_trends(view: View) -> Part:
    """Follow rows, target, means and missing values over time.

    The level of every test is divided by the number of metrics: of twenty tables whose metrics only fluctuate, one has
    a metric that is said to change its level.
    """
    over_time = metrics_over_time(view)
    if over_time is None:
        return Part()
    seed = view.problem.brief.seed if view.problem else 0
    level = LEVEL / len(over_time.metrics)
    courses = [
        (m, course_of(m.values, periods=over_time.unit.periods, level=level, seed=seed)) for m in over_time.metrics
    ]
    known = [(metric, course) for metric, course in courses if course is not None]
    ranked = sorted(known, key=lambda pair: -_size(pair[1]))
    moving = [(metric, course) for metric, course in ranked if course.trend or course.changes]
    return Part(
        findings=(*_said(over_time, moving), *_repeating(over_time, known)),
        tables=(_table(over_time, ranked),) if ranked else (),
        figures=tuple(_drawn(over_time, *pair) for pair in moving[:_DRAWN]),
        metrics={
            "n_metrics_over_time": len(known),
            "n_metrics_with_trend": sum(course.trend is not None for _, course in known),
            "n_metrics_with_changes": sum(bool(course.changes) for _, course in known),
        },
    )


def _size(course: Course) -> float:
    """Say how far line and levels range, in units of the scatter around them."""
    scatter = float((course.adjusted - course.fitted).std())
    return float(np.ptp(course.fitted)) / max(scatter, 1e-12)


def _said(over_time: Metrics, moving: Described) -> list[Finding]:
    if not moving:
        return [
            Finding(
                check="time.course",
                verdict="good",
                means=f"no metric by '{over_time.time}' has a trend or changes its level beyond chance",
            )
        ]
    short = over_time.starts[-1] - over_time.starts[0] < _TWO_YEARS
    todo = "ask what happened then: what was learned before may not hold after"
    if short:
        todo += "; with less than two years of rows, a season of the year looks the same"
    return [
        Finding(
            check="time.changes" if course.changes else "time.trend",
            verdict="note",
            means=_course_in_words(over_time, metric, course),
            todo=todo,
            columns=metric.columns,
            value=round(_size(course), 3),
        )
        for metric, course in moving[:_SAID]
    ]


def _course_in_words(over_time: Metrics, metric: Metric, course: Course) -> str:
    parts = []
    if course.trend:
        way = "rises" if course.trend.rise > 0 else "falls"
        low, high = sorted((abs(course.trend.low), abs(course.trend.high)))
        ends = f"from {_day(over_time, 0)} to {_day(over_time, len(over_time.starts) - 1)}"
        parts.append(f"{way} steadily by {_number(abs(course.trend.rise))} ({_number(low)} to {_number(high)}) {ends}")
    if course.changes:
        parts.append(f"changes its level {_times(course.changes, over_time)}")
    return f"{_first_upper(metric.name)} {', and besides '.join(parts)}"


def _times(changes: tuple[Change, ...], over_time: Metrics) -> str:
    told = [
        f"around {_day(over_time, change.place)} "
        f"(between {_day(over_time, change.low)} and {_day(over_time, change.high)}) "
        f"from {_number(change.before)} to {_number(change.after)}"
        for change in sorted(changes, key=lambda change: -abs(change.step))[:2]
    ]
    more = f" and {len(changes) - 2} times more" if len(changes) > 2 else ""
    return " and ".join(told) + more


def _repeating(over_time: Metrics, known: Described) -> list[Finding]:
    """Tell the season that is strongest of all metrics, and how many others have one."""
    seasons = [(season, metric) for metric, course in known for season in course.seasons if season.strength >= _STRONG]
    if not seasons:
        return []
    season, metric = max(seasons, key=lambda pair: pair[0].strength)
    others = len({other.name for _, other in seasons}) - 1
    more = f"; so do {others} other metrics" if others > 1 else "; so does another metric" if others else ""
    return [
        Finding(
            check="time.season",
            verdict="note",
            means=f"{_first_upper(metric.name)} repeats every {season.period} {over_time.unit.name}s "
            f"(strength {season.strength:.2f} of 1){_extremes(season, over_time)}{more}",
            todo="give a model the place in the cycle, and compare like with like",
            columns=metric.columns,
            value=round(season.strength, 4),
        )
    ]


def _extremes(season: Season, over_time: Metrics) -> str:
    high, low = (_phase(int(place), season, over_time) for place in (season.shape.argmax(), season.shape.argmin()))
    return f": highest {high}, lowest {low}" if high else ""


def _phase(place: int, season: Season, over_time: Metrics) -> str:
    start = over_time.starts[place]
    day = start.astype("datetime64[D]")
    spoken = {
        ("day", 7): f"on {WEEKDAYS[int(day.astype(int) + 3) % 7]}",
        ("hour", 24): f"at {str(start)[11:16]}",
        ("month", 12): f"in month {int(str(start)[5:7])}",
        ("quarter", 4): f"in quarter {(int(str(start)[5:7]) + 2) // 3}",
    }
    return spoken.get((over_time.unit.name, season.period), "")


def _table(over_time: Metrics, ranked: Described) -> DataTable:
    rows: list[tuple[Cell, ...]] = [
        (
            metric.name,
            ", ".join(f"{season.period} ({season.strength:.2f})" for season in course.seasons) or None,
            f"{_number(course.trend.rise)} ({_number(course.trend.low)} to {_number(course.trend.high)})"
            if course.trend
            else None,
            "; ".join(
                f"{_day(over_time, change.place)}: {_number(change.step)} "
                f"({_number(change.step_low)} to {_number(change.step_high)})"
                for change in course.changes
            )
            or None,
        )
        for metric, course in ranked
    ]
    return DataTable(
        name="over_time",
        title=f"Metrics by {over_time.unit.name} of '{over_time.time}', with 95 % intervals",
        columns=(
            "metric",
            f"cycle in {over_time.unit.name}s (strength)",
            "trend over the whole time",
            "changes of level",
        ),
        rows=tuple(rows),
    )


def _drawn(over_time: Metrics, metric: Metric, course: Course) -> Figure:
    return Figure(
        name=f"over_time.{metric.name}",
        title=_course_in_words(over_time, metric, course),
        kind="line",
        data={
            "time": [_day(over_time, place) for place in range(len(over_time.starts))],
            "value": [float(value) if np.isfinite(value) else None for value in metric.values],
            "level": [float(value) for value in course.fitted],
        },
        x="time",
        y=("value", "level"),
        labels={"time": over_time.time, "value": metric.name, "level": "without season and noise"},
    )


def _day(over_time: Metrics, place: int) -> str:
    """Write the beginning of a bin, as finely as the bins are."""
    written = str(over_time.starts[min(place, len(over_time.starts) - 1)])
    return written[: _written(over_time.unit)].replace("T", " ")


def _written(unit: Unit) -> int:
    return 16 if unit.name in ("minute", "hour") else 10


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
