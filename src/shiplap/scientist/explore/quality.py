"""The state of the table: repeated rows, columns that say the same, gaps, extremes, change over time."""

from __future__ import annotations

import numpy as np

from shiplap.core.finding import Finding
from shiplap.methods.bins import binned, total_variation
from shiplap.scientist.explore.profile import Profile
from shiplap.scientist.explore.profile.findings import column_findings
from shiplap.scientist.explore.twins import same_columns
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
        *same_columns(view),
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
