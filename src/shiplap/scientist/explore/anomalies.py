"""Rows that do not look like the rest, each with the columns that make it so."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control

from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure
from shiplap.methods.anomalies import Detector, Reason, reasons, tail_probability
from shiplap.methods.mixed import KINDS, mixed
from shiplap.methods.multiple import LEVEL
from shiplap.methods.part import Part
from shiplap.scientist.explore.view import View

__all__ = ["look_at_anomalies"]

_FEWEST_ROWS, _MOST_COLUMNS = 100, 200
_LISTED, _EXPLAINED = 15, 60
_TELLING, _MOST_NAMED = 0.15, 3


def look_at_anomalies(view: View) -> Part:
    """Find the rows that lie beyond the tail of the ordinary ones, and say by which columns.

    The target takes no part. Where there is no such row the oddest are listed all the same.
    """
    names = [column.name for column in view.schema if column.kind in KINDS][:_MOST_COLUMNS]
    encoded = mixed(view.X[names])
    if len(view.X) < _FEWEST_ROWS or len(encoded.names) < 2:
        return Part()
    seed = view.problem.brief.seed if view.problem else 0
    detector = Detector(encoded.matrix, seed=seed)
    oddness = detector.oddness(encoded.matrix)
    chance = tail_probability(oddness)
    order = np.argsort(-oddness, kind="stable")
    anomalous = int(
        (false_discovery_control(chance) <= LEVEL).sum()
    )  # rows, unlike columns, depend little on each other
    explained = reasons(view.X, encoded, detector, order[: min(max(anomalous, _LISTED), _EXPLAINED)], seed=seed)
    telling = [[reason for reason in row if reason.share >= _TELLING][:_MOST_NAMED] for row in explained]
    blamed = Counter(reason.column for row in telling[:anomalous] for reason in row)
    table = _table(telling[:_LISTED], oddness[order], chance[order], anomalous)
    return Part(
        findings=(_said(anomalous, len(view.X), blamed, telling[0]),),
        tables=(table,),
        figures=_drawn(blamed, min(anomalous, _EXPLAINED)),
        metrics={"n_anomalous_rows": anomalous},
    )


def _said(anomalous: int, n_rows: int, blamed: Counter[str], oddest: list[Reason]) -> Finding:
    if not anomalous:
        return Finding(
            check="rows.anomalous",
            verdict="good",
            means=f"no row of {n_rows:,} is odder than the tail of the ordinary rows explains",
            value=0,
        )
    columns = tuple(name for name, _ in blamed.most_common(3))
    rows, do = ("rows", "do") if anomalous > 1 else ("row", "does")
    return Finding(
        check="rows.anomalous",
        verdict="warn" if anomalous > n_rows / 100 else "note",
        means=f"{anomalous:,} {rows} of {n_rows:,} {do} not look like the rest, mostly by {_listed(columns)}; "
        f"the oddest has {_because(oddest)}",
        todo="see the table of the oddest rows: mend what is an error, tell apart what is another kind of case",
        columns=columns,
        value=anomalous,
    )


def _table(telling: list[list[Reason]], oddness: Any, chance: Any, anomalous: int) -> DataTable:
    rows = tuple(
        (place + 1, place < anomalous, float(f"{oddness[place]:.3g}"), float(f"{chance[place]:.2g}"), _because(row))
        for place, row in enumerate(telling)
    )
    return DataTable(
        name="anomalous_rows",
        title="The oddest rows and what makes them odd",
        columns=(
            "place",
            "anomalous",
            "oddness (2 is odder than nine in ten)",
            "chance for an ordinary row",
            "because",
        ),
        rows=rows,
    )


def _drawn(blamed: Counter[str], n_rows: int) -> tuple[Figure, ...]:
    if not blamed:
        return ()
    shown = blamed.most_common(20)
    return (
        Figure(
            name="anomalous_columns",
            title=f"Which columns make the {n_rows:,} oddest rows odd" if n_rows > 1 else "What makes the odd row odd",
            kind="bar",
            data={"column": [name for name, _ in shown], "rows": [count for _, count in shown]},
            x="column",
            y=("rows",),
            labels={"column": "column", "rows": "anomalous rows it has a part in"},
        ),
    )


def _because(row: list[Reason]) -> str:
    return "; ".join(f"{reason.column} = {_shown(reason.value)} (usual {_shown(reason.usual)})" for reason in row)


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
