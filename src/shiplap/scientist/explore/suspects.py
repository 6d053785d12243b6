"""Leak suspects of a table that is explored: what speaks against its columns, in words and in money."""

from __future__ import annotations

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.leaks import Evidence, looked_for
from shiplap.methods.question import Problem

__all__ = ["leak_figures", "leak_table", "suspects"]

_SHOWN = 20


def suspects(problem: Problem | None) -> Evidence:
    """Look for columns that know the answer too well; without a question none does."""
    if problem is None:
        return Evidence()
    found = looked_for(problem)
    if any(finding.verdict in ("fail", "warn") for finding in found.findings):
        return found
    means = "no column gives the answer away by the evidence here"
    none = Finding(check="leak.none", verdict="good", means=means)
    return Evidence((*found.findings, none), found.alone, found.missing, found.stakes, found.questions)


def leak_table(found: Evidence) -> DataTable:
    """List the suspects with the evidence, and what each would seem to bring where the brief has values."""
    rows: list[tuple[Cell, ...]] = []
    for finding in found.findings:
        if finding.check == "leak.none":
            continue
        stake = found.stakes.get(finding.columns[0]) if len(finding.columns) == 1 else None
        named = ", ".join(finding.columns) or "the order of the rows"
        cells = (named, finding.verdict, finding.check.removeprefix("leak."), finding.means)
        rows.append((*cells, None if stake is None else round(stake.value, 2)))
    headings = ("column", "verdict", "evidence", "what was seen", "money at stake per 1,000 decisions")
    return DataTable(name="leaks", title="Columns that may know the answer", columns=headings, rows=tuple(rows))


def leak_figures(found: Evidence, problem: Problem | None) -> tuple[Figure, ...]:
    """Draw what each column says alone, and what the suspects would seem to bring."""
    if problem is None:
        return ()
    what = "R squared" if problem.task == "regression" else "AUC"
    strong = sorted(found.alone, key=lambda name: (-found.alone[name], name))[:_SHOWN]
    alone = Figure(
        name="alone",
        title="What each column alone says of the target: one far above the others is worth a question",
        kind="bar",
        data={"column": list(strong), "score": [found.alone[name] for name in strong]},
        x="column",
        y=("score",),
        labels={"column": "column", "score": f"{what} alone, on rows it was not learned on"},
    )
    return (alone, _stakes(found, problem)) if found.stakes else (alone,)


def _stakes(found: Evidence, problem: Problem) -> Figure:
    return Figure(
        name="stakes",
        title="What the verdict would gain falsely by each suspect, with 95 % intervals",
        kind="interval",
        data={
            "column": list(found.stakes),
            "money": [stake.value for stake in found.stakes.values()],
            "low": [stake.low for stake in found.stakes.values()],
            "high": [stake.high for stake in found.stakes.values()],
        },
        x="column",
        y=("money",),
        low="low",
        high="high",
        labels={"column": "column", "money": f"{problem.unit} per 1,000 decisions"},
    )
