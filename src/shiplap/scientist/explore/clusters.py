"""Groups of rows that are alike, each with a plain description; or that there are none."""

from __future__ import annotations

import numpy as np

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure, Metric
from shiplap.methods.clusters import Clusters, Description, clusters_of, described
from shiplap.methods.mixed import KINDS
from shiplap.methods.part import Part
from shiplap.scientist.explore.view import View

__all__ = ["look_at_clusters"]

_FEWEST_ROWS, _MOST_COLUMNS, _SAID, _DESCRIBED_ROWS = 100, 60, 4, 10_000


def look_at_clusters(view: View) -> Part:
    """Look for groups among the columns without dates; the target takes no part."""
    names = [column.name for column in view.schema if column.kind in KINDS and column.kind != "date"][:_MOST_COLUMNS]
    if len(view.X) < _FEWEST_ROWS or len(names) < 2:
        return Part()
    X = view.X[names]
    clusters = clusters_of(X, seed=view.problem.brief.seed if view.problem else 0)
    metrics: dict[str, Metric] = {"n_clusters": clusters.count}
    if clusters.count == 1:
        return Part(findings=(_none(clusters),), metrics=metrics)
    some = np.linspace(0, len(X) - 1, min(len(X), _DESCRIBED_ROWS)).astype(np.int64)
    rules = [described(X.iloc[some], clusters.labels[some] == group) for group in range(clusters.count)]
    shares = np.bincount(clusters.labels, minlength=clusters.count) / len(X)
    return Part(
        findings=(_said(clusters, rules, [float(share) for share in shares]),),
        tables=(_table(clusters, rules),),
        figures=(_drawn(clusters, rules),),
        metrics=metrics | {"cluster_stability": round(clusters.stability, 4)},
    )


def _none(clusters: Clusters) -> Finding:
    why = "groups that were tried fall apart on half of the rows" if clusters.stability else "the rows are of one piece"
    return Finding(
        check="rows.clusters", verdict="good", means=f"no groups of rows: {why}", value=round(clusters.gap, 2)
    )


def _said(clusters: Clusters, rules: list[Description], shares: list[float]) -> Finding:
    told = [f"{share:.0%} with {rule.rule}" for share, rule in list(zip(shares, rules, strict=True))[:_SAID]]
    more = f"; and {clusters.count - _SAID} more" if clusters.count > _SAID else ""
    return Finding(
        check="rows.clusters",
        verdict="note",
        means=f"the rows fall into {clusters.count} groups: {'; '.join(told)}{more}",
        todo="see whether the groups need different treatment, and whether each has rows enough",
        columns=tuple(dict.fromkeys(name for rule in rules for name in rule.columns))[:5],
        value=clusters.count,
    )


def _table(clusters: Clusters, rules: list[Description]) -> DataTable:
    counts = np.bincount(clusters.labels, minlength=clusters.count)
    rows: list[tuple[Cell, ...]] = [
        (group + 1, int(counts[group]), rule.rule, round(rule.precision, 3), round(rule.coverage, 3))
        for group, rule in enumerate(rules)
    ]
    return DataTable(
        name="clusters",
        title=f"Groups of rows (learned again from half of the rows they agree by {clusters.stability:.2f} of 1)",
        columns=("group", "rows of the sample", "described by", "of these in the group", "of the group described"),
        rows=tuple(rows),
    )


def _drawn(clusters: Clusters, rules: list[Description]) -> Figure:
    counts = np.bincount(clusters.labels, minlength=clusters.count)
    return Figure(
        name="clusters",
        title=f"The rows fall into {clusters.count} groups",
        kind="bar",
        data={"group": [f"{group + 1}: {rule.rule}" for group, rule in enumerate(rules)], "rows": counts.tolist()},
        x="group",
        y=("rows",),
        labels={"group": "group", "rows": "rows of the sample"},
    )
