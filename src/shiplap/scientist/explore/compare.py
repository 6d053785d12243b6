"""Two tables against each other: what changed, how much, how surely, and whether the target still means the same.

Every p-value of a comparison is corrected together with all others, so the share of false findings is held over the
whole report. What is sure but smaller than `MATTERS` is listed and not said: with rows enough, everything is sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.adapters.frames import resolve_target
from shiplap.core.brief import Brief
from shiplap.core.progress import tell
from shiplap.core.report import Metric, Report
from shiplap.core.table import Table
from shiplap.methods.comparison import Change, change_of
from shiplap.methods.multiple import LEVEL, corrected
from shiplap.methods.tally import Tally, tally_numbers, tally_values
from shiplap.methods.telling import Relation, Telling, relation_changed, tell_apart
from shiplap.scientist.explore.compare_words import Compared, figures, findings, tables
from shiplap.scientist.explore.pairing import Both, Paired, both_of, sample_of

__all__ = ["compare"]

Mask: TypeAlias = npt.NDArray[np.bool_]
_DISJOINT = 0.98
_FEWEST_ROWS = 100
_FEW_VALUES = 20


@dataclass(frozen=True)
class _Asked:
    """The target on sampled rows, where it is known in both tables."""

    rows: Mask
    y: npt.NDArray[Any]
    name: str


def compare(first: Table, second: Table, brief: Brief) -> Report:
    """Say what changed from one table to another.

    Parameters
    ----------
    first, second : Table
        Train and test, last month and this month, real and synthetic.
    brief : Brief
        Private columns, and a target where its relation to the inputs is to be compared.

    Returns
    -------
    Report
        ``verdict`` is ``changed`` or ``same``. One finding a column that changed surely and by more than the smallest
        size that matters, largest first; tables ``changes``; figures ``changes``, ``told_apart`` and
        ``change.<column>``. Metrics ``auc`` (how well a model tells the tables apart; 0.5 is not at all),
        ``n_changed``, ``n_tested``, ``level``, ``smallest_size``.
    """
    both = both_of(first, second, hidden=_hidden(brief))
    tell("sampling both tables", 0.2)
    X, origin, y = sample_of(both, brief)
    tell("counting both tables", 0.3)
    tallies = {one.name: _tally(both, one, X, origin) for one in both.paired}
    changes = {name: change_of(tally) for name, tally in tallies.items()}
    apart = {one.name for one in both.paired if _says_which(one, changes[one.name])}
    told = [one.name for one in both.paired if one.form != "date" and one.name not in apart]
    inputs = [name for name in told if name not in _asked_of(both, brief)]
    telling, relation, asked = None, None, _asked(y, X, origin, brief)
    if inputs and min(np.bincount(origin, minlength=2)) >= _FEWEST_ROWS:
        tell("telling the tables apart", 0.5)
        telling = tell_apart(X[inputs], origin, seed=brief.seed)
        tell("comparing what the target means", 0.8)
        relation = _relation(X[inputs], origin, telling, asked, brief.seed) if asked else None
    names = [one.name for one in both.paired if one.name not in apart]
    p = [changes[name].p for name in names]
    p += [np.nan if telling is None else telling.p, np.nan if relation is None else relation.p]
    right = corrected(np.array(p))
    sure = dict(zip(names, right[:-2].tolist(), strict=True))
    found = [
        Compared(one, tallies[one.name], changes[one.name], sure.get(one.name), _middles(X[one.name], origin, one))
        for one in both.paired
    ]
    found.sort(key=lambda one: (one.p is None, not one.is_sure, -one.change.size, one.pair.name))
    sureness = (float(right[-2]), float(right[-1]))
    said = findings(both, found, telling, relation, sureness, asked.name if asked else "")
    return Report(
        verb="explore",
        title=f"What changed from '{both.labels[0]}' to '{both.labels[1]}'",
        verdict="changed" if any(finding.verdict in ("warn", "note") for finding in said) else "same",
        findings=tuple(said),
        tables=tables(both, found),
        figures=figures(both, found, telling, sureness[0]),
        metrics=_metrics(both, found, telling, relation, sureness),
    )


def _hidden(brief: Brief) -> frozenset[str]:
    """Columns that are private, or only name a row."""
    return frozenset((*brief.private, *brief.id, *(name for name, known in brief.columns.items() if known.private)))


def _asked_of(both: Both, brief: Brief) -> set[str]:
    """Columns that the target is made from."""
    if not brief.target:
        return set()
    return set(resolve_target(both.tables[0], brief.target).columns)


def _tally(both: Both, one: Paired, X: pd.DataFrame, origin: Mask) -> Tally:
    if one.form == "words":
        return tally_values(both.tables, one.sql)
    samples = (X.loc[~origin, one.name], X.loc[origin, one.name])
    ranged = one.columns if one.form == "number" else None
    return tally_numbers(both.tables, one.sql, samples, ranged)


def _says_which(one: Paired, change: Change) -> bool:
    """Tell whether a column says by itself which table a row is from, as a date or a batch number does."""
    first, second = one.columns
    if one.form == "date" and all(isinstance(end, str) for end in (first.high, second.high)):
        return str(first.high) < str(second.low) or str(second.high) < str(first.low)
    return change.size >= _DISJOINT and max(change.missing) < 1


def _asked(y: npt.NDArray[Any] | None, X: pd.DataFrame, origin: Mask, brief: Brief) -> _Asked | None:
    if y is None:
        return None
    known = ~pd.isna(y)
    if min(np.bincount(origin[known], minlength=2)) < _FEWEST_ROWS:
        return None
    values = y[known]
    if values.dtype.kind == "f" and (brief.task == "regression" or len(np.unique(values)) > _FEW_VALUES):
        return _Asked(known, values.astype(np.float64), f"mean of '{brief.target}'")
    classes, codes = np.unique(values.astype(str) if values.dtype.kind == "O" else values, return_inverse=True)
    if len(classes) < 2 or np.bincount(codes).min() < 5:
        return None
    name = f"share of '{brief.target}'" if len(classes) == 2 else f"shares of the classes of '{brief.target}'"
    return _Asked(known, codes.astype(np.int64), name)


def _relation(X: pd.DataFrame, origin: Mask, telling: Telling, asked: _Asked, seed: int) -> Relation:
    return relation_changed(
        X[asked.rows].reset_index(drop=True), asked.y, origin[asked.rows], telling.share[asked.rows], seed=seed
    )


def _middles(column: pd.Series, origin: Mask, one: Paired) -> tuple[float, float] | None:
    if one.form not in ("number", "length"):
        return None
    values = column.to_numpy(np.float64)
    good = np.isfinite(values)
    sides = [values[good & side] for side in (~origin, origin)]
    if not all(len(side) for side in sides):
        return None
    return float(np.median(sides[0])), float(np.median(sides[1]))


def _metrics(
    both: Both, found: list[Compared], telling: Telling | None, relation: Relation | None, p: tuple[float, float]
) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {
        "n_rows_first": both.tables[0].n_rows,
        "n_rows_second": both.tables[1].n_rows,
        "n_tested": sum(one.p is not None for one in found),
        "n_changed": sum(one.is_said for one in found),
        "level": LEVEL,
        "smallest_size": Compared.matters,
    }
    if telling is not None:
        metrics |= {"auc": telling.auc.value, "auc_low": telling.auc.low, "auc_high": telling.auc.high, "auc_p": p[0]}
    if relation is not None:
        metrics |= {
            "relation_change": relation.change.value,
            "relation_low": relation.change.low,
            "relation_high": relation.change.high,
            "relation_p": p[1],
        }
    return metrics
