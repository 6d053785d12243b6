"""How the target moves: over time, and with single columns."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.report import Cell, Figure
from shiplap.core.schema import Column
from shiplap.methods.bins import binned
from shiplap.methods.intervals import wilson
from shiplap.methods.question import Problem
from shiplap.scientist.explore.view import View

__all__ = ["relation", "target_over_time"]

Floats: TypeAlias = npt.NDArray[np.float64]
_PIECES = ("D", "W", "M", "Y")
_MOST_PIECES = 60


def target_over_time(problem: Problem) -> Figure | None:
    """Draw the target by day, week, month or year; None without a time column."""
    if problem.time is None or np.isnat(problem.time).all():
        return None
    known = ~np.isnat(problem.time)
    days = problem.time[known].astype("datetime64[D]")
    pieces = days
    for unit in _PIECES:
        pieces = days.astype(f"datetime64[{unit}]")
        if len(np.unique(pieces)) <= _MOST_PIECES:
            break
    starts, codes = np.unique(pieces, return_inverse=True)
    rate, low, high, rows = _rates(problem, problem.y[known], codes, len(starts))
    return Figure(
        name="target_over_time",
        title=f"{_target_name(problem)} over time",
        kind="line",
        data={
            "time": [str(start.astype("datetime64[D]")) for start in starts],
            "rate": rate,
            "low": low,
            "high": high,
            "rows": rows,
        },
        x="time",
        y=("rate",),
        low="low",
        high="high",
        labels={"time": problem.brief.time or "time", "rate": _target_name(problem)},
    )


def relation(view: View, problem: Problem, column: Column) -> Figure:
    """Draw the target against bins of one column, with 95 % intervals."""
    codes, names = binned(view.X[column.name], bins=12)
    y = problem.y[:0] if view.y is None else view.y
    rate, low, high, rows = _rates(problem, y, codes, len(names))
    shown = [index for index, count in enumerate(rows) if count]

    def kept(values: list[Cell]) -> list[Cell]:
        return [values[index] for index in shown]

    return Figure(
        name=f"relation.{column.name}",
        title=f"{_target_name(problem)} by '{column.name}'",
        kind="interval",
        data={"value": kept(list(names)), "rate": kept(rate), "low": kept(low), "high": kept(high), "rows": kept(rows)},
        x="value",
        y=("rate",),
        low="low",
        high="high",
        labels={"value": column.name, "rate": _target_name(problem)},
    )


def _target_name(problem: Problem) -> str:
    if problem.task == "regression":
        return f"Mean of '{problem.brief.target}'"
    return f"Share of '{problem.classes[_shown_class(problem)]}'"


def _shown_class(problem: Problem) -> int:
    return problem.positive if problem.task == "binary" else int(np.argmax(np.bincount(problem.y)))


def _rates(
    problem: Problem, y: npt.NDArray[Any], codes: npt.NDArray[Any], n_bins: int
) -> tuple[list[Cell], list[Cell], list[Cell], list[Cell]]:
    values = y.astype(np.float64) if problem.task == "regression" else (y == _shown_class(problem)).astype(np.float64)
    rows = np.bincount(codes, minlength=n_bins)
    full = np.maximum(rows, 1)
    mean = np.bincount(codes, weights=values, minlength=n_bins) / full
    if problem.task == "regression":
        square = np.bincount(codes, weights=values**2, minlength=n_bins) / full
        half = 1.96 * np.sqrt(np.maximum(square - mean**2, 0.0) / full)
        low, high = mean - half, mean + half
    else:
        low, high = wilson(mean * full, full)
        low, high = np.minimum(low, mean), np.maximum(high, mean)
    return mean.tolist(), low.tolist(), high.tolist(), rows.tolist()
