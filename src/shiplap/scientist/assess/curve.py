"""The learning curve of this question: quick models on parts of the train rows, judged on the test rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.progress import tell
from shiplap.methods.curves import FEWEST_SIZES, LearningCurve, fit_curve
from shiplap.methods.intervals import Interval, Resampled
from shiplap.methods.metrics import auc, auc_pulls
from shiplap.methods.money import PER
from shiplap.methods.policies import has_money, perfect_money, row_blocks
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant, Measured, best_learned
from shiplap.methods.splits import Split
from shiplap.methods.work import UNITS_PER_SECOND, Shape
from shiplap.scientist.assess.entrants import QUICK, entered, line, taught_rows, trees
from shiplap.scientist.assess.verdict import Comparison

__all__ = ["Curve", "learning_curve"]

Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]
_PARTS = ((16, 3), (8, 3), (4, 2), (2, 2))
"""Trainings: on a 16th of the rows three times, and so on."""
_MOST_SECONDS, _SHARE, _LINEAR_SHARE, _TYPICAL_ROUNDS = 5.0, 0.15, 0.2, 120
_FEWEST_ROWS, _MOST_JUDGED = 30, 8_000
_TWO_SIDED = 2 * 1.959964


@dataclass(frozen=True, eq=False)
class Curve:
    """What learning brings by how many rows it learns from.

    Parameters
    ----------
    sizes : numpy.ndarray of int64, shape (n_trainings,)
        Rows of each training.
    gains : numpy.ndarray of shape (n_trainings,)
        What each brings beyond the best simple policy, in the unit of the verdict.
    gain : LearningCurve
        The law behind them.
    areas : numpy.ndarray of shape (n_trainings,) or None
        Area under the ROC curve of each, for a binary task.
    area : LearningCurve or None
        The law behind them.
    now : int
        Rows there are to learn from.
    unit : str
        Unit of the gains.
    """

    sizes: Rows
    gains: Floats
    gain: LearningCurve
    areas: Floats | None
    area: LearningCurve | None
    now: int
    unit: str


def learning_curve(problem: Problem, split: Split, entrants: list[Entrant], found: Comparison) -> Curve | None:
    """Train quick models on a 16th to all of the train rows; None where these are too few.

    At each size a linear model and boosted trees compete, and the one with the lower loss on the tune rows counts. Up
    to 8,000 tune and test rows judge, and the largest size is such that all of it takes a small share of
    ``brief.budget.train_seconds``; where it is all rows, the models of the verdict are used again.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    entrants : list of Entrant
        The policies of the verdict.
    found : Comparison
        How they compare.
    """
    rows, rng = taught_rows(problem, split), np.random.default_rng(problem.brief.seed)
    # A capacity counts the rows of a period, so all of them must be there.
    most = None if problem.brief.capacity else _MOST_JUDGED
    judges = np.sort(rng.permutation(len(split.test))[:most])
    tune = np.sort(rng.permutation(split.tune)[:most])
    judged = replace(split, tune=tune, test=split.test[judges])
    units = min(_MOST_SECONDS, _SHARE * problem.brief.budget.train_seconds) * UNITS_PER_SECOND
    largest = _largest(problem, rows, tune, units)
    sizes: list[int] = []
    winners: list[Entrant] = []
    for size, seed in _trainings(largest, len(rows)):
        taught = _part(problem, rows, size, seed)
        if problem.task != "regression" and len(np.unique(problem.y[taught])) < len(problem.classes):
            continue
        tell(f"learning from {size:,} rows", 0.65 + 0.2 * len(sizes) / 11)
        sizes.append(size)
        winners.append(_winner(problem, judged, taught, units / 2))
    if largest == len(rows):
        sizes.append(largest)
        whole = best_learned(entrants)
        output = None if whole.output is None else whole.output[judges]
        winners.append(replace(whole, rows=whole.rows[judges], output=output))
    if len(set(sizes)) < FEWEST_SIZES or len(sizes) == len(set(sizes)):
        return None
    return _drawn(problem, judged, np.array(sizes), winners, found, found.simple.rows[judges], len(split.train))


def _largest(problem: Problem, rows: Rows, tune: Rows, units: float) -> int:
    """Return how many rows the largest training may take for all of them to stay within so many units."""
    whole = Shape(
        len(rows), len(tune), problem.X.shape[1], max(1, len(problem.classes) * (problem.task == "multiclass"))
    )
    share = sum(count / part for part, count in _PARTS) + 1
    return min(len(rows), max(16 * _FEWEST_ROWS, whole.rows_for(units / share, QUICK, _TYPICAL_ROUNDS)))


def _trainings(largest: int, n_rows: int) -> Iterator[tuple[int, int]]:
    for part, count in _PARTS:
        if largest // part >= _FEWEST_ROWS:
            yield from ((largest // part, seed) for seed in range(count))
    if largest < n_rows:
        yield largest, 0


def _part(problem: Problem, rows: Rows, size: int, seed: int) -> Rows:
    """Draw rows; whole groups where there are groups, since more rows mean more of those."""
    rng = np.random.default_rng([problem.brief.seed, size, seed])
    if problem.group is None:
        return np.sort(rng.permutation(rows)[:size])
    codes = np.unique(problem.group[rows], return_inverse=True)[1]
    order = rng.permutation(int(codes.max()) + 1)
    return np.sort(rows[np.argsort(order[codes], kind="stable")[:size]])


def _winner(problem: Problem, judged: Split, taught: Rows, units: float) -> Entrant:
    fitted = {
        "linear": line(problem, taught, units=_LINEAR_SHARE * units),
        "trees": trees(problem, taught, judged.tune, units=units, threads=1),
    }
    return best_learned(
        [entered(problem, judged, name, answer(judged.tune), answer(judged.test)) for name, answer in fitted.items()]
    )


def _drawn(
    problem: Problem, judged: Split, sizes: Rows, winners: list[Entrant], found: Comparison, plain: Floats, now: int
) -> Curve:
    gains = np.array([_gain(problem, one.rows, plain) for one in winners])
    top = Measured(problem, judged.test, [winners[-1].rows, plain]).gain(0, [1])
    best = _gain(problem, perfect_money(problem, judged.test), plain)
    seed = problem.brief.seed
    gain = fit_curve(sizes, gains, best=best, test_error=_error(top), seed=seed)
    areas, area = _area(problem, judged, sizes, winners)
    return Curve(sizes, gains, gain, areas, area, now, found.unit)


def _gain(problem: Problem, rows: Floats, plain: Floats) -> float:
    if has_money(problem):
        return PER * float(np.mean(rows) - np.mean(plain))
    losses = np.maximum([-np.mean(plain), -np.mean(rows)], 0.0)
    before, after = np.sqrt(losses) if problem.task == "regression" else losses
    return float(before - after)


def _error(interval: Interval) -> float:
    return (interval.high - interval.low) / _TWO_SIDED


def _area(
    problem: Problem, judged: Split, sizes: Rows, winners: list[Entrant]
) -> tuple[Floats, LearningCurve] | tuple[None, None]:
    hit = problem.y[judged.test] == problem.positive
    if problem.task != "binary" or not 0 < hit.sum() < len(hit):
        return None, None
    scores = [one.output[:, problem.positive] for one in winners if one.output is not None]
    areas = np.array([auc(hit, score) for score in scores], dtype=np.float64)
    pulls = Resampled(auc_pulls(hit, scores[-1])[:, None], row_blocks(problem, judged.test), seed=problem.brief.seed)
    error = _error(pulls.interval([1.0]))
    return areas, fit_curve(sizes, areas, best=1.0, test_error=error, seed=problem.brief.seed)
