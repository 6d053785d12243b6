"""Whether there is enough of what is to be found."""

from __future__ import annotations

import numpy as np

from shiplap.core.finding import Finding, Grade
from shiplap.methods.money import implied_threshold
from shiplap.methods.part import Part
from shiplap.methods.question import Problem

__all__ = ["prevalence"]

_FEW, _FEWEST = 200, 50
_STEEP = 10.0


def prevalence(problem: Problem) -> Part:
    """Count the rows of the rarest class, and say how far above the base rate acting begins to pay.

    About 50 to 200 rows of a class are what a model with a handful of columns needs (Riley et al. 2020, "Calculating
    the sample size required for developing a clinical prediction model", BMJ 368).
    """
    if problem.task == "regression":
        return Part()
    counts = np.bincount(problem.y, minlength=len(problem.classes))
    rarest = int(np.argmin(counts))
    n, name = int(counts[rarest]), problem.classes[rarest]
    verdict: Grade = "warn" if n < _FEWEST else "note" if n < _FEW else "good"
    found = Finding(
        check="hurdle.prevalence",
        verdict=verdict,
        means=f"'{name}', the rarest class, has {n:,} of {problem.n_rows:,} rows ({n / problem.n_rows:.2%})",
        todo="" if verdict == "good" else f"label rows of '{name}' first: they are what is short",
        value=n,
        limit=_FEW,
    )
    return Part(findings=(found, *_steep(problem)))


def _steep(problem: Problem) -> tuple[Finding, ...]:
    if problem.task != "binary" or problem.worth is None or not problem.base_rate:
        return ()
    at = implied_threshold(problem.worth, problem.y == problem.positive)
    if at is None or at <= problem.base_rate:
        return ()
    lift = at / problem.base_rate
    means = (
        f"acting pays from a probability of {at:.1%} on and {problem.base_rate:.1%} are the rule: "
        f"a row worth acting on must be {lift:.2g} times as likely as any"
    )
    return (
        Finding(
            check="hurdle.lift",
            verdict="note",
            means=means,
            todo="cheaper action makes more rows worth it" if lift > _STEEP else "",
            value=lift,
            limit=_STEEP,
        ),
    )
