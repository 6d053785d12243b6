"""When a label is known."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding
from shiplap.core.report import DataTable
from shiplap.methods.part import Part
from shiplap.methods.question import Problem
from shiplap.methods.splits import Split

__all__ = ["delay"]

Moments: TypeAlias = npt.NDArray[np.datetime64]
_QUANTILES = (0.5, 0.9, 0.95, 0.99)
_MANY = 0.02
_DAY = np.timedelta64(1, "D")


def delay(problem: Problem, split: Split) -> Part:
    """Say how long labels take, and how many rows learned from had none yet when the test rows began."""
    if problem.time is None:
        return Part()
    if problem.brief.label_time is None:
        return Part(findings=(_ask(problem),))
    known = problem.beside[problem.brief.label_time].to_numpy().astype("datetime64[ns]")
    days = (known - problem.time) / _DAY
    days = days[np.isfinite(days)]
    if not len(days):
        return Part()
    quantiles = np.quantile(days, _QUANTILES)
    table = DataTable(
        name="label_delay",
        title="How long labels take",
        columns=("share of labels known", "days"),
        rows=tuple((f"{share:.0%}", round(float(at), 3)) for share, at in zip(_QUANTILES, quantiles, strict=True)),
    )
    findings = (*_early(problem, days), _late(problem, split, known, float(quantiles[2])))
    return Part(findings=findings, tables=(table,), metrics={"label_delay_p95_days": float(quantiles[2])})


def _ask(problem: Problem) -> Finding:
    return Finding(
        check="hurdle.delay",
        verdict="note",
        means=f"nothing says how long after '{problem.brief.time}' a label is known: the newest rows may still change",
        todo="name the column with label_time=..., or take care that the newest labels are final",
    )


def _early(problem: Problem, days: npt.NDArray[np.float64]) -> list[Finding]:
    early = float(np.mean(days < 0))
    if not early:
        return []
    means = f"{early:.1%} of the labels were known before '{problem.brief.time}', when the decision is made"
    todo = f"is '{problem.brief.time}' the moment of the decision, and '{problem.brief.label_time}' that of the label?"
    return [Finding(check="hurdle.delay_negative", verdict="warn", means=means, todo=todo, value=early, limit=0.0)]


def _late(problem: Problem, split: Split, known: Moments, days: float) -> Finding:
    unknown = _unknown(problem, split, known)
    means = f"95 % of the labels are known after {days:,.3g} days"
    if unknown:
        means += f"; {unknown:.1%} of the rows learned from had none yet when the test rows began"
    todo = "a model in service learns from older rows than this one: expect a little less" if unknown > _MANY else ""
    verdict: Any = "warn" if unknown > _MANY else "good"
    return Finding(check="hurdle.delay", verdict=verdict, means=means, todo=todo, value=unknown, limit=_MANY)


def _unknown(problem: Problem, split: Split, known: Moments) -> float:
    if split.kind != "time" or problem.time is None:
        return 0.0
    learned_from = np.concatenate([split.train, split.tune])
    return float(np.mean(known[learned_from] > problem.time[split.test].min()))
