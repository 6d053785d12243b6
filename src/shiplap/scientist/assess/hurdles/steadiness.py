"""Whether what a model brings lasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding
from shiplap.core.report import Figure
from shiplap.methods.intervals import Interval
from shiplap.methods.part import Part
from shiplap.methods.policies import has_money
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant, best_learned, gain_over, opponents
from shiplap.methods.splits import Split

__all__ = ["steadiness"]

_PERIODS, _FEWEST = 6, 200


def steadiness(problem: Problem, split: Split, entrants: list[Entrant]) -> Part:
    """Follow the gain over the test rows from period to period."""
    if problem.time is None or split.kind != "time":
        return Part()
    moments = problem.time[split.test]
    n_periods = min(_PERIODS, len(moments) // _FEWEST)
    if n_periods < 2:
        return Part()
    edges = np.quantile(moments.astype(np.int64), np.linspace(0, 1, n_periods + 1)[1:-1])
    period = np.searchsorted(edges, moments.astype(np.int64), side="right")
    starts = [str(moments[period == index].min())[:16] for index in range(n_periods) if np.any(period == index)]
    gains = [_gain(problem, split, entrants, period == index) for index in range(n_periods) if np.any(period == index)]
    return Part(findings=_judged(starts, gains), figures=(_figure(problem, starts, gains),))


def _gain(problem: Problem, split: Split, entrants: list[Entrant], within: npt.NDArray[np.bool_]) -> Interval:
    learned = best_learned(entrants)
    plain = [replace(entrant, rows=entrant.rows[within]) for entrant in opponents(problem, entrants)]
    return gain_over(problem, split.test[within], learned.rows[within], plain)


def _judged(starts: list[str], gains: list[Interval]) -> tuple[Finding, ...]:
    first, last = gains[0], gains[-1]
    if last.high < first.low:
        means = f"the gain falls over the test rows: {first} at first, {last} at the end, from {starts[-1]} on"
        todo = "the population shifts: train again often, and watch the gain once it is in service"
        return (Finding(check="hurdle.shift", verdict="warn", means=means, todo=todo, value=last.value),)
    means = f"the gain does not surely fall over the test rows: {first} at first, {last} at the end"
    return (Finding(check="hurdle.shift", verdict="good", means=means, value=last.value),)


def _figure(problem: Problem, starts: list[str], gains: list[Interval]) -> Figure:
    unit = f"{problem.unit} per 1,000 decisions" if has_money(problem) else "by how much the loss falls"
    return Figure(
        name="gain_over_time",
        title="What the best learned policy brings beyond the best simple one, period by period",
        kind="interval",
        data={
            "from": [*starts],
            "gain": [gain.value for gain in gains],
            "low": [gain.low for gain in gains],
            "high": [gain.high for gain in gains],
        },
        x="from",
        y=("gain",),
        low="low",
        high="high",
        labels={"from": "test rows from", "gain": unit},
    )
