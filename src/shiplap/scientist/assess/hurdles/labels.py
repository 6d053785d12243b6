"""Whether the labels can be trusted."""

from __future__ import annotations

from shiplap.core.finding import Finding
from shiplap.methods.label_noise import contradicted
from shiplap.methods.part import Part
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split

__all__ = ["label_quality"]

_SURE = 0.9
_SPREADS = 3.0


def label_quality(problem: Problem, split: Split, learned: Entrant) -> Part:
    """Count test rows whose label contradicts a model that is sure and never saw them; compare with what it expects."""
    if problem.task == "regression" or learned.output is None:
        return Part()
    found, expected = contradicted(problem.y[split.test], learned.output, sure=_SURE)
    spread = max(1.0, expected) ** 0.5
    many = len(found) > expected + _SPREADS * spread
    means = (
        f"{len(found):,} of {len(split.test):,} labels contradict a model that is at least {_SURE:.0%} sure; "
        f"classes that overlap explain about {expected:,.0f}"
    )
    todo = "have such rows labelled once more: labels may be wrong, or the model too sure of itself" if many else ""
    return Part(
        findings=(
            Finding(
                check="hurdle.labels",
                verdict="warn" if many else "good",
                means=means,
                todo=todo,
                value=len(found),
                limit=expected + _SPREADS * spread,
            ),
        ),
        metrics={"n_contradicted_labels": len(found)},
    )
