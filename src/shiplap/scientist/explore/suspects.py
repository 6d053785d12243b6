"""Leak suspects of a table that is explored: what speaks against its columns, in words and in money."""

from __future__ import annotations

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable
from shiplap.methods.leaks import Evidence, looked_for
from shiplap.methods.question import Problem

__all__ = ["leak_table", "suspects"]


def suspects(problem: Problem | None) -> Evidence:
    """Look for columns that know the answer too well; without a question none does."""
    if problem is None:
        return Evidence((), {}, {})
    found = looked_for(problem)
    return found if found.findings else Evidence((_none(),), found.alone, found.missing)


def _none() -> Finding:
    return Finding(check="leak.none", verdict="good", means="no column gives the answer away by the evidence here")


def leak_table(found: Evidence) -> DataTable:
    """List the suspects with the evidence."""
    rows: list[tuple[Cell, ...]] = [
        (", ".join(finding.columns) or "the rows", finding.verdict, finding.check.removeprefix("leak."), finding.means)
        for finding in found.findings
        if finding.check != "leak.none"
    ]
    headings = ("column", "verdict", "evidence", "what was seen")
    return DataTable(name="leaks", title="Columns that may know the answer", columns=headings, rows=tuple(rows))
