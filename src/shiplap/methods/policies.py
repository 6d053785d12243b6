"""From a problem and outputs to a policy, and from a policy to money."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.finding import Finding
from shiplap.core.policy import Policy
from shiplap.methods.capacity import acted_shares, allowed_share, brought, limits, periods
from shiplap.methods.intervals import blocks_of, resampled_means
from shiplap.methods.money import (
    best_threshold,
    decisions_of,
    error_money,
    implied_threshold,
    midway,
    offset_for,
    taken,
    value_curve,
)
from shiplap.methods.question import Problem
from shiplap.methods.splits import Split
from shiplap.methods.worth import matrix_of

__all__ = [
    "acted_on",
    "decided",
    "has_money",
    "limited_money",
    "money_of",
    "perfect_money",
    "policy_for",
    "priority_of",
    "row_blocks",
    "settled",
    "within_capacity",
]

Floats: TypeAlias = npt.NDArray[np.float64]
_CLOCK = 0.95
_THRESHOLDS = 100


def has_money(problem: Problem) -> bool:
    """Say whether the brief gives values; a ranking always does: its target."""
    return problem.brief.value is not None or problem.ranks


def settled(problem: Problem, split: Split) -> Problem:
    """Leave out what the train part cannot teach: classes without a row in it, and columns that only count time.

    Parameters
    ----------
    problem : Problem
        The problem.
    split : Split
        Its parts, made by `shiplap.methods.splits.honest_split`.

    Returns
    -------
    Problem
        Rows of a class that is left out are in no part. Where the split is by time, a number that rises or falls with
        time throughout (a month within one year, a running number) never comes again, so what was learned from it is
        wrong tomorrow.
    """
    if split.kind == "time":
        problem = _without_clocks(problem, np.concatenate([split.train, split.tune]))
    if problem.task == "regression":
        return problem
    learned = np.unique(problem.y[split.train])
    if len(learned) == len(problem.classes):
        return problem
    place = np.full(len(problem.classes), -1, np.int64)
    place[learned] = np.arange(len(learned))
    worth = problem.worth
    return replace(
        problem,
        y=place[problem.y],
        classes=tuple(problem.classes[code] for code in learned),
        worth=None if worth is None else worth[:, learned],
    )


def _without_clocks(problem: Problem, past: npt.NDArray[Any]) -> Problem:
    time = problem.time[past].astype(np.int64) if problem.time is not None else np.zeros(len(past))
    order = pd.Series(time).rank()
    findings, kept = [], []
    for column in problem.schema:
        counts = column.kind == "number" and column.name not in problem.brief.keep
        values = problem.X[column.name].iloc[past].reset_index(drop=True) if counts else order
        beat = abs(float(order.corr(values.rank()))) if counts and values.nunique() > 1 else 0.0
        if beat < _CLOCK:
            kept.append(column.name)
            continue
        findings.append(_clock(column.name, beat))
    if not findings or not kept:
        return problem
    schema = problem.schema.select(tuple(kept))
    return replace(problem, X=problem.X[kept], schema=schema, findings=(*problem.findings, *findings))


def _clock(name: str, beat: float) -> Finding:
    return Finding(
        check="column.clock",
        verdict="note",
        means=f"'{name}' is left out: it only counts time and never returns (rank correlation {beat:.2f})",
        todo=f"keep=['{name}'] uses it all the same",
        columns=(name,),
        value=beat,
        limit=_CLOCK,
    )


def policy_for(problem: Problem, output: Floats, rows: npt.NDArray[Any]) -> Policy:
    """Set the policy that earns most on some rows.

    Parameters
    ----------
    problem : Problem
        Task, classes, values.
    output : numpy.ndarray of shape (n, n_classes) or (n,)
        Output on those rows.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are.

    Returns
    -------
    Policy
        Binary: the threshold that earns most (of those that do not surely earn less than the best, the one nearest to
        what the probabilities imply), or one half without values; always midway between two observed scores.
        Multiclass: the values as a matrix. Regression: the offset that costs least. Ranking: the offset is minus the
        threshold, so that the decision says by how much a row exceeds it.
    """
    value, brief = problem.brief.value, problem.brief
    common: dict[str, Any] = {"task": problem.task, "value": value, "decision": brief.decision}
    if problem.ranks:
        return Policy(**common, offset=-_steady_threshold(problem, output, rows))
    if problem.task == "regression":
        if value is None:
            return Policy(**common)
        over, under = value.over or 0.0, value.under or 0.0
        return Policy(**common, offset=offset_for(problem.y[rows] - output, over, under))
    common["classes"] = problem.classes
    if problem.task == "multiclass":
        if value is None or value.matrix is None:
            return Policy(**common)
        known = {str(label) for label in problem.classes}
        kept = {
            decided: {actual: money for actual, money in row.items() if actual in known}
            for decided, row in value.matrix.items()
            if decided in known
        }
        matrix = matrix_of(kept, problem.classes)
        return Policy(**common, matrix=tuple(tuple(row) for row in matrix.tolist()))
    score = output[:, problem.positive]
    if problem.worth is None:
        return Policy(**common, positive=problem.positive, threshold=midway(score, 0.5))
    threshold = _steady_threshold(problem, score, rows)
    return Policy(**common, positive=problem.positive, threshold=threshold)


def _steady_threshold(problem: Problem, score: Floats, rows: npt.NDArray[Any]) -> float:
    """Among thresholds that do not surely earn less than the best one, take the one that the outputs imply.

    The single best threshold of a sample chases its noise; where probabilities are calibrated, acting pays from
    ``(tn - fp) / (tn - fp + tp - fn)`` on (Elkan 2001), so that one wins among equals. Where values are predicted
    rightly on average, acting pays from what it costs on.
    """
    worth = np.zeros((len(rows), 2)) if problem.worth is None else problem.worth[rows]
    best, implied = best_threshold(score, worth), _implied(problem, worth, rows)
    if implied is None:
        return best
    spread = np.quantile(score, np.linspace(0, 1, _THRESHOLDS + 1))
    grid = np.unique([best, *(midway(score, float(at)) for at in (*spread, implied))])
    lost = value_curve(score, worth, np.array([best])) - value_curve(score, worth, grid)
    low = np.quantile(resampled_means(lost, row_blocks(problem, rows), seed=problem.brief.seed), 0.025, axis=0)
    equals = grid[(low <= 0) | (grid == best)]
    return float(equals[np.argmin(np.abs(equals - implied))])


def _implied(problem: Problem, worth: Floats, rows: npt.NDArray[Any]) -> float | None:
    if problem.ranks:
        return (problem.brief.value.cost if problem.brief.value else None) or 0.0
    return implied_threshold(worth, problem.y[rows] == problem.positive)


def priority_of(problem: Problem, output: Floats) -> Floats:
    """Return what comes first where it is acted or not: the probability of the class to be found, or the value."""
    return output if problem.ranks else output[:, problem.positive]


def decided(problem: Problem, policy: Policy, output: Floats) -> npt.NDArray[Any]:
    """Decide on every row as the policy says: 1 or 0 where it is acted or not, a class, or a number."""
    decisions = decisions_of(policy, output)
    return (decisions >= 0).astype(np.int64) if problem.ranks else decisions


def money_of(problem: Problem, policy: Policy, output: Floats, rows: npt.NDArray[Any]) -> Floats:
    """Money of each row under a policy; zero without values.

    Parameters
    ----------
    problem : Problem
        Labels and values.
    policy : Policy
        What is decided.
    output : numpy.ndarray of shape (n, n_classes) or (n,)
        Output on the rows.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are.

    Returns
    -------
    numpy.ndarray of shape (n,)
    """
    decisions = decided(problem, policy, output)
    value = problem.brief.value
    if problem.acts:
        return limited_money(problem, priority_of(problem, output), decisions == 1, rows)
    if problem.task == "regression" and value is not None:
        return error_money(problem.y[rows], decisions, value.over or 0.0, value.under or 0.0)
    return np.zeros(len(rows)) if problem.worth is None else taken(problem.worth[rows], decisions)


def limited_money(problem: Problem, priority: Floats, wanted: npt.NDArray[np.bool_], rows: npt.NDArray[Any]) -> Floats:
    """Money of each row where a policy would act on some rows, within the capacity of the brief; zero without values.

    Parameters
    ----------
    problem : Problem
        One in which it is acted or not.
    priority : numpy.ndarray of shape (n,)
        What comes first where not all can be acted on: the highest.
    wanted : numpy.ndarray of bool, shape (n,)
        On which rows it would act.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Within a capacity rows are told what their places are worth, as `shiplap.methods.capacity.brought` does.
    """
    if problem.worth is None:
        return np.zeros(len(rows))
    idle, gain = problem.worth[rows, 0], problem.worth[rows, 1] - problem.worth[rows, 0]
    if problem.brief.capacity is None:
        return np.asarray(idle + wanted * gain)
    period = periods(problem, rows)
    return np.asarray(idle + brought(gain, priority, wanted, period, limits(problem, period)))


def acted_on(
    problem: Problem, priority: Floats, wanted: npt.NDArray[np.bool_], rows: npt.NDArray[Any], *, times: float = 1.0
) -> Floats:
    """Say on which rows a policy acts within the capacity of the brief, or within some times as much.

    Returns
    -------
    numpy.ndarray of shape (n,)
        From 0 to 1; between them where rows of one priority share what is left.
    """
    if problem.brief.capacity is None:
        return wanted.astype(np.float64)
    period = periods(problem, rows)
    return acted_shares(priority, wanted, period, times * limits(problem, period))


def perfect_money(problem: Problem, rows: npt.NDArray[Any]) -> Floats:
    """Money of each row if its label were known, within the capacity; no policy brings more. Zero without values."""
    if problem.worth is None:
        return np.zeros(len(rows))
    worth = problem.worth[rows]
    if not problem.acts:
        return np.asarray(worth.max(axis=1))
    gain = worth[:, 1] - worth[:, 0]
    return limited_money(problem, gain, gain > 0, rows)


def within_capacity(problem: Problem, policy: Policy, output: Floats, rows: npt.NDArray[Any]) -> Policy:
    """Raise the threshold until the capacity is kept on average: a ship decides row by row, and ranks none.

    Parameters
    ----------
    problem : Problem
        What is asked.
    policy : Policy
        Its threshold is raised where it would act on more of the rows than can be acted on; that of a ranking is minus
        its offset.
    output : numpy.ndarray of shape (n, n_classes) or (n,)
        Output on some rows.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are.
    """
    most = allowed_share(problem, rows)
    if most >= 1 or not (problem.task == "binary" or problem.ranks):
        return policy
    score = priority_of(problem, output)
    if float(np.mean(decided(problem, policy, output))) <= most:
        return policy
    cut = float(np.quantile(score, 1 - most, method="higher"))
    above = score[score > cut] if float(np.mean(score >= cut)) > most else score[score >= cut]
    threshold = midway(score, float(above.min()) if len(above) else float(np.inf))
    return msgspec.structs.replace(policy, **({"offset": -threshold} if problem.ranks else {"threshold": threshold}))


def row_blocks(problem: Problem, rows: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Say which of some rows are resampled together: a group, a day, or each by itself; a period of the capacity."""
    time = None if problem.time is None else problem.time[rows]
    group = None if problem.group is None else problem.group[rows]
    capacity = problem.brief.capacity
    if group is None and capacity is not None and (capacity.per_week or capacity.per_month):
        return periods(problem, rows)
    return blocks_of(len(rows), time=time, group=group, seed=problem.brief.seed)
