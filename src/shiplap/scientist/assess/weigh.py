"""Simple policies against learned ones on rows that neither has seen, and a verdict with its reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from shiplap.core.progress import tell
from shiplap.core.report import DataTable, Figure, Metric, Report
from shiplap.methods.framing import ranking_figure, value_figure
from shiplap.methods.metrics import auc
from shiplap.methods.money import PER, break_even
from shiplap.methods.part import Part
from shiplap.methods.policies import has_money, priority_of, settled
from shiplap.methods.question import Problem
from shiplap.methods.ranked import ranking_metrics
from shiplap.methods.simple import Entrant, simple
from shiplap.methods.splits import Split, honest_split
from shiplap.scientist.assess.capacity import capacity_look
from shiplap.scientist.assess.ceiling import ceiling_findings, ceiling_of
from shiplap.scientist.assess.curve import learning_curve
from shiplap.scientist.assess.entrants import models
from shiplap.scientist.assess.forecasts import forecast_of
from shiplap.scientist.assess.hurdles import hurdles
from shiplap.scientist.assess.leaks import column_leaks, row_leaks
from shiplap.scientist.assess.outlook import curve_figure, more_rows, outlook_of
from shiplap.scientist.assess.unlabelled import without_labels
from shiplap.scientist.assess.verdict import Comparison, Outlook, compare, decided, reasons

__all__ = ["weigh"]

Look: TypeAlias = Callable[[Problem, Split, list[Entrant]], Part]
_LOOKS: tuple[Look, ...] = (capacity_look, row_leaks, hurdles)


def weigh(problem: Problem, *, explored: bool) -> Report:
    """Let policies compete, and say whether the learned one would earn its effort.

    Parameters
    ----------
    problem : Problem
        The question.
    explored : bool
        Whether its columns were looked through for leaks already.

    Returns
    -------
    Report
        As `shiplap.assess` describes it.
    """
    problem, split, entrants = _contest(problem)
    tell("comparing policies", 0.6)
    # Many small models and sums: threads would only wait for each other, and results depend on their number.
    with threadpool_limits(1):
        found = compare(problem, split, entrants)
        # A longer past is not more rows of the same: the curve has nothing to say about a forecast.
        curve = None if problem.brief.task == "forecast" else learning_curve(problem, split, entrants, found)
        ceiling = ceiling_of(problem, split, found)
        outlook = outlook_of(problem, found, curve, ceiling)
        verdict = decided(found, outlook)
        parts = _looks(problem, split, entrants, explored=explored)
    return Report(
        verb="assess",
        title=f"Is it worth learning '{problem.brief.target}'?",
        verdict=verdict,
        holds=verdict != "no-go",
        findings=(
            *reasons(problem, split, found, outlook),
            *([more_rows(problem, found, curve)] if curve else []),
            *ceiling_findings(problem, found, ceiling),
            *(finding for part in parts for finding in part.findings),
            split.finding,
            *problem.findings,
        ),
        tables=(_table(found, entrants), *(table for part in parts for table in part.tables)),
        figures=(
            _figure(found, entrants),
            *_framing(problem, split, found),
            *([curve_figure(problem, found, curve)] if curve else []),
            *(figure for part in parts for figure in part.figures),
        ),
        metrics=_metrics(problem, split, found, outlook)
        | {name: metric for part in parts for name, metric in part.metrics.items()},
    )


def _contest(problem: Problem) -> tuple[Problem, Split, list[Entrant]]:
    """Split the rows and let all policies compete that fit the task."""
    forecast = forecast_of(problem) if problem.brief.task == "forecast" else None
    problem = forecast.problem if forecast else problem
    split = honest_split(problem)
    problem = settled(problem, split)
    tell("trying simple policies", 0.1)
    if forecast:
        return problem, split, [*forecast.simple(split), *forecast.learned(problem, split)]
    entrants = [*simple(problem, split), *models(problem, split)]
    if problem.brief.task == "anomaly":
        entrants.append(without_labels(problem, split))
    return problem, split, entrants


def _looks(problem: Problem, split: Split, entrants: list[Entrant], *, explored: bool) -> list[Part]:
    """Take all looks; a forecast sees nothing of a row but its past, so that it has no leaks of columns or rows."""
    if problem.brief.task == "forecast":
        return [hurdles(problem, split, entrants)]
    parts = [look(problem, split, entrants) for look in _LOOKS]
    return parts if explored else [column_leaks(problem), *parts]


def _table(found: Comparison, entrants: list[Entrant]) -> DataTable:
    rows = tuple(
        (entrant.name, entrant.learned, round(score.value, 5), round(score.low, 5), round(score.high, 5))
        for entrant, score in zip(entrants, found.scores, strict=True)
    )
    return DataTable(
        name="policies",
        title="What each policy brings on the test rows",
        columns=("policy", "learned", found.unit, "low", "high"),
        rows=rows,
    )


def _figure(found: Comparison, entrants: list[Entrant]) -> Figure:
    return Figure(
        name="policies",
        title="What each policy brings on the test rows, with 95 % intervals",
        kind="interval",
        data={
            "policy": [entrant.name for entrant in entrants],
            "value": [score.value for score in found.scores],
            "low": [score.low for score in found.scores],
            "high": [score.high for score in found.scores],
        },
        x="policy",
        y=("value",),
        low="low",
        high="high",
        labels={"policy": "policy", "value": found.unit},
    )


def _framing(problem: Problem, split: Split, found: Comparison) -> list[Figure]:
    """Draw money against the threshold, or against how many are acted on, beside the best simple policy."""
    learned, plain = found.learned, found.simple
    if not problem.acts or learned.output is None or learned.decisions is None:
        return []
    score, acted = priority_of(problem, learned.output), learned.decisions == 1
    if problem.ranks:
        others = {} if plain.output is None or not np.ptp(plain.output) > 0 else {plain.name: plain.output}
        return [ranking_figure(problem, split.test, {learned.name: score, **others})]
    threshold = float(score[acted].min()) if acted.any() else 1.0
    level = (PER * float(found.simple.rows.mean()), found.simple.name)
    return [value_figure(problem, split.test, score, threshold, levels=(level,))]


def _metrics(problem: Problem, split: Split, found: Comparison, outlook: Outlook) -> dict[str, Metric]:
    paid = has_money(problem)
    metrics: dict[str, Metric] = {
        "gain_per_1000": found.gain.value if paid else None,
        "gain": found.gain.value,
        "gain_low": found.gain.low,
        "gain_high": found.gain.high,
        "effort": found.effort,
        "unit": problem.unit if paid else found.unit,
        "base_rate": problem.base_rate,
        "break_even": None,
        "best_simple": found.simple.name,
        "best_learned": found.learned.name,
        "n_test": len(split.test),
        "chance_of_go": outlook.chance,
        "times_rows": outlook.times,
    }
    if problem.task == "binary" and found.learned.output is not None:
        hit, score = problem.y[split.test] == problem.positive, found.learned.output[:, problem.positive]
        metrics["auc"] = auc(hit, score)
        metrics["break_even"] = None if paid else break_even(hit, score)
        metrics["positive"] = str(problem.classes[problem.positive])
    if problem.ranks and found.learned.output is not None:
        metrics |= ranking_metrics(problem, split.test, found.learned.output)
    return metrics
