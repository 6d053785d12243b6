"""The best single rule: one column, one cut, one answer on either side.

Holte (1993), "Very simple classification rules perform well on most commonly used datasets", Machine Learning 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.methods.bins import binned
from shiplap.methods.capacity import allowed_share
from shiplap.methods.question import Problem

__all__ = ["Rule", "best_rule", "side_scores"]

Floats: TypeAlias = npt.NDArray[np.float64]
_FEWEST_ROWS = 10


@dataclass(frozen=True, eq=False)
class Rule:
    """A column, a cut, and the rows of the problem that lie inside it.

    Parameters
    ----------
    name : str
        The rule in words.
    inside : numpy.ndarray of bool, shape (n_rows,)
        For every row of the problem.
    """

    name: str
    inside: npt.NDArray[np.bool_]


def side_scores(problem: Problem, rows: npt.NDArray[Any]) -> Floats:
    """Lay out what is added up on either side of a cut.

    Returns
    -------
    numpy.ndarray of shape (n, k)
        Money by decision with values; one-hot classes without; the number and its square for regression.
    """
    if problem.worth is not None:
        return np.asarray(problem.worth[rows])
    y = problem.y[rows]
    if problem.task == "regression":
        centered = y - y.mean()
        return np.column_stack([centered, centered**2])
    return np.asarray(np.eye(len(problem.classes))[y])


def best_rule(problem: Problem, rows: npt.NDArray[Any]) -> Rule | None:
    """Find the rule that would have done best on some rows; None where no column can be cut.

    Parameters
    ----------
    problem : Problem
        What is asked. With values the rule that earns most is sought, else the one with the least loss.
    rows : numpy.ndarray of int64
        The rows it is learned from.
    """
    scores = side_scores(problem, rows)
    most = allowed_share(problem, rows) if problem.acts else 1.0
    best: tuple[float, Rule] | None = None
    for column in problem.schema:
        codes, names = binned(problem.X[column.name], bins=20)
        ordered = column.kind in ("number", "date", "boolean")
        sums: Floats = np.column_stack(
            [np.bincount(codes[rows], weights=part, minlength=len(names)) for part in scores.T]
        ).astype(np.float64)
        counts = np.bincount(codes[rows], minlength=len(names))
        value, members = _best_cut(problem, sums, counts, ordered=ordered, most=most)
        if members is not None and (best is None or value > best[0]):
            best = value, Rule(_spoken(column.name, names, members, ordered=ordered), np.isin(codes, members))
    return best[1] if best else None


def _best_cut(
    problem: Problem, sums: Floats, counts: npt.NDArray[Any], *, ordered: bool, most: float
) -> tuple[float, npt.NDArray[np.int64] | None]:
    inside_sums, inside_counts = (np.cumsum(sums, 0), np.cumsum(counts)) if ordered else (sums, counts)
    total, n_rows = sums.sum(axis=0), counts.sum()
    best, members = -np.inf, None
    for place in range(len(counts) - (1 if ordered else 0)):
        n_inside = int(inside_counts[place])
        if min(n_inside, n_rows - n_inside) < _FEWEST_ROWS:
            continue
        left = inside_sums[place]
        right, n_outside = total - left, int(n_rows) - n_inside
        if most < 1:
            value = _limited(left, right, n_inside, n_outside, most)
        else:
            value = _worth(problem, left, n_inside) + _worth(problem, right, n_outside)
        if value > best:
            best, members = value, np.arange(place + 1) if ordered else np.array([place])
    return best, members


def _limited(left: Floats, right: Floats, n_left: int, n_right: int, most: float) -> float:
    """Return what acting on the better side first brings where only a share of the rows can be acted on."""
    value, room = float(left[0] + right[0]), most * (n_left + n_right)
    sides = ((float(side[1] - side[0]), count) for side, count in ((left, n_left), (right, n_right)))
    for gain, count in sorted(sides, key=lambda side: -side[0] / side[1]):
        acted = min(room, count)
        value += max(0.0, gain) * acted / count
        room -= acted
    return value


def _worth(problem: Problem, sums: Floats, count: int) -> float:
    """Return the best that one answer brings on one side: money, or minus the loss."""
    if problem.worth is not None:
        return float(sums.max())
    if problem.task == "regression":
        return float(sums[0] ** 2 / count - sums[1])
    shares = sums / count
    known = shares[shares > 0]
    return float(count * np.sum(known * np.log(known)))


def _spoken(column: str, names: list[str], members: npt.NDArray[np.int64], *, ordered: bool) -> str:
    if not ordered:
        return f"{column} is {names[int(members[0])]}"
    return f"{column} up to {names[int(members[-1])].split(' to ')[-1]}"
