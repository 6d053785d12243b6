"""What a limit on acting costs: how often it binds, and what one more place would bring."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, Figure
from shiplap.methods.capacity import acted_shares, limits, periods, words
from shiplap.methods.money import PER
from shiplap.methods.part import Part
from shiplap.methods.policies import priority_of
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant, best_learned
from shiplap.methods.splits import Split

__all__ = ["capacity_look"]

Floats: TypeAlias = npt.NDArray[np.float64]
_TIMES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
_MORE = 1.1


def capacity_look(problem: Problem, split: Split, entrants: list[Entrant]) -> Part:
    """Say how often the capacity binds the best learned policy on the test rows, and what one more place brings."""
    capacity, learned = problem.brief.capacity, best_learned(entrants)
    if capacity is None:
        return Part()
    if problem.worth is None or not problem.acts or learned.output is None or learned.decisions is None:
        means = f"the capacity of {words(capacity)} changes nothing: it limits a yes or no whose outcomes have values"
        return Part((Finding(check="capacity.unused", verdict="warn", means=means, todo="give value= for money"),))
    period, wanted = periods(problem, split.test), learned.decisions == 1
    limit, gain = limits(problem, period), np.subtract(*problem.worth[split.test].T[::-1])
    score = priority_of(problem, learned.output)

    def acted(times: float) -> Floats:
        return acted_shares(score, wanted, period, times * limit)

    here, more = acted(1.0), acted(_MORE)
    added = float((more - here).sum())
    price = float(gain @ (more - here)) / added if added else 0.0
    return Part(
        findings=(_finding(problem, learned, period, limit, wanted, here, price),),
        figures=()
        if problem.ranks  # the picture that frames a ranking shows all capacities
        else (_figure(problem, [float(PER * np.mean(gain * acted(times))) for times in _TIMES]),),
        metrics={"capacity_used": float(here.sum() / limit.sum()), "capacity_price": price},
    )


def _finding(
    problem: Problem,
    learned: Entrant,
    period: npt.NDArray[np.int64],
    limit: Floats,
    wanted: npt.NDArray[np.bool_],
    acted: Floats,
    price: float,
) -> Finding:
    asked = np.bincount(period, wanted, len(limit))
    binds, n_periods = int(np.sum(asked > limit)), len(limit)
    spoken = words(problem.brief.capacity) if problem.brief.capacity else ""
    means = (
        f"{learned.name} would act on {int(wanted.sum()):,} test rows; within {spoken} it acts on {acted.sum():,.0f}"
    )
    if n_periods > 1:
        means += f" (the limit binds in {binds:,} of {n_periods:,} periods)"
    if not binds:
        means += ": the limit never binds"
        return Finding(check="capacity.limit", verdict="good", means=means, value=price)
    means += f". One more place would bring about {price:,.3g} {problem.unit}"
    todo = "act on the best-ranked rows of each period: a ship decides row by row, and its threshold keeps the limit"
    return Finding(check="capacity.limit", verdict="note", means=means, todo=f"{todo} only on average", value=price)


def _figure(problem: Problem, money: list[float]) -> Figure:
    data: dict[str, list[Cell]] = {"times": list(_TIMES), "money": [float(value) for value in money]}
    return Figure(
        name="capacity",
        title="What a larger or a smaller capacity would bring, against doing nothing",
        kind="line",
        data=data,
        x="times",
        y=("money",),
        labels={"times": "times the capacity", "money": f"{problem.unit} per {PER:,} decisions"},
        marks=((1.0, "the capacity"),),
    )
