"""The picture that frames a decision: what each threshold, or acting on so many rows, would have brought."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.report import Cell, Figure
from shiplap.methods.capacity import amount, limits, periods, standings
from shiplap.methods.intervals import resampled_means
from shiplap.methods.money import PER
from shiplap.methods.policies import limited_money, row_blocks
from shiplap.methods.question import Problem

__all__ = ["ranking_figure", "value_figure"]

Floats: TypeAlias = npt.NDArray[np.float64]
_POINTS, _REPLICATES = 60, 400
_NEAR, _FAR = 20, 30
"""Points up to twice the capacity, and up to all rows."""
_RANDOM, _KNOWN = "at random", "if values were known"


def value_figure(
    problem: Problem,
    rows: npt.NDArray[Any],
    score: Floats,
    threshold: float,
    *,
    levels: tuple[tuple[float, str], ...] = (),
) -> Figure:
    """Draw the money of each threshold on some rows, within the capacity of the brief.

    Parameters
    ----------
    problem : Problem
        A binary one with values.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are; nothing was chosen on them.
    score : numpy.ndarray of shape (n,)
        Probability of the class to be found.
    threshold : float
        The one that was chosen.
    levels : tuple of (float, str)
        Money per 1,000 decisions of other policies, and their names.
    """
    spread = np.unique(np.quantile(score, np.linspace(0, 1, _POINTS)))
    grid = np.unique(np.concatenate([[0.0], (spread[1:] + spread[:-1]) / 2, [min(1.0, spread[-1] + 1e-6)]]))
    money = np.column_stack([limited_money(problem, score, score >= at, rows) for at in grid])
    data: dict[str, list[Cell]] = {
        "threshold": [float(at) for at in grid],
        "money": [float(value) for value in money.mean(axis=0) * PER],
        **_interval(problem, rows, money),
    }
    return Figure(
        name="value_curve",
        title="What each threshold would have brought on the test rows",
        kind="line",
        data=data,
        x="threshold",
        y=("money",),
        low="low",
        high="high",
        labels={
            "threshold": "act from this probability on",
            "money": f"{problem.unit} per {PER:,} decisions",
            "low": "95 % interval",
        },
        marks=((float(np.clip(threshold, 0.0, 1.0)), "the threshold, set on the tune rows"),),
        levels=levels,
    )


def ranking_figure(problem: Problem, rows: npt.NDArray[Any], ranked: dict[str, Floats]) -> Figure:
    """Draw the money of acting on so many of the best-ranked rows of each period: cumulative gains, in money.

    Parameters
    ----------
    problem : Problem
        A ranking.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are; nothing was chosen on them.
    ranked : dict of str to numpy.ndarray of shape (n,)
        What each policy ranks them by; the first is drawn with its interval.
    """
    capacity, worth = problem.brief.capacity, problem.worth
    if capacity is None or worth is None:
        raise ValueError("a ranking has a capacity and values")
    period, (here, each) = periods(problem, rows), amount(capacity)
    limit, gain = limits(problem, period), worth[rows, 1] - worth[rows, 0]
    most = 100.0 if capacity.share is not None else float(np.bincount(period).max())
    grid = np.unique([*np.linspace(0, min(2 * here, most), _NEAR + 1), *np.linspace(0, most, _FAR + 1), here])

    def money(priority: Floats) -> Floats:
        ahead, alike = standings(priority, period)
        room = grid / here * limit[period][:, None] if capacity.share is not None else grid[None, :]
        return np.asarray(gain[:, None] * np.clip((room - ahead[:, None]) / alike[:, None], 0.0, 1.0))

    (first, score), *others = ranked.items()
    brought = money(score)
    drawn = {first: brought} | {name: money(priority) for name, priority in others}
    drawn |= {_RANDOM: money(np.zeros(len(rows))), _KNOWN: money(gain)}
    data: dict[str, list[Cell]] = {
        "acted": [float(at) for at in grid],
        **{name: [float(value) for value in values.mean(axis=0) * PER] for name, values in drawn.items()},
        **_interval(problem, rows, brought),
    }
    return Figure(
        name="value_curve",
        title="What acting on so many of the best-ranked rows would have brought on the test rows",
        kind="line",
        data=data,
        x="acted",
        y=tuple(drawn),
        low="low",
        high="high",
        labels={
            "acted": f"acted on: {each}" if capacity.share is not None else f"rows acted on {each}",
            **{name: name for name in drawn},
            "low": "95 % interval",
        },
        y_label=f"{problem.unit} per {PER:,} decisions",
        marks=((here, "the capacity"),),
        strokes={_RANDOM: "dashed", _KNOWN: "dashed"},
    )


def _interval(problem: Problem, rows: npt.NDArray[Any], money: Floats) -> dict[str, list[Cell]]:
    """Return the ends of the 95 % interval of each column of money, per 1,000 decisions."""
    resampled = resampled_means(money, row_blocks(problem, rows), replicates=_REPLICATES, seed=problem.brief.seed)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0) * PER
    return {"low": [float(value) for value in low], "high": [float(value) for value in high]}
