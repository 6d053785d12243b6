"""Policies that need no machine learning, and what a learned one brings beyond the best of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.methods.intervals import Interval, interval_of, resampled_means
from shiplap.methods.metrics import constant_output, row_loss
from shiplap.methods.money import PER, error_money, taken
from shiplap.methods.policies import has_money, row_blocks
from shiplap.methods.question import Problem
from shiplap.methods.rules import best_rule
from shiplap.methods.splits import Split

__all__ = ["Entrant", "best_simple", "gain_over", "in_units", "simple"]

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Entrant:
    """One policy and what it brings.

    Parameters
    ----------
    name : str
        The policy in words.
    learned : bool
        Whether it is machine learning.
    before : float
        What it brought on average on the rows it was chosen on; for choosing among entrants.
    rows : numpy.ndarray of shape (n_test,)
        What it brings on each test row: money, or minus the loss.
    output : numpy.ndarray or None
        Probabilities or predictions on the test rows, of a model.
    """

    name: str
    learned: bool
    before: float
    rows: Floats
    output: Floats | None = None


def simple(problem: Problem, split: Split) -> list[Entrant]:
    """Let the policies compete that need no machine learning: constant ones first, then the best single rule.

    All are set on the train rows.
    """
    everywhere = np.zeros(problem.n_rows, bool)
    constants = _constants(problem, split.train)
    entrants = [_sided(problem, split, name, everywhere, choice) for name, choice in constants]
    rule = best_rule(problem, split.train)
    return [*entrants, _sided(problem, split, f"rule: {rule.name}", rule.inside, None)] if rule else entrants


def _constants(problem: Problem, taught: npt.NDArray[Any]) -> list[tuple[str, int | None]]:
    if problem.worth is None:
        return [("best constant", None)]
    if problem.task == "binary":
        return [("do nothing", 0), ("act always", 1)]
    best = int(np.argmax(problem.worth[taught].sum(axis=0)))
    return [(f"always '{problem.classes[best]}'", best)]


def _sided(problem: Problem, split: Split, name: str, inside: npt.NDArray[np.bool_], choice: int | None) -> Entrant:
    """Answer the same on all rows of a side: the decision given, or the best one of its train rows."""
    brought = np.zeros(problem.n_rows)
    for side in (inside, ~inside):
        taught = split.train[side[split.train]]
        if side.any() and len(taught):
            brought[side] = _constant_on(problem, taught, np.flatnonzero(side), choice)
    return Entrant(name, False, float(np.mean(brought[split.tune])), brought[split.test])


def _constant_on(problem: Problem, taught: npt.NDArray[Any], rows: npt.NDArray[Any], choice: int | None) -> Floats:
    value = problem.brief.value
    if problem.worth is not None:
        decided = int(np.argmax(problem.worth[taught].sum(axis=0))) if choice is None else choice
        return taken(problem.worth[rows], np.full(len(rows), decided))
    if problem.task == "regression" and value is not None:
        over, under = value.over or 0.0, value.under or 0.0
        share = under / (over + under) if over + under > 0 else 0.5
        acted = np.full(len(rows), float(np.quantile(problem.y[taught], share)))
        return error_money(problem.y[rows], acted, over, under)
    output = constant_output(problem.task, problem.y[taught], len(problem.classes), len(rows))
    return -row_loss(problem.task, problem.y[rows], output)


def best_simple(problem: Problem, entrants: list[Entrant]) -> Entrant:
    """Choose the simple policy that brings most on the test rows; without values the constant.

    Choosing it there, with hindsight that no learned policy is given, makes it the hardest opponent: a gain over it is
    a gain over every simple policy.
    """
    plain = [entrant for entrant in entrants if not entrant.learned]
    return max(plain, key=lambda entrant: float(entrant.rows.mean())) if has_money(problem) else plain[0]


def in_units(problem: Problem, brought: Floats) -> Floats:
    """Turn mean money into money per 1,000, and mean minus-loss into a loss people know."""
    if has_money(problem):
        return PER * brought
    return np.sqrt(np.maximum(-brought, 0.0)) if problem.task == "regression" else -brought


def gain_over(problem: Problem, test: npt.NDArray[Any], learned: Floats, plain: Floats) -> Interval:
    """Say what one policy brings beyond another on the same rows, with the interval of the difference.

    Parameters
    ----------
    problem : Problem
        What is asked.
    test : numpy.ndarray of int64, shape (n,)
        Which rows they are; whole days, groups or rows are resampled, the same ones for both.
    learned, plain : numpy.ndarray of shape (n,)
        What each brings on each row: money, or minus the loss.

    Returns
    -------
    Interval
        Money per 1,000 decisions, or by how much the loss falls.
    """
    rows = np.column_stack([learned, plain])
    resampled = in_units(problem, resampled_means(rows, row_blocks(problem, test), seed=problem.brief.seed))
    means = in_units(problem, rows.mean(axis=0))
    sign = 1.0 if has_money(problem) else -1.0
    return interval_of(float(sign * (means[0] - means[1])), sign * (resampled[:, 0] - resampled[:, 1]))
