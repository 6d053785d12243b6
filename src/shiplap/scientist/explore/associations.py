"""Which columns go together, of whatever kinds: a map with related ones side by side, and a sentence a pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.association import Associations, Pair, associations
from shiplap.methods.multiple import LEVEL
from shiplap.methods.part import Part
from shiplap.scientist.explore.view import View

__all__ = ["look_at_associations"]

_MOST_COLUMNS, _MOST_DRAWN, _MOST_LISTED, _MOST_SAID = 150, 40, 30, 5
_SAME, _STRONG = 0.985, 0.3
_ONE_WAY = 0.6
"""Share of the strength that the ranks must explain before a pair is said to rise or fall together."""
_ORDERED = "fiubM"


def look_at_associations(view: View) -> Part:
    """Measure how strongly every two columns go together, and say the strongest pairs in words.

    The target takes part in the map and in the table; what it has to do with each column is for other looks to say.
    """
    X = _columns(view)
    if X.shape[1] < 2:
        return Part()
    found = associations(X)
    real = [pair for pair in found.pairs if pair.p <= LEVEL and pair.strength > 0]
    target = view.problem.brief.target if view.problem else ""
    same = [pair for pair in real if pair.strength >= _SAME and target not in (pair.first, pair.second)]
    telling = [pair for pair in real if pair.strength < _SAME]
    strong = [pair for pair in telling if pair.strength >= _STRONG and target not in (pair.first, pair.second)]
    return Part(
        findings=(*_said(strong, X, tested=len(found.pairs)), *_repeated(same)),
        tables=_table([*telling, *same], X) if real else (),
        figures=_map(found) if real else (),
        metrics={"n_associated_pairs": len(real), "n_tested_pairs": len(found.pairs)},
    )


def _columns(view: View) -> pd.DataFrame:
    """Take what can go together: not what names a row or never varies; of free text its length."""
    chosen: dict[str, pd.Series] = {}
    for column in view.schema:
        if column.kind == "text":
            chosen[f"length of {column.name}"] = view.X[column.name].str.len().astype(np.float64)
        elif column.kind in ("number", "boolean", "category", "date"):
            chosen[column.name] = view.X[column.name]
    chosen = dict(list(chosen.items())[:_MOST_COLUMNS])
    if view.problem is not None and view.y is not None:
        regression = view.problem.task == "regression"
        labels = view.y if regression else np.array([str(name) for name in view.problem.classes], object)[view.y]
        chosen[view.problem.brief.target] = pd.Series(labels, index=view.X.index)
    return pd.DataFrame(chosen)


def _said(strong: list[Pair], X: pd.DataFrame, *, tested: int) -> list[Finding]:
    if not tested:
        return []
    if not strong:
        means = f"no two columns go together strongly ({_STRONG:g} or more of 1); {tested:,} pairs were tested"
        return [Finding(check="association.none", verdict="good", means=means, limit=_STRONG)]
    return [
        Finding(
            check="association.strong",
            verdict="note",
            means=f"{_sentence(pair, X)} (strength {pair.strength:.2f} of 1)",
            todo="read the importance of the two together: either can stand in for the other",
            columns=(pair.first, pair.second),
            value=round(pair.strength, 4),
            limit=_STRONG,
        )
        for pair in _spread(strong)[:_MOST_SAID]
    ]


def _spread(pairs: list[Pair]) -> list[Pair]:
    """Take each column once, so that one family of related columns does not fill the list."""
    taken: set[str] = set()
    kept = []
    for pair in pairs:
        if not {pair.first, pair.second} & taken:
            kept.append(pair)
            taken |= {pair.first, pair.second}
    return kept


def _repeated(same: list[Pair]) -> list[Finding]:
    if not same:
        return []
    shown = ", ".join(f"'{pair.first}' and '{pair.second}'" for pair in same[:_MOST_SAID])
    more = f" and {len(same) - _MOST_SAID} more" if len(same) > _MOST_SAID else ""
    return [
        Finding(
            check="association.same",
            verdict="note",
            means=f"of these pairs one column all but follows from the other: {shown}{more}",
            todo="copies, parts of one another or two names of one thing: one of each pair is enough",
            columns=tuple(dict.fromkeys(name for pair in same for name in (pair.first, pair.second))),
            value=len(same),
        )
    ]


def _table(pairs: list[Pair], X: pd.DataFrame) -> tuple[DataTable, ...]:
    rows: list[tuple[Cell, ...]] = [
        (pair.first, pair.second, round(pair.strength, 3), pair.p, pair.rows, _sentence(pair, X))
        for pair in pairs[:_MOST_LISTED]
    ]
    headings = ("column", "other column", "strength (0 to 1)", "corrected p", "rows", "in words")
    return (DataTable(name="associations", title="Columns that go together", columns=headings, rows=tuple(rows)),)


def _map(found: Associations) -> tuple[Figure, ...]:
    order = found.clustered()
    if len(order) > _MOST_DRAWN:
        others = np.nan_to_num(found.strength - np.eye(len(order)))
        drawn = set(np.argsort(-others.max(axis=0), kind="stable")[:_MOST_DRAWN].tolist())
        order = [index for index in order if index in drawn]
    cells = [(found.names[a], found.names[b], found.strength[a, b]) for a in order for b in order]
    data: dict[str, list[Cell]] = {
        "column": [first for first, _, _ in cells],
        "other": [second for _, second, _ in cells],
        "strength": [None if np.isnan(value) else round(float(value), 3) for _, _, value in cells],
    }
    return (
        Figure(
            name="associations",
            title="Related columns lie together: how strongly each two go together",
            kind="heatmap",
            data=data,
            x="column",
            y=("other", "strength"),
            labels={"column": "column", "other": "column", "strength": "strength, 0 to 1"},
        ),
    )


def _sentence(pair: Pair, X: pd.DataFrame) -> str:
    first, second = X[pair.first], X[pair.second]
    known = (first.notna() & second.notna()).to_numpy()
    first, second = first[known], second[known]
    if pair.strength >= _SAME:
        return f"'{pair.first}' and '{pair.second}' say the same: one all but follows from the other"
    ordered = [column.dtype.kind in _ORDERED for column in (first, second)]
    if all(ordered):
        return _of_numbers(pair, first, second)
    if any(ordered):
        return _of_groups(first, second) if ordered[0] else _of_groups(second, first)
    return _of_categories(first, second)


def _of_numbers(pair: Pair, first: pd.Series, second: pd.Series) -> str:
    ranks = float(spearmanr(first.rank(), second.rank()).statistic)
    if abs(ranks) < _ONE_WAY * pair.strength:
        return f"'{pair.first}' and '{pair.second}' go together, but not in one direction"
    return f"'{pair.first}' {'rises' if ranks > 0 else 'falls'} as '{pair.second}' rises"


def _of_groups(numbers: pd.Series, groups: pd.Series) -> str:
    """Name the groups where a number is highest and lowest, among those with rows enough to say it."""
    rows = groups.value_counts()
    common = rows.index[rows >= max(10, 0.01 * len(groups))]
    if numbers.dtype.kind == "M":
        return f"'{numbers.name}' differs between the values of '{groups.name}'"
    middles = numbers.groupby(groups).mean().loc[common].sort_values(kind="stable")
    if len(middles) < 2:
        return f"'{numbers.name}' differs between the values of '{groups.name}'"
    ends = [f"'{middles.index[end]}' (mean {middles.iloc[end]:,.4g})" for end in (-1, 0)]
    return f"'{numbers.name}' is highest where '{groups.name}' is {ends[0]}, lowest where it is {ends[1]}"


def _of_categories(first: pd.Series, second: pd.Series) -> str:
    """Name the two values that meet on the most rows beyond chance."""
    counts = pd.crosstab(first.to_numpy(), second.to_numpy())
    seen = counts.to_numpy(np.float64)
    rows, columns = seen.sum(axis=1), seen.sum(axis=0)
    expected = np.outer(rows, columns) / seen.sum()
    a, b = (int(place) for place in np.unravel_index(int(np.argmax(seen - expected)), seen.shape))
    with_it, overall = seen[a, b] / rows[a], columns[b] / seen.sum()
    return (
        f"where '{first.name}' is '{counts.index[a]}', '{second.name}' is '{counts.columns[b]}' on {with_it:.0%} "
        f"of the rows, against {overall:.0%} of all"
    )
