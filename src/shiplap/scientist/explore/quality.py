"""The state of the table: repeated rows, columns that say the same, gaps, extremes, change over time."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.finding import Finding
from shiplap.methods.bins import binned, total_variation
from shiplap.scientist.explore.view import Counts, View

__all__ = ["change_over_time", "quality"]

_FENCE = 10.0
_FEWEST_DATED = 100


def quality(view: View, counts: Counts, duplicates: int) -> list[Finding]:
    """Find what is wrong with the table, and say when nothing is.

    Parameters
    ----------
    view : View
        The sample.
    counts : dict of str to Missing
        Missing values over all rows.
    duplicates : int
        Rows that repeat an earlier one.
    """
    return [_repeated(view, duplicates), *_gaps(view, counts), *_same_columns(view), *_extremes(view)]


def _repeated(view: View, duplicates: int) -> Finding:
    if not duplicates:
        return Finding(check="rows.duplicates", verdict="good", means="no row repeats another", value=0)
    share = duplicates / max(1, view.table.n_rows)
    return Finding(
        check="rows.duplicates",
        verdict="warn" if share > 0.01 else "note",
        means=f"{duplicates:,} rows ({share:.1%}) repeat an earlier one in every column",
        todo="drop them if they are copies: the same row to learn from and to be judged on flatters",
        value=duplicates,
    )


def _gaps(view: View, counts: Counts) -> list[Finding]:
    found = []
    for name, count in counts.items():
        share = (count.labelled + count.unlabelled) / max(1, view.table.n_rows)
        if share > 0.5:
            means = f"'{name}' is missing on {share:.0%} of the rows"
            found.append(Finding(check="column.missing", verdict="note", means=means, columns=(name,), value=share))
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


def _extremes(view: View) -> list[Finding]:
    found = []
    for column in view.schema:
        if column.kind != "number":
            continue
        values = view.X[column.name].dropna().to_numpy()
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75]) if len(values) else (0.0, 0.0, 0.0)
        fence = _FENCE * (high - low)
        far = values[np.abs(values - middle) > fence] if fence > 0 else values[:0]
        if 0 < len(far) <= 0.001 * len(values):
            means = f"'{column.name}' has {len(far)} values of {len(values):,} far out, e.g. {far[0]:,.6g}"
            todo = "see whether they are errors or codes for missing"
            found.append(
                Finding(check="column.extreme", verdict="note", means=means, todo=todo, columns=(column.name,))
            )
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
