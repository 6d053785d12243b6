"""Policies that need no machine learning, and what a learned one brings beyond the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.methods.intervals import Interval, Resampled
from shiplap.methods.metrics import constant_output, row_loss
from shiplap.methods.money import PER, error_money, taken
from shiplap.methods.orders import best_order
from shiplap.methods.policies import has_money, limited_money, row_blocks
from shiplap.methods.question import Problem
from shiplap.methods.rules import best_rule
from shiplap.methods.splits import Split

__all__ = ["Entrant", "Measured", "best_learned", "best_simple", "gain_over", "opponents", "simple"]

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
    rows : numpy.ndarray of shape (n_test,)
        What it brings on each test row: money, or minus the loss.
    output : numpy.ndarray or None
        Probabilities or predictions on the test rows, of a model; in a ranking what any policy ranks by.
    decisions : numpy.ndarray or None
        What is decided on the test rows under the policy of a model: 0 or 1, a class code, or a number; before the
        capacity is looked at.
    tuned : numpy.ndarray of shape (n_tune,) or (1,)
        Minus the loss of a model on each tune row, in a ranking what it brings there; for choosing among models.
    """

    name: str
    learned: bool
    rows: Floats
    output: Floats | None = None
    decisions: npt.NDArray[Any] | None = None
    tuned: Floats = field(default_factory=lambda: np.zeros(1))


def simple(problem: Problem, split: Split) -> list[Entrant]:
    """Let the policies compete that need no machine learning: constant ones first, then the best single rule.

    In a ranking the best single column competes too: its highest or its lowest rows first. All are set on the train
    rows.
    """
    everywhere = np.zeros(problem.n_rows, bool)
    constants = _constants(problem, split.train)
    entrants = [_sided(problem, split, name, everywhere, choice) for name, choice in constants]
    rule = best_rule(problem, split.train)
    entrants += [_sided(problem, split, f"rule: {rule.name}", rule.inside, None)] if rule else []
    order = best_order(problem, split.train) if problem.ranks else None
    if order is None:
        return entrants
    rows = split.test
    brought = limited_money(problem, order.priority[rows], order.wanted[rows], rows)
    return [*entrants, Entrant(order.name, False, brought, order.priority[rows])]


def _constants(problem: Problem, taught: npt.NDArray[Any]) -> list[tuple[str, int | None]]:
    if problem.worth is None:
        return [("best constant", None)]
    if problem.acts:
        return [("do nothing", 0), ("act at random" if problem.ranks else "act always", 1)]
    best = int(np.argmax(problem.worth[taught].sum(axis=0)))
    return [(f"always '{problem.classes[best]}'", best)]


def _sided(problem: Problem, split: Split, name: str, inside: npt.NDArray[np.bool_], choice: int | None) -> Entrant:
    """Answer the same on all rows of a side: the decision given, or the best one of its train rows."""
    if problem.acts:
        return _acting(problem, split, name, inside, choice)
    brought = np.zeros(problem.n_rows)
    for side in (inside, ~inside):
        taught = split.train[side[split.train]]
        if side.any() and len(taught):
            brought[side] = _constant_on(problem, taught, np.flatnonzero(side), choice)
    return Entrant(name, False, brought[split.test])


def _acting(problem: Problem, split: Split, name: str, inside: npt.NDArray[np.bool_], choice: int | None) -> Entrant:
    """Act on the sides that pay, the better one first; or on all rows alike, or on none."""
    gain = np.subtract(*problem.worth.T[::-1])  # type: ignore[union-attr]
    priority = np.zeros(problem.n_rows)
    wanted = np.full(problem.n_rows, choice == 1)
    if choice is None:
        for side in (inside, ~inside):
            taught = split.train[side[split.train]]
            priority[side] = float(gain[taught].mean()) if len(taught) else 0.0
        wanted = priority > 0
    rows = split.test
    ranked = priority[rows] if problem.ranks else None
    return Entrant(name, False, limited_money(problem, priority[rows], wanted[rows], rows), ranked)


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


def opponents(problem: Problem, entrants: list[Entrant]) -> list[Entrant]:
    """Return the simple policies that a learned one must beat: all of them, without values the constant.

    A forecast must beat every naive one, with values or without.
    """
    plain = [entrant for entrant in entrants if not entrant.learned]
    return plain if has_money(problem) or problem.brief.task == "forecast" else plain[:1]


def best_learned(entrants: list[Entrant]) -> Entrant:
    """Return the learned policy that did best on the tune rows, or one before it that is not surely worse.

    Simple models come first. One standard error counts as sure (Breiman et al. 1984, "Classification and regression
    trees", section 3.4.3): few rows cannot tell models apart, and trees have seen the tune rows when they stopped
    growing. The loss chooses with values too, since money turns on few dear rows; in a ranking those are
    what is sought.
    """
    learned = [entrant for entrant in entrants if entrant.learned]
    best = max(learned, key=lambda entrant: float(entrant.tuned.mean()))
    leads = [best.tuned - entrant.tuned for entrant in learned]
    equal = [lead.mean() <= lead.std() / len(lead) ** 0.5 for lead in leads]
    return learned[equal.index(True)]


def best_simple(problem: Problem, entrants: list[Entrant]) -> Entrant:
    """Return the simple policy that brings most on the test rows; without values the constant."""
    return max(opponents(problem, entrants), key=lambda entrant: float(entrant.rows.mean()))


class Measured:
    """Policies measured on the same rows, with intervals that resample whole days, groups or rows.

    Parameters
    ----------
    problem : Problem
        What is asked.
    test : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are.
    rows : sequence of numpy.ndarray of shape (n,)
        What each policy brings on each of them: money, or minus the loss.
    """

    def __init__(self, problem: Problem, test: npt.NDArray[Any], rows: Sequence[Floats]) -> None:
        self._paid = has_money(problem)
        self._root = problem.task == "regression" and not self._paid
        self._n = len(rows)
        values = np.column_stack(rows) * (PER if self._paid else -1.0)
        self._resampled = Resampled(values, row_blocks(problem, test), seed=problem.brief.seed)

    def score(self, which: int) -> Interval:
        """Return what one policy brings: money per 1,000 decisions, or its loss as people know it."""
        return self._interval({which: 1.0})

    def gain(self, which: int, over: Sequence[int]) -> Interval:
        """Return what one policy brings beyond the best of others: money per 1,000, or by how much the loss falls.

        Which of them is best is not known, only which did best on these rows. The gain over the best is the least of
        the gains over each, and so are the ends of its interval: the lower one is sure of every opponent at once
        (an intersection-union test: Berger 1982, "Multiparameter hypothesis testing and acceptance sampling",
        Technometrics 24).
        """
        sign = 1.0 if self._paid else -1.0
        each = [self._interval({which: sign, other: -sign}) for other in over]
        return Interval(min(one.value for one in each), min(one.low for one in each), min(one.high for one in each))

    def _interval(self, weights: dict[int, float]) -> Interval:
        laid = [weights.get(index, 0.0) for index in range(self._n)]
        return self._resampled.interval(laid, root=self._root)


def gain_over(problem: Problem, test: npt.NDArray[Any], learned: Floats, plain: list[Entrant]) -> Interval:
    """Say what a learned policy brings beyond the best of simple ones, with the interval of that difference.

    Parameters
    ----------
    problem : Problem
        What is asked.
    test : numpy.ndarray of int64, shape (n,)
        Which rows they are.
    learned : numpy.ndarray of shape (n,)
        What the learned policy brings on each row: money, or minus the loss.
    plain : list of Entrant
        The simple ones, made by `opponents`.

    Returns
    -------
    Interval
        Money per 1,000 decisions, or by how much the loss falls.
    """
    measured = Measured(problem, test, [learned, *(entrant.rows for entrant in plain)])
    return measured.gain(0, range(1, 1 + len(plain)))
