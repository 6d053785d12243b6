"""The best single column to rank by: its highest or its lowest rows come first, as long as that pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.methods.capacity import allowed_share
from shiplap.methods.question import Problem

__all__ = ["Order", "best_order"]

Floats: TypeAlias = npt.NDArray[np.float64]
_MOST_ROWS = 50_000


@dataclass(frozen=True, eq=False)
class Order:
    """A column, a direction, and how far to go.

    Parameters
    ----------
    name : str
        The order in words.
    priority : numpy.ndarray of shape (n_rows,)
        What comes first, for every row of the problem: the highest.
    wanted : numpy.ndarray of bool, shape (n_rows,)
        On which rows it would act, if there is room.
    """

    name: str
    priority: Floats
    wanted: npt.NDArray[np.bool_]


def best_order(problem: Problem, rows: npt.NDArray[Any]) -> Order | None:
    """Find the column whose order would have earned most on some rows; None where none would have earned.

    Parameters
    ----------
    problem : Problem
        One in which it is acted or not.
    rows : numpy.ndarray of int64
        The rows it is learned from; a sample of 50,000 where there are more.
    """
    if problem.worth is None:
        return None
    most = allowed_share(problem, rows)
    if len(rows) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(problem.brief.seed).permutation(rows)[:_MOST_ROWS])
    gain = problem.worth[rows, 1] - problem.worth[rows, 0]
    best, chosen = 0.0, None
    for column in problem.schema:
        if column.kind not in ("number", "date"):
            continue
        values = _numbers(problem.X[column.name])
        for sign, first in ((1.0, "highest"), (-1.0, "lowest")):
            brought, least = _best_prefix(sign * values[rows], gain, most)
            if brought > best:
                best, chosen = brought, (column.name, sign, first, least)
    if chosen is None:
        return None
    name, sign, first, least = chosen
    values = sign * _numbers(problem.X[name])
    priority = np.where(np.isnan(values), -np.inf, values)
    return Order(f"the {first} '{name}' first", priority, priority >= least)


def _numbers(values: pd.Series) -> Floats:
    if values.dtype.kind != "M":
        return values.to_numpy(dtype=np.float64)
    moments = values.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64))


def _best_prefix(values: Floats, gain: Floats, most: float) -> tuple[float, float]:
    """Return what acting on the highest values first brings at best, and down to which value.

    Rows of one value share what room is left. Where the room is used up, no value is too low: later rows may leave
    more of it.
    """
    known = ~np.isnan(values)
    if not known.any():
        return 0.0, np.inf
    levels, level = np.unique(-values[known], return_inverse=True)
    counts = np.bincount(level).astype(np.float64)
    sums = np.bincount(level, weights=gain[known])
    room = most * len(values)
    taken = np.clip(room - (np.cumsum(counts) - counts), 0.0, counts)
    brought = np.cumsum(sums * taken / counts)
    best = int(np.argmax(brought))
    full = best == np.flatnonzero(taken)[-1] and taken.sum() >= room - 1e-9
    return float(brought[best]), -np.inf if full else -float(levels[best])
