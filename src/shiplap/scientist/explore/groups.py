"""How the target differs between groups, and associations that turn when a third column is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.bins import binned
from shiplap.methods.groups import Group, group_differences
from shiplap.methods.multiple import LEVEL, corrected
from shiplap.methods.part import Part
from shiplap.methods.question import Problem
from shiplap.methods.strata import Slopes, slopes, stratified
from shiplap.scientist.explore.view import View

__all__ = ["look_at_groups"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Groups: TypeAlias = dict[str, tuple[Ints, list[str]]]
_FEWEST_ROWS, _MOST_GROUPS, _FEWEST_IN_A_GROUP, _MOST_INPUTS = 100, 30, 50, 400
_EFFECT = 0.1
_CORRELATION, _LEFT, _ALMOST_ALL, _MOST_OF_THEM = 0.05, 0.1, 0.8, 0.5
_MOST_SAID, _MOST_LISTED, _MOST_TURNED = 5, 30, 3


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What the target may depend on: ranks of numbers, and being of a group."""

    names: list[str]
    columns: list[str]
    X: Floats


@dataclass(frozen=True)
class _Turned:
    """An association that is not there, or is the other way round, within the strata of a third column."""

    place: int
    stratum: str
    overall: float
    pooled: float
    n_against: int
    n_strata: int
    surely: bool
    p: float


def look_at_groups(view: View) -> Part:
    """Say by which groups the target differs, and flag Simpson's paradox. Nothing without a target."""
    if view.problem is None or view.y is None or len(view.y) < _FEWEST_ROWS:
        return Part()
    y, name = _output(view.problem, view.y)
    groups = _groups(view)
    if not groups or not y.std():
        return Part()
    found = [group for group in group_differences(groups, y) if group.is_sure and group.value != "other"]
    by_effect = _by_effect(found, y)
    inputs = _inputs(view, groups)
    paradoxes = _paradoxes(inputs, y, groups, name) if inputs is not None else Part()
    return Part(
        findings=(*_differences(found, by_effect, float(y.mean()), name, len(groups)), *paradoxes.findings),
        tables=_table(found, name) if found else (),
        figures=(
            *([_by_group(next(iter(by_effect)), found, name)] if by_effect else []),
            *paradoxes.figures,
        ),
        metrics={"n_groups_that_differ": len(found), **paradoxes.metrics},
    )


def _paradoxes(inputs: _Inputs, y: Floats, groups: Groups, name: str) -> Part:
    overall = slopes(inputs.X, y)
    turned = _turned(inputs, overall, y, groups)
    return Part(
        findings=tuple(_paradox(one, inputs, name) for one in turned[:_MOST_TURNED]),
        figures=tuple(_by_stratum(one, inputs, overall, y, groups[one.stratum], name) for one in turned[:1]),
        metrics={"n_paradoxes": len(turned)},
    )


def _output(problem: Problem, y: npt.NDArray[Any]) -> tuple[Floats, str]:
    if problem.task == "regression":
        return y.astype(np.float64), f"mean of '{problem.brief.target}'"
    shown = problem.positive if problem.task == "binary" else int(np.argmax(np.bincount(y)))
    return (y == shown).astype(np.float64), f"share of '{problem.classes[shown]}'"


def _groups(view: View) -> Groups:
    kinds = ("category", "boolean")
    return {one.name: binned(view.X[one.name], bins=_MOST_GROUPS) for one in view.schema if one.kind in kinds}


def _inputs(view: View, groups: Groups) -> _Inputs | None:
    X, numbers = view.X, [one.name for one in view.schema if one.kind == "number" and view.X[one.name].nunique() > 2]
    found = [(f"'{name}'", name, _ranks(X[name].to_numpy(np.float64))) for name in numbers]
    for column, (codes, values) in groups.items():
        rows = np.bincount(codes, minlength=len(values))
        places = [int(np.argmin(rows))] if len(values) == 2 else np.flatnonzero(rows >= _FEWEST_IN_A_GROUP).tolist()
        found += [(f"'{column}' = '{values[place]}'", column, (codes == place).astype(float)) for place in places]
    if not found:
        return None
    names, columns, inputs = zip(*found[:_MOST_INPUTS], strict=True)
    return _Inputs(list(names), list(columns), np.column_stack(inputs))


def _ranks(values: Floats) -> Floats:
    """Ranks from 0 to 1, so that a slope is the step from the lowest value to the highest; missing in the middle."""
    known = ~np.isnan(values)
    ranks = np.full(len(values), 0.5)
    ranks[known] = rankdata(values[known]) / max(1, known.sum())
    return ranks


def _by_effect(found: list[Group], y: Floats) -> dict[str, float]:
    """How much the sure differences of a column spread the target, in standard deviations; the largest first."""
    effects: dict[str, float] = {}
    for group in found:
        effects[group.column] = effects.get(group.column, 0.0) + group.rows / len(y) * group.difference**2
    ranked = sorted(((float(np.sqrt(effect)) / float(y.std()), name) for name, effect in effects.items()), reverse=True)
    return {name: effect for effect, name in ranked if effect >= _EFFECT}


def _differences(
    found: list[Group], by_effect: dict[str, float], overall: float, name: str, n_columns: int
) -> list[Finding]:
    if not by_effect:
        means = f"the {name} differs little between the groups of the {n_columns} columns that make groups"
        return [Finding(check="group.none", verdict="good", means=means, limit=_EFFECT)]
    said = []
    for column in list(by_effect)[:_MOST_SAID]:
        inside = sorted((group for group in found if group.column == column), key=lambda group: group.mean)
        ends = [inside[-1]] if len(inside) == 1 else [inside[-1], inside[0]]
        words = ", ".join(f"{_shown(group.mean, name)} where '{column}' is '{group.value}'" for group in ends)
        said.append(
            Finding(
                check="group.difference",
                verdict="note",
                means=f"the {name} is {words}; {_shown(overall, name)} over all rows",
                todo="ask whether the groups are treated or measured otherwise",
                columns=(column,),
                value=round(by_effect[column], 4),
                limit=_EFFECT,
            )
        )
    return said


def _turned(inputs: _Inputs, overall: Slopes, y: Floats, groups: Groups) -> list[_Turned]:
    """Find associations that are sure over all rows, and turned or gone within strata; every test is corrected for."""
    sure = corrected(overall.p) <= LEVEL
    strong = np.abs(overall.slope) * inputs.X.std(axis=0) / y.std() >= _CORRELATION
    tests: list[tuple[_Turned, float, float]] = []
    for stratum, (codes, _) in groups.items():
        use = np.flatnonzero(sure & strong & (np.array(inputs.columns) != stratum))
        if not len(use) or _left(y, codes) < _LEFT:
            continue
        X = inputs.X[:, use]
        inside = stratified(X, y, codes, Slopes(overall.slope[use], overall.error[use]))
        varied = np.array([_left(column, codes) >= _LEFT for column in X.T])
        for index in np.flatnonzero(varied & (inside.n_strata >= 2)):
            one = _Turned(
                place=int(use[index]),
                stratum=stratum,
                overall=float(overall.slope[use[index]]),
                pooled=float(inside.pooled.slope[index]),
                n_against=int(inside.n_against[index]),
                n_strata=int(inside.n_strata[index]),
                surely=bool(inside.against[index] >= _ALMOST_ALL),
                p=1.0,
            )
            shrunk = float(inside.p_shrunk[index]) if inside.against[index] >= _MOST_OF_THEM else 1.0
            tests.append((one, float(inside.p_turned[index]), shrunk))
    right = corrected(np.array([p for _, turned, shrunk in tests for p in (turned, shrunk)])).reshape(-1, 2)
    found = [
        _Turned(**{**vars(one), "surely": bool(one.surely and turned <= LEVEL), "p": float(min(turned, shrunk))})
        for (one, _, _), (turned, shrunk) in zip(tests, right, strict=True)
        if one.pooled * one.overall < 0 and ((one.surely and turned <= LEVEL) or shrunk <= LEVEL)
    ]
    return sorted(found, key=lambda one: (not one.surely, -abs(one.overall), one.stratum))


def _left(values: Floats, codes: Ints) -> float:
    """Share of the variance that lies within the strata."""
    rows = np.maximum(np.bincount(codes), 1)
    within = values - (np.bincount(codes, weights=values) / rows)[codes]
    return float(within.var() / values.var()) if values.var() else 0.0


def _paradox(one: _Turned, inputs: _Inputs, name: str) -> Finding:
    way = "higher" if one.overall > 0 else "lower"
    other = "lower" if one.overall > 0 else "higher"
    at = inputs.names[one.place]
    where = f"where {at}" if " = " in at else f"the higher {at} is"
    turn = f"but {other} in {one.n_against} of {one.n_strata} groups of '{one.stratum}'"
    gone = "" if one.surely else "; within the groups together nothing of it is left"
    return Finding(
        check="group.paradox",
        verdict="warn" if one.surely else "note",
        means=(
            f"over all rows the {name} is {way} {where} ({_step(one.overall, name)}), {turn} "
            f"({_step(one.pooled, name)} within groups){gone}"
        ),
        todo=f"compare within '{one.stratum}' before anything is concluded from the whole (Simpson's paradox)",
        columns=(inputs.columns[one.place], one.stratum),
        value=round(one.pooled, 4),
        limit=round(one.overall, 4),
    )


def _shown(value: float, name: str) -> str:
    return f"{value:.1%}" if name.startswith("share") else f"{value:,.4g}"


def _step(value: float, name: str) -> str:
    return f"{100 * value:+.1f} points" if name.startswith("share") else f"{value:+,.3g}"


def _table(found: list[Group], name: str) -> tuple[DataTable, ...]:
    rows: list[tuple[Cell, ...]] = [
        (one.column, one.value, one.rows, *(round(v, 5) for v in (one.mean, one.difference, one.low, one.high)), one.p)
        for one in found[:_MOST_LISTED]
    ]
    headings = ("column", "group", "rows", name, "difference from all others", "low", "high", "corrected p")
    return (DataTable(name="groups", title="Groups that differ", columns=headings, rows=tuple(rows)),)


def _by_group(column: str, found: list[Group], name: str) -> Figure:
    shown = sorted((one for one in found if one.column == column), key=lambda one: -one.difference)
    return _interval(
        "groups",
        f"How the {name} differs between groups of '{column}', each against all others",
        column,
        [(one.value, one.difference, one.low, one.high) for one in shown],
        name,
    )


def _by_stratum(
    one: _Turned, inputs: _Inputs, overall: Slopes, y: Floats, strata: tuple[Ints, list[str]], name: str
) -> Figure:
    column = inputs.X[:, [one.place]]
    ends = [("all rows", float(overall.slope[one.place]), float(overall.error[one.place]))]
    for code, stratum in enumerate(strata[1]):
        rows = strata[0] == code
        if rows.sum() >= 10:
            inside = slopes(column[rows], y[rows])
            ends.append((stratum, float(inside.slope[0]), float(inside.error[0])))
    points = [
        (at, slope, slope - 1.96 * error, slope + 1.96 * error) for at, slope, error in ends if np.isfinite(error)
    ]
    title = f"{inputs.names[one.place]} and the {name}: over all rows, and within '{one.stratum}'"
    return _interval("paradox", title, one.stratum, points, name)


def _interval(key: str, title: str, column: str, points: list[tuple[str, float, float, float]], name: str) -> Figure:
    data: dict[str, list[Cell]] = {
        key: [point[place] for point in points] for place, key in enumerate(("value", "difference", "low", "high"))
    }
    labels = {"value": column, "difference": f"difference of the {name}"}
    return Figure(
        name=key,
        title=title,
        kind="interval",
        data=data,
        x="value",
        y=("difference",),
        low="low",
        high="high",
        labels=labels,
    )
