"""The state of the table: repeated rows, columns that say the same, gaps, extremes, change over time."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.finding import Finding
from shiplap.methods.bins import binned, total_variation
from shiplap.scientist.explore.profile import Profile
from shiplap.scientist.explore.profile.findings import column_findings
from shiplap.scientist.explore.view import View

__all__ = ["change_over_time", "quality"]

_FEWEST_DATED = 100


def quality(view: View) -> list[Finding]:
    """Find what is wrong with the table and its columns, and say when nothing repeats."""
    single = column_findings(view.profile, view.sample)
    return [
        _repeated(view.profile),
        *(_left_out(view.profile) if view.problem is None else ()),
        *single,
        *_same_columns(view),
    ]


def _repeated(profile: Profile) -> Finding:
    if not profile.n_duplicates:
        return Finding(check="rows.duplicates", verdict="good", means="no row repeats another", value=0)
    share = profile.n_duplicates / max(1, profile.n_rows)
    return Finding(
        check="rows.duplicates",
        verdict="warn" if share > 0.01 else "note",
        means=f"{profile.n_duplicates:,} rows ({share:.1%}) repeat an earlier one in every column",
        todo="drop them if they are copies: the same row to learn from and to be judged on flatters",
        value=profile.n_duplicates,
    )


def _left_out(profile: Profile) -> list[Finding]:
    """Name the columns from which nothing can be learned; where there is a question, posing it says so."""
    found = []
    for column in profile.columns:
        kind = column.column.kind
        if kind == "constant":
            value = f"always '{column.values[0].shown}'" if column.values else "always missing"
            found.append(
                Finding(
                    check="column.constant", verdict="note", means=f"'{column.name}' is {value}", columns=(column.name,)
                )
            )
        if kind == "id":
            means = f"'{column.name}' names the rows: almost no value stands twice"
            found.append(Finding(check="column.identifier", verdict="note", means=means, columns=(column.name,)))
    return found


def _same_columns(view: View) -> list[Finding]:
    numbers = [column.name for column in view.schema if column.kind in ("number", "boolean")]
    texts = [column.name for column in view.schema if column.kind == "category"]
    same = [pair for pair in _correlated(view.X[numbers]) if _equal_order(view.X, pair)]
    codes = {name: pd.factorize(view.X[name], use_na_sentinel=False)[0] for name in texts[:60]}
    same += [pair for pair in combinations(codes, 2) if _one_to_one(codes[pair[0]], codes[pair[1]])]
    return [
        Finding(
            check="column.same",
            verdict="note",
            means=f"'{first}' and '{second}' say the same",
            todo=f"drop=['{second}'] loses nothing",
            columns=(first, second),
        )
        for first, second in same
    ]


def _correlated(numbers: pd.DataFrame) -> list[tuple[str, str]]:
    """Find pairs worth a closer look, with gaps filled by the mean."""
    values = numbers.to_numpy()
    filled = np.where(np.isnan(values), numbers.mean().to_numpy(), values)
    names = [str(name) for name, spread in zip(numbers.columns, filled.std(axis=0), strict=True) if spread > 0]
    if len(names) < 2:
        return []
    related = np.abs(np.corrcoef(filled[:, filled.std(axis=0) > 0].T))
    return [(names[a], names[b]) for a, b in combinations(range(len(names)), 2) if related[a, b] > 0.99]


def _equal_order(X: pd.DataFrame, pair: tuple[str, str]) -> bool:
    known = X[list(pair)].dropna().to_numpy()
    if len(known) < max(50, 0.9 * X[pair[0]].notna().sum(), 0.9 * X[pair[1]].notna().sum()):
        return False
    if np.any(known.std(axis=0) == 0):
        return False
    return bool(abs(np.corrcoef(known.T)[0, 1]) > 1 - 1e-9)


def _one_to_one(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> bool:
    width = int(second.max()) + 1
    pairs = len(np.unique(first * width + second))
    return pairs > 1 and pairs == int(first.max()) + 1 == width


def change_over_time(view: View) -> dict[str, float]:
    """Measure how far each column's first fifth in time lies from its last: total variation over bins, 0 to 1."""
    if view.time is None or len(view.time) < _FEWEST_DATED:
        return {}
    order = np.argsort(view.time, kind="stable")
    fifth = len(order) // 5
    changes = {}
    for column in view.schema:
        if column.kind == "date":
            continue
        codes, names = binned(view.X[column.name], bins=10)
        changes[column.name] = total_variation(codes[order[:fifth]], codes[order[-fifth:]], len(names))
    return changes
