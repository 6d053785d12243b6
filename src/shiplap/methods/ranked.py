"""How well rows are ranked by what they bring, in figures that people know."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.metrics import ndcg_score

from shiplap.core.report import Metric
from shiplap.methods.capacity import limits, periods
from shiplap.methods.metrics import rank_correlation
from shiplap.methods.policies import limited_money, perfect_money
from shiplap.methods.question import Problem

__all__ = ["captured", "ranking_metrics"]

Floats: TypeAlias = npt.NDArray[np.float64]


def captured(problem: Problem, rows: npt.NDArray[Any], brought: Floats) -> float | None:
    """Return the share that a policy brings of what could be had if values were known; None where that is nothing.

    Parameters
    ----------
    problem : Problem
        A ranking.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are.
    brought : numpy.ndarray of shape (n,)
        What the policy brings on each.
    """
    most = float(perfect_money(problem, rows).sum())
    return float(brought.sum()) / most if most > 0 else None


def ranking_metrics(problem: Problem, rows: npt.NDArray[Any], score: Floats) -> dict[str, Metric]:
    """Judge a ranking of rows by what they bring.

    Parameters
    ----------
    problem : Problem
        A ranking.
    rows : numpy.ndarray of int64, shape (n,)
        Which rows of the problem they are.
    score : numpy.ndarray of shape (n,)
        What ranks them: the highest first.

    Returns
    -------
    dict of str to float or None
        ``captured`` is the share of what could be had within the capacity if values were known; ``ndcg`` the
        normalized discounted cumulative gain down to the capacity, the mean over its periods (Jarvelin and Kekalainen
        2002, "Cumulated gain-based evaluation of IR techniques", ACM Transactions on Information Systems 20), where
        values below 0 count as 0; ``spearman`` the rank correlation with the values.
    """
    everyone = np.ones(len(rows), bool)
    return {
        "captured": captured(problem, rows, limited_money(problem, score, everyone, rows)),
        "ndcg": _ndcg(problem, rows, score),
        "spearman": rank_correlation(problem.y[rows], score),
    }


def _ndcg(problem: Problem, rows: npt.NDArray[Any], score: Floats) -> float | None:
    period = periods(problem, rows)
    limit = limits(problem, period)
    value = np.maximum(problem.y[rows], 0.0)
    order = np.argsort(period, kind="stable")
    found = []
    for inside, most in zip(np.split(order, np.cumsum(np.bincount(period))[:-1]), limit, strict=True):
        if len(inside) > 1 and value[inside].any():
            found.append(ndcg_score(value[None, inside], score[None, inside], k=max(1, round(most))))
    return float(np.mean(found)) if found else None
