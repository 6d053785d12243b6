"""Leaks that would flatter the verdict: columns that know the answer, rows that know each other."""

from __future__ import annotations

import msgspec

from shiplap.core.finding import Finding
from shiplap.core.report import Figure
from shiplap.methods.leaks import Between, between_rows, looked_for
from shiplap.methods.part import Part
from shiplap.methods.policies import has_money
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant, Measured, best_learned, best_simple
from shiplap.methods.splits import Split

__all__ = ["column_leaks", "row_leaks"]


def column_leaks(problem: Problem) -> Part:
    """Say which columns know the answer, what the verdict would gain by each, and what only the user can tell."""
    found = looked_for(problem)
    return Part(findings=found.findings, tables=(found.questions,) if found.questions else ())


def row_leaks(problem: Problem, split: Split, entrants: list[Entrant]) -> Part:
    """Say what the split lets test rows know of train rows, and what the gain is without it."""
    found = between_rows(problem, split)
    said = [_with_gain(problem, split, entrants, found, finding) for finding in found.findings]
    if not said:
        means = "no row on one side of the split gives away one on the other, by the evidence here"
        said = [Finding(check="leak.no_overlap", verdict="good", means=means, value=found.twins.share)]
    figures = (_figure(found),) if found.overlaps else ()
    return Part(findings=tuple(said), figures=figures, metrics={"share_of_twins": found.twins.share})


def _with_gain(problem: Problem, split: Split, entrants: list[Entrant], found: Between, finding: Finding) -> Finding:
    """Add to the finding on copies what the gain is on the test rows without one."""
    alone = found.twins.rows[~found.twins.twin]
    if finding.check != "leak.duplicates" or finding.verdict != "warn" or len(alone) < 2:
        return finding
    pair = [best_learned(entrants).rows, best_simple(problem, entrants).rows]
    gains = [
        Measured(problem, split.test[rows], [brought[rows] for brought in pair]).gain(0, [1])
        for rows in (found.twins.rows, alone)
    ]
    unit = f" {problem.unit} per 1,000 decisions" if has_money(problem) else ""
    means = f"{finding.means}; without them the gain is {gains[1]} instead of {gains[0]}{unit}"
    return msgspec.structs.replace(finding, means=means)


def _figure(found: Between) -> Figure:
    gaps = [overlap.gap.skill for overlap in found.overlaps]
    return Figure(
        name="overlap",
        title="What a model gains from rows of the same time or entity, with 95 % intervals",
        kind="interval",
        data={
            "column": [overlap.column for overlap in found.overlaps],
            "gain": [gap.value for gap in gaps],
            "low": [gap.low for gap in gaps],
            "high": [gap.high for gap in gaps],
        },
        x="column",
        y=("gain",),
        low="low",
        high="high",
        labels={"column": "rows that share", "gain": "share of the target explained, gained"},
    )
