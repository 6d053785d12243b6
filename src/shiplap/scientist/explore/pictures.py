"""What a reader of an exploration sees: the target over time, gaps, distributions, relations to the target."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.report import Cell, DataTable, Figure
from shiplap.core.schema import Column
from shiplap.methods.bins import binned
from shiplap.methods.intervals import wilson
from shiplap.methods.leaks import Evidence
from shiplap.methods.question import Problem
from shiplap.scientist.explore.view import Counts, View

__all__ = ["column_table", "distribution", "missing_figure", "relation", "target_over_time"]

Floats: TypeAlias = npt.NDArray[np.float64]
_PIECES = ("D", "W", "M", "Y")
_MOST_PIECES = 60


def column_table(
    view: View, counts: Counts, leaks: Evidence, changes: dict[str, float], private: tuple[str, ...]
) -> DataTable:
    """List every column with what is known about it; nothing of what a private one holds."""
    rows: list[tuple[Cell, ...]] = []
    for column in view.table.schema:
        count = counts.get(column.name)
        missing = count.labelled + count.unlabelled if count else column.n_missing
        hidden = column.private or column.name in private
        score, change = leaks.alone.get(column.name), changes.get(column.name)
        rows.append(
            (
                column.name,
                column.kind,
                round(missing / max(1, view.table.n_rows), 5),
                column.n_distinct,
                None if hidden else column.low,
                None if hidden else column.high,
                None if score is None else round(score, 4),
                None if change is None else round(change, 3),
            )
        )
    regression = view.problem is not None and view.problem.task == "regression"
    relation_name = "R squared alone" if regression else "AUC alone"
    headings = ("column", "kind", "missing share", "distinct", "lowest", "highest", relation_name, "change over time")
    return DataTable(name="columns", title="The columns", columns=headings, rows=tuple(rows))


def missing_figure(view: View, counts: Counts) -> Figure | None:
    """Draw the columns with gaps; None where there is none."""
    shares = {name: (count.labelled + count.unlabelled) / max(1, view.table.n_rows) for name, count in counts.items()}
    gaps = sorted(((name, share) for name, share in shares.items() if share > 0), key=lambda pair: -pair[1])[:40]
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


def distribution(view: View, column: Column) -> Figure:
    """Draw how one column is distributed in the sample: a histogram of numbers and dates, bars of the rest."""
    values = view.X[column.name].dropna()
    name, title = f"distribution.{column.name}", f"How '{column.name}' is distributed"
    if column.kind in ("number", "date") and values.nunique() > 12:
        dated = column.kind == "date"
        numbers = values.to_numpy().astype("datetime64[s]").astype(np.int64) if dated else values.to_numpy()
        edges = np.histogram_bin_edges(numbers, bins=30, range=tuple(np.quantile(numbers, [0.005, 0.995])))
        if edges[0] < edges[-1]:
            return _histogram(name, title, column, numbers, edges)
    counts = view.X[column.name].astype(str).where(view.X[column.name].notna(), "missing").value_counts()[:20]
    return Figure(
        name=name,
        title=title,
        kind="bar",
        data={"value": [str(value) for value in counts.index], "rows": [int(count) for count in counts]},
        x="value",
        y=("rows",),
        labels={"value": column.name, "rows": "rows of the sample"},
    )


def _histogram(name: str, title: str, column: Column, numbers: npt.NDArray[Any], edges: Floats) -> Figure:
    counts = np.histogram(numbers, edges)[0]

    def shown(values: Floats) -> list[Cell]:
        if column.kind != "date":
            return [float(value) for value in values]
        return [str(np.datetime64(int(value), "s")) for value in values]

    return Figure(
        name=name,
        title=title,
        kind="histogram",
        data={
            "value": shown((edges[1:] + edges[:-1]) / 2),
            "low": shown(edges[:-1]),
            "high": shown(edges[1:]),
            "rows": counts.tolist(),
        },
        x="value",
        y=("rows",),
        low="low",
        high="high",
        labels={"value": column.name, "rows": "rows of the sample"},
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
