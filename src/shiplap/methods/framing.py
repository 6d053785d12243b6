"""The picture that frames a yes or no: what each threshold would have brought, with its interval."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.report import Cell, Figure
from shiplap.methods.intervals import resampled_means
from shiplap.methods.money import PER
from shiplap.methods.policies import limited_money, row_blocks
from shiplap.methods.question import Problem

__all__ = ["value_figure"]

Floats: TypeAlias = npt.NDArray[np.float64]
_POINTS, _REPLICATES = 60, 400


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
    resampled = resampled_means(money, row_blocks(problem, rows), replicates=_REPLICATES, seed=problem.brief.seed)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0) * PER
    data: dict[str, list[Cell]] = {
        "threshold": [float(at) for at in grid],
        "money": [float(value) for value in money.mean(axis=0) * PER],
        "low": [float(value) for value in low],
        "high": [float(value) for value in high],
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
