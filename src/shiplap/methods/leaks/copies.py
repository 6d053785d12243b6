"""Copies of the target: in other units, with noise, cut into pieces, under other names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.finding import Finding, Grade
from shiplap.methods.leaks.found import suspect
from shiplap.methods.leaks.sample import Floats, Ints, Sample, levels

__all__ = ["copies", "cut_agreement", "is_copy", "label_agreement"]

_EXACT = 0.9999
_FEWEST = 50
_SURE, _LIKELY = 0.98, 0.9
_MOST_PIECES = 100
_PURE, _MANY = 0.3, 100


def copies(sample: Sample) -> list[Finding]:
    """Accuse columns that are the target, or the number it is made from, under another name.

    Parameters
    ----------
    sample : Sample
        The rows.

    Returns
    -------
    list of Finding
        ``leak.copy`` for the same order, ``leak.pieces`` for a number cut into pieces, ``leak.relabelled`` for classes
        under other names: ``fail`` where they agree on 98 % of what chance leaves open, ``warn`` from 90 %,
        and ``fail`` there too where a class never has the other's value.
    """
    found = []
    for name in sample.tried:
        for source in sample.sources.columns:
            numbers = sample.sources[source].to_numpy()
            if sample.X[name].dtype.kind == "f" and is_copy(sample.X[name].to_numpy(), numbers):
                means = f"'{name}' is {source} in other units: their orders agree"
                found.append(suspect("leak.copy", "fail", name, means, value=1.0))
            else:
                found += _pieces(sample.X[name], str(source), numbers)
        if sample.problem.task != "regression":
            found += _relabelled(sample, name)
    return found


def is_copy(values: Floats, y: Floats) -> bool:
    """Say whether one numeric column is a monotone transform of another: their ranks agree.

    Rows on which either is missing are left out; fewer than 50 rows or 3 distinct values prove nothing.

    Examples
    --------
    >>> y = np.arange(100.0)
    >>> is_copy(np.exp(-y / 10), y), is_copy(np.mod(y * 7, 13), y)
    (True, False)
    """
    known = np.isfinite(values) & np.isfinite(y)
    a, b = values[known], y[known]
    if len(a) < _FEWEST or len(np.unique(b)) < 3 or len(np.unique(a)) < 3:
        return False
    ranks = [pd.Series(side).rank().to_numpy() for side in (a, b)]
    return bool(abs(np.corrcoef(ranks[0], ranks[1])[0, 1]) > _EXACT)


def _pieces(column: pd.Series, source: str, numbers: Floats) -> list[Finding]:
    codes, n_levels = levels(column)
    known = np.isfinite(numbers)
    n_values = len(np.unique(numbers[known]))
    if not 2 <= n_levels <= min(_MOST_PIECES, n_values / 5) or known.sum() < _FEWEST:
        return []
    agreement = cut_agreement(codes[known], numbers[known])
    grade = _grade(agreement)
    if grade is None:
        return []
    if n_levels == 2 and _one_value_side(codes[known], numbers[known]):
        grade = "warn"  # a switch that is off where nothing can happen: a closed shop sells nothing
    means = (
        f"the values of '{column.name}' are pieces of {source}: sorted by {source} they come one after the other, "
        f"on {agreement:.1%} of what chance leaves open"
    )
    return [suspect("leak.pieces", grade, str(column.name), means, value=agreement, limit=_LIKELY)]


def cut_agreement(codes: Ints, y: Floats) -> float:
    """Say how far the values of a column are intervals of a number: 1 where no two of them overlap, 0 by chance.

    Cohen's kappa (1960, Educational and Psychological Measurement 20) between the values and those that cutting the
    number into as many pieces of the same sizes would give.

    Parameters
    ----------
    codes : numpy.ndarray of int64, shape (n_rows,)
        Value of each row.
    y : numpy.ndarray of shape (n_rows,)
        The number.

    Examples
    --------
    >>> y = np.arange(100.0)
    >>> cut_agreement((y // 25).astype(int), y), cut_agreement((y % 4).astype(int), y) < 0.1
    (1.0, True)
    """
    sizes = np.bincount(codes)
    middle = np.bincount(codes, weights=y) / np.maximum(sizes, 1)
    place = np.argsort(np.argsort(middle, kind="stable"), kind="stable")[codes]
    pieces = np.sort(place)
    agreed = float(np.mean(place[np.argsort(y, kind="stable")] == pieces))
    by_chance = float(np.sum((sizes / len(codes)) ** 2))
    return (agreed - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def _one_value_side(codes: Ints, y: Floats) -> bool:
    return any(np.ptp(y[codes == code]) == 0 for code in range(2) if (codes == code).any())


def _relabelled(sample: Sample, name: str) -> list[Finding]:
    codes, n_levels = levels(sample.X[name])
    if not 2 <= n_levels <= len(codes) / 5:
        return []
    agreement = label_agreement(codes, sample.y)
    grade = _grade(agreement)
    if grade is None or (grade == "warn" and n_levels > 2 * len(np.unique(sample.y))):
        return []
    means = (
        f"each value of '{name}' stands for one label: from other rows of the same value the label follows "
        f"on {agreement:.1%} of what chance leaves open"
    )
    pure = _pure_rows(codes, sample.y)
    if grade == "warn" and pure >= _PURE:
        grade, means = "fail", f"{means}, and without exception on {pure:.0%} of the rows"
    return [suspect("leak.relabelled", grade, name, means, value=agreement, limit=_LIKELY)]


def _pure_rows(codes: Ints, y: npt.NDArray[Any]) -> float:
    """Share of the rows whose value, if at least 100 rows carry it, goes with one label without exception."""
    width = int(y.max()) + 1
    counts = np.bincount(codes * width + y, minlength=(int(codes.max()) + 1) * width).reshape(-1, width)
    rows = counts.sum(axis=1)
    return float(np.sum(rows[(counts.max(axis=1) == rows) & (rows >= _MANY)])) / len(y)


def label_agreement(codes: Ints, y: npt.NDArray[Any]) -> float:
    """Say how far each value of a column carries one label only: 1 without exception, 0 by chance.

    A row is told by the most frequent label of the other rows of its value; Cohen's kappa of that against always
    saying the most frequent label.

    Parameters
    ----------
    codes : numpy.ndarray of int64, shape (n_rows,)
        Value of each row.
    y : numpy.ndarray of int64, shape (n_rows,)
        Code of its label.

    Examples
    --------
    >>> y = np.arange(100) % 2
    >>> label_agreement(y + 2 * (np.arange(100) % 3), y), label_agreement(np.arange(100), y)
    (1.0, -1.0)
    """
    width = int(y.max()) + 1
    counts = np.bincount(codes * width + y, minlength=(int(codes.max()) + 1) * width).reshape(-1, width)
    ordered = np.sort(counts, axis=1)
    most, second = ordered[:, -1], ordered[:, -2] if width > 1 else np.zeros(len(counts), np.int64)
    told = float(np.sum(most[(most >= 2) & (most - 1 >= second)])) / len(y)
    plain = float(np.bincount(y).max()) / len(y)
    return (told - plain) / (1 - plain) if plain < 1 else 0.0


def _grade(agreement: float) -> Grade | None:
    if agreement >= _SURE:
        return "fail"
    return "warn" if agreement >= _LIKELY else None
