"""All hurdles, looked at with the best learned policy."""

from __future__ import annotations

from shiplap.methods.part import Part
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant, best_learned
from shiplap.methods.splits import Split
from shiplap.scientist.assess.hurdles.delay import delay
from shiplap.scientist.assess.hurdles.effect import effect
from shiplap.scientist.assess.hurdles.fairness import fairness
from shiplap.scientist.assess.hurdles.labels import label_quality
from shiplap.scientist.assess.hurdles.prevalence import prevalence
from shiplap.scientist.assess.hurdles.steadiness import steadiness

__all__ = ["hurdles"]


def hurdles(problem: Problem, split: Split, entrants: list[Entrant]) -> Part:
    """Ask of a question what may keep it from being solved although a model would earn.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    entrants : list of Entrant
        All policies on the test rows; the best learned one is looked at.
    """
    learned = best_learned(entrants)
    parts = (
        prevalence(problem),
        label_quality(problem, split, learned),
        delay(problem, split),
        effect(problem, split, learned),
        fairness(problem, split, learned),
        steadiness(problem, split, entrants),
    )
    return Part(
        findings=tuple(finding for part in parts for finding in part.findings),
        tables=tuple(table for part in parts for table in part.tables),
        figures=tuple(figure for part in parts for figure in part.figures),
        metrics={name: metric for part in parts for name, metric in part.metrics.items()},
    )
