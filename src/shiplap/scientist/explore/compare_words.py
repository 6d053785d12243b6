"""What a reader of a comparison sees: sentences, a ranked table, the two distributions of what changed most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.comparison import Change
from shiplap.methods.multiple import LEVEL
from shiplap.methods.tally import Tally
from shiplap.methods.telling import Relation, Telling
from shiplap.scientist.explore.pairing import Both, Paired

__all__ = ["Compared", "figures", "findings", "tables"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_LARGE = 0.1
_TOLD = 0.53
_MOST_SAID, _MOST_DRAWN, _MOST_RANKED, _MOST_BARS, _MOST_NAMED = 10, 6, 20, 12, 5


@dataclass(frozen=True)
class Compared:
    """One column of both tables.

    Parameters
    ----------
    pair : Paired
        The column.
    tally : Tally
        Its counts.
    change : Change
        What they say.
    p : float or None
        p-value, corrected for everything that the comparison tests; None where it was set aside.
    middles : tuple of float or None
        Median of each table, of sampled numbers.
    """

    pair: Paired
    tally: Tally
    change: Change
    p: float | None
    middles: tuple[float, float] | None

    matters: ClassVar[float] = 0.02
    """Smallest change that is said: two rows of a hundred would have to change their value."""

    @property
    def is_sure(self) -> bool:
        """Whether chance is ruled out at the level of the report."""
        return self.p is not None and self.p <= LEVEL

    @property
    def is_said(self) -> bool:
        """Whether it is sure and large enough to matter."""
        return self.is_sure and self.change.size >= self.matters


def findings(
    both: Both,
    found: list[Compared],
    telling: Telling | None,
    relation: Relation | None,
    p: tuple[float, float],
    target: str,
) -> list[Finding]:
    """Say what changed, gravest first: columns, values, how well a model tells, what the target means."""
    said = [one for one in found if one.is_said]
    return [
        *_columns(both),
        *(_changed(both, one) for one in said[:_MOST_SAID]),
        *(_unchanged(found) if not said else []),
        *_told(both, telling, p[0]),
        *_answers(both, relation, p[1], target),
        *_set_aside(both, found),
    ]


def _columns(both: Both) -> list[Finding]:
    first, second = both.labels
    found = []
    if both.gone:
        means = f"'{second}' lacks {_named(both.gone)}, which '{first}' has"
        todo = "a model that was learned with it cannot be asked"
        found.append(Finding(check="compare.gone", verdict="warn", means=means, todo=todo, columns=both.gone))
    if both.new:
        means = f"'{second}' has {_named(both.new)}, which '{first}' lacks"
        found.append(Finding(check="compare.new", verdict="note", means=means, columns=both.new))
    for ours, theirs in both.turned:
        means = f"'{ours.name}' holds {_kind(ours.kind)} in '{first}' and {_kind(theirs.kind)} in '{second}'"
        todo = "see how it is written; state kind= for it if both mean the same"
        found.append(Finding(check="compare.kind", verdict="warn", means=means, todo=todo, columns=(ours.name,)))
    return found


def _changed(both: Both, one: Compared) -> Finding:
    large = one.change.size >= _LARGE
    return Finding(
        check="compare.changed",
        verdict="warn" if large else "note",
        means=f"'{one.pair.name}' changed on {one.change.size:.1%} of the rows: {_said(both, one)}",
        todo="find out why; what was learned from it may not hold" if large else "",
        columns=(one.pair.name,),
        value=round(one.change.size, 4),
        limit=one.matters,
    )


def _unchanged(found: list[Compared]) -> list[Finding]:
    tested = sum(one.p is not None for one in found)
    small = sum(one.is_sure for one in found)
    more = f"; {small} changed surely, but by less" if small else ""
    means = f"no column of {tested} changed on {Compared.matters:.0%} of the rows or more{more}"
    return [Finding(check="compare.same", verdict="good", means=means, limit=Compared.matters)] if tested else []


def _told(both: Both, telling: Telling | None, p: float) -> list[Finding]:
    if telling is None:
        return []
    auc = telling.auc
    shown = f"AUC {auc.value:.3f}, {auc.low:.3f} to {auc.high:.3f}; 0.5 is chance"
    if p > LEVEL or auc.value < _TOLD:
        means = f"no model tells '{both.labels[0]}' from '{both.labels[1]}' to speak of ({shown})"
        return [Finding(check="compare.told_apart", verdict="good", means=means, value=auc.value, limit=_TOLD)]
    names = tuple(name for name, loss in telling.loss.items() if loss > 0)[:_MOST_NAMED]
    by = f", mostly by {_named(names)}" if names else ""
    return [
        Finding(
            check="compare.told_apart",
            verdict="warn" if auc.value >= 0.5 + _LARGE / 2 else "note",
            means=f"a model tells '{both.labels[0]}' from '{both.labels[1]}'{by} ({shown})",
            todo="what is learned on one need not hold on the other: judge models on both",
            columns=names,
            value=auc.value,
            limit=_TOLD,
        )
    ]


def _answers(both: Both, relation: Relation | None, p: float, target: str) -> list[Finding]:
    if relation is None:
        return []
    change = relation.change
    shown = f"{change.value:+.3g} ({change.low:+.3g} to {change.high:+.3g})"
    if p > LEVEL:
        means = f"the same inputs mean the same answer as far as can be seen: {target} at equal inputs {shown}"
        return [Finding(check="compare.relation", verdict="good", means=means, value=change.value)]
    by = f", most clearly by '{relation.column}'" if relation.column else ""
    return [
        Finding(
            check="compare.relation",
            verdict="warn",
            means=f"the same inputs mean another answer in '{both.labels[1]}'{by}: {target} at equal inputs {shown}",
            todo="a model of the first table is out of date for the second: learn again, on newer rows",
            columns=(relation.column,) if relation.column else (),
            value=change.value,
        )
    ]


def _set_aside(both: Both, found: list[Compared]) -> list[Finding]:
    names = tuple(one.pair.name for one in found if one.p is None)
    if not names:
        return []
    means = (
        f"{_named(names)} share no values between '{both.labels[0]}' and '{both.labels[1]}', as a date or batch does"
    )
    todo = "it was left out of the tests; if it should overlap, this is the change"
    return [Finding(check="compare.apart", verdict="note", means=means, todo=todo, columns=names)]


def tables(both: Both, found: list[Compared]) -> tuple[DataTable, ...]:
    """List every column, what changed surely first and the largest change on top."""
    first, second = both.labels
    rows: list[tuple[Cell, ...]] = [
        (
            one.pair.name,
            one.pair.form,
            round(one.change.size, 4),
            one.p,
            round(one.change.missing[0], 5),
            round(one.change.missing[1], 5),
            round(one.change.unseen, 5),
            _said(both, one),
        )
        for one in found
    ]
    headings = (
        *("column", "compared as", "share of rows changed", "corrected p"),
        *(f"missing in {first}", f"missing in {second}", f"unseen in {first}", "what changed"),
    )
    return (DataTable(name="changes", title="What changed, column by column", columns=headings, rows=tuple(rows)),)


def figures(both: Both, found: list[Compared], telling: Telling | None, p: float) -> tuple[Figure, ...]:
    """Draw the ranking, the columns by which a model tells, and the distributions of what changed most."""
    said = [one for one in found if one.is_said]
    drawn = [_distribution(both, one) for one in said[:_MOST_DRAWN]]
    if said:
        ranked = said[:_MOST_RANKED]
        title = "What changed most: share of the rows that would have to change their value"
        drawn.insert(0, _bars("changes", title, {one.pair.name: one.change.size for one in ranked}, "share of rows"))
    if telling is not None and p <= LEVEL and telling.loss:
        telltale = {name: loss for name, loss in list(telling.loss.items())[:_MOST_RANKED] if loss > 0}
        title = "By which columns a model tells the tables apart: loss of AUC when one is shuffled"
        drawn.append(_bars("told_apart", title, telltale, "loss of AUC"))
    return tuple(drawn)


def _bars(name: str, title: str, values: dict[str, float], label: str) -> Figure:
    data: dict[str, list[Cell]] = {"column": list(values), "value": [round(value, 4) for value in values.values()]}
    labels = {"column": "column", "value": label}
    return Figure(name=name, title=title, kind="bar", data=data, x="column", y=("value",), labels=labels)


def _distribution(both: Both, one: Compared) -> Figure:
    names, first, second = list(one.tally.names), one.tally.first, one.tally.second
    if len(names) > _MOST_BARS and not one.tally.ends:
        kept = np.sort(np.argsort(-np.abs(_shares(first) - _shares(second)), kind="stable")[:_MOST_BARS])
        rest = np.setdiff1d(np.arange(len(names)), kept)
        names = [*(names[index] for index in kept), "all others"]
        first, second = (np.append(side[kept], side[rest].sum()) for side in (first, second))
    sides = [np.append(side, gone) for side, gone in zip((first, second), one.tally.missing, strict=True)]
    names = [*names, "missing"]
    shown = [index for index in range(len(names)) if sides[0][index] or sides[1][index]]
    data: dict[str, list[Cell]] = {
        "value": [names[index] for index in shown],
        "first": [float(_shares(sides[0])[index]) for index in shown],
        "second": [float(_shares(sides[1])[index]) for index in shown],
    }
    called = f"length of {one.pair.name}" if one.pair.form == "length" else one.pair.name
    return Figure(
        name=f"change.{one.pair.name}",
        title=f"'{one.pair.name}' in both tables: {_said(both, one)}",
        kind="bar",
        data=data,
        x="value",
        y=("first", "second"),
        labels={"value": called, "first": both.labels[0], "second": both.labels[1]},
    )


def _said(both: Both, one: Compared) -> str:
    """Put into words what changed most in one column."""
    change, tally = one.change, one.tally
    first, second = both.labels
    if abs(change.missing[1] - change.missing[0]) >= max(0.001, change.size / 2):
        return f"missing on {change.missing[0]:.1%} of {first}, on {change.missing[1]:.1%} of {second}"
    unseen = f"; {change.unseen:.1%} of {second} lies where {first} has nothing" if change.unseen >= 0.001 else ""
    if one.pair.form == "date":
        spans = [f"{column.low} to {column.high}" for column in one.pair.columns]
        return f"{spans[0]} in {first}, {spans[1]} in {second}"
    if not len(tally.names):
        return "no values"
    shares = _shares(tally.first), _shares(tally.second)
    if tally.ends:
        return _cut(both, one, *shares) + unseen
    most = int(np.argmax(np.abs(shares[1] - shares[0])))
    if abs(shares[1][most] - shares[0][most]) < change.size / _MOST_NAMED:
        return f"its {len(tally.names):,} values are as common no more as they were{unseen}"
    return f"'{tally.names[most]}' on {shares[0][most]:.1%} of {first}, on {shares[1][most]:.1%} of {second}{unseen}"


def _cut(both: Both, one: Compared, before: Floats, after: Floats) -> str:
    """Name the cut, or where the middle moved against both ends the bin, that differs most."""
    first, second = both.labels
    length = "length " if one.pair.form == "length" else ""
    middles = f" (median {one.middles[0]:,.5g} and {one.middles[1]:,.5g})" if one.middles else ""
    above = 1 - np.cumsum(before)[:-1], 1 - np.cumsum(after)[:-1]
    cut = int(np.argmax(np.abs(above[1] - above[0])))
    if abs(above[1][cut] - above[0][cut]) >= one.change.size / 2:
        shares, where = (above[0][cut], above[1][cut]), f"above {one.tally.ends[cut]}"
    else:
        place = int(np.argmax(np.abs(after - before)))
        shares, where = (before[place], after[place]), f"'{one.tally.names[place]}'"
    return f"{length}{where} on {shares[0]:.1%} of {first}, on {shares[1]:.1%} of {second}{middles}"


def _shares(counts: Ints) -> Floats:
    return np.asarray(counts / max(1, counts.sum()), np.float64)


def _named(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    shown = quoted[:_MOST_NAMED]
    if len(quoted) > _MOST_NAMED:
        return f"{', '.join(shown)} and {len(quoted) - _MOST_NAMED} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _kind(kind: str) -> str:
    plural = {"number": "numbers", "boolean": "yes or no", "category": "categories", "date": "dates", "text": "text"}
    return plural.get(kind, "one value")
