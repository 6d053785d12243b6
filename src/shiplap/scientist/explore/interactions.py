"""Pairs of columns that together say clearly more of the target than both alone."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.bins import binned
from shiplap.methods.interaction import Interaction, additive, bins_for, interactions
from shiplap.methods.multiple import LEVEL
from shiplap.methods.part import Part
from shiplap.methods.question import Problem
from shiplap.scientist.explore.view import View

__all__ = ["look_at_interactions"]

Floats: TypeAlias = npt.NDArray[np.float64]
_MOST_ROWS, _FEWEST_ROWS, _MOST_COLUMNS, _MOST_CLASSES = 20_000, 100, 100, 3
_FEWEST_OF_A_CLASS = 20
_GAIN = 0.005
_MOST_SAID, _MOST_LISTED, _MOST_DRAWN = 3, 20, 2


def look_at_interactions(view: View) -> Part:
    """Find the pairs that say more together, and show what they say.

    Nothing is looked for without a target, or where fewer than 100 rows carry one, or 20 all classes but one.
    """
    problem, y = view.problem, view.y
    if problem is None or y is None or len(y) < _FEWEST_ROWS:
        return Part()
    rows = np.sort(np.random.default_rng(problem.brief.seed).permutation(len(y))[:_MOST_ROWS])
    if problem.task != "regression" and np.sort(np.bincount(y[rows], minlength=2))[-2] < _FEWEST_OF_A_CLASS:
        return Part()
    X = view.X[list(view.schema.names)[:_MOST_COLUMNS]].iloc[rows].reset_index(drop=True)
    shown, outputs = _outputs(problem, y[rows])
    expected = additive(X, y[rows], problem.task, seed=problem.brief.seed)
    expected = expected[:, shown] if problem.task == "multiclass" else expected
    tested = interactions(X, outputs - expected, outputs.var(axis=0))
    found = [pair for pair in tested if pair.p <= LEVEL and pair.gain >= _GAIN]
    names = _names(problem, shown)
    said = {(pair.first, pair.second): _said(pair, X, outputs, expected, names[pair.output]) for pair in found}
    return Part(
        findings=tuple(_findings(found, said, len(tested), problem.brief.target)),
        tables=_table(found, said) if found else (),
        figures=tuple(_cells(pair, X, outputs, names[pair.output]) for pair in found[:_MOST_DRAWN]),
        metrics={"n_interactions": len(found)},
    )


def _outputs(problem: Problem, y: npt.NDArray[Any]) -> tuple[list[int], Floats]:
    """Take the number, whether it is the second of two classes, or of more the commonest classes one by one."""
    if problem.task == "regression":
        return [0], y.astype(np.float64)[:, None]
    if problem.task == "binary":
        return [1], (y == 1).astype(np.float64)[:, None]
    shown = np.argsort(-np.bincount(y), kind="stable")[:_MOST_CLASSES].tolist()
    return shown, (y[:, None] == np.array(shown)).astype(np.float64)


def _names(problem: Problem, shown: list[int]) -> list[str]:
    if problem.task == "regression":
        return [f"mean of '{problem.brief.target}'"]
    return [f"share of '{problem.classes[code]}'" for code in shown]


def _findings(found: list[Interaction], said: dict[tuple[str, str], str], tested: int, target: str) -> list[Finding]:
    if not tested:
        return []
    if not found:
        means = f"no two columns say clearly more of '{target}' together than each alone; {tested:,} pairs were tested"
        return [Finding(check="interaction.none", verdict="good", means=means, limit=_GAIN)]
    return [
        Finding(
            check="interaction.pair",
            verdict="note",
            means=(
                f"'{pair.first}' and '{pair.second}' together explain {pair.gain:.1%} of '{target}' that no sum of "
                f"single effects explains: {said[pair.first, pair.second]}"
            ),
            todo="trees find it; a linear model needs the two crossed",
            columns=(pair.first, pair.second),
            value=round(pair.gain, 4),
            limit=_GAIN,
        )
        for pair in _spread(found)[:_MOST_SAID]
    ]


def _spread(found: list[Interaction]) -> list[Interaction]:
    """Name each column once: what goes with one of a pair tends to echo it."""
    named: set[str] = set()
    kept = []
    for pair in found:
        if not {pair.first, pair.second} & named:
            kept.append(pair)
            named |= {pair.first, pair.second}
    return kept


def _said(pair: Interaction, X: pd.DataFrame, outputs: Floats, expected: Floats, name: str) -> str:
    """Name the cell that lies furthest, in standard errors, from what single effects expect."""
    (first, firsts), (second, seconds) = (
        binned(X[column], bins=bins_for(len(X))) for column in (pair.first, pair.second)
    )
    cell, n_cells = first * len(seconds) + second, len(firsts) * len(seconds)
    rows = np.bincount(cell, minlength=n_cells)
    seen, foreseen = (
        np.bincount(cell, weights=values[:, pair.output], minlength=n_cells) for values in (outputs, expected)
    )
    off = np.where(rows >= max(10, 0.005 * len(X)), np.abs(seen - foreseen) / np.sqrt(np.maximum(rows, 1)), -1.0)
    most = int(np.argmax(off))
    means = [_shown(values[most] / max(1, rows[most]), name) for values in (seen, foreseen)]
    at = f"'{pair.first}' is {firsts[most // len(seconds)]} and '{pair.second}' is {seconds[most % len(seconds)]}"
    return f"where {at}, the {name} is {means[0]}, not {means[1]}"


def _shown(value: float, name: str) -> str:
    return f"{value:.0%}" if name.startswith("share") else f"{value:,.4g}"


def _table(found: list[Interaction], said: dict[tuple[str, str], str]) -> tuple[DataTable, ...]:
    rows: list[tuple[Cell, ...]] = [
        (pair.first, pair.second, round(pair.gain, 4), pair.p, said[pair.first, pair.second])
        for pair in found[:_MOST_LISTED]
    ]
    headings = ("column", "other column", "share explained beyond single effects", "corrected p", "in words")
    return (DataTable(name="interactions", title="Columns that say more together", columns=headings, rows=tuple(rows)),)


def _cells(pair: Interaction, X: pd.DataFrame, outputs: Floats, name: str) -> Figure:
    (first, firsts), (second, seconds) = (
        binned(X[column], bins=bins_for(len(X))) for column in (pair.first, pair.second)
    )
    data: dict[str, list[Cell]] = {"first": [], "second": [], "mean": []}
    for row, below in enumerate(seconds):
        for column, beside in enumerate(firsts):
            inside = outputs[(first == column) & (second == row), pair.output]
            data["first"].append(beside)
            data["second"].append(below)
            data["mean"].append(float(inside.mean()) if len(inside) else None)
    return Figure(
        name=f"interaction.{pair.first}.{pair.second}",
        title=f"'{pair.first}' and '{pair.second}' together: {name}",
        kind="heatmap",
        data=data,
        x="first",
        y=("second", "mean"),
        labels={"first": pair.first, "second": pair.second, "mean": name},
    )
