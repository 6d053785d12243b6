"""Pairs and triples of columns that know the target only together, as in an exclusive or."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.methods.leaks.copies import label_agreement
from shiplap.methods.leaks.joint import Identity
from shiplap.methods.leaks.sample import Floats, Ints, Sample, levels, skill, together

__all__ = ["interplays"]

_FEW_LEVELS, _BINS = 32, 8
_MOST_SIGNS = 90
_MOST_WORK = 8_000
"""Pairs of columns, times the classes that each is held against."""
_PAIR, _BEYOND = 0.5, 0.3
_PARITY = 0.5
_CONFIRMED = 0.9
_MOST_CONFIRMED = 4


def interplays(sample: Sample, names: list[str], alone: dict[str, float]) -> list[tuple[Identity, float]]:
    """Find pairs and triples that together say almost everything though each alone says little.

    Pairs by the target's variance between the cells that two columns make (Goodman and Kruskal's tau for classes,
    the correlation ratio for numbers, both less what chance gives to so many cells); triples by parity, the one
    pattern of three that no pair shows. Both are then confirmed by trees on rows these did not see.

    Parameters
    ----------
    sample : Sample
        The rows.
    names : list of str
        Columns to combine; the first 126 of them, and fewer for many classes.
    alone : dict of str to float
        What each says alone.

    Returns
    -------
    list of (Identity, float)
        Columns whose joint skill is at least 0.9 and at least 0.3 above the better one's, with that skill.

    Examples
    --------
    >>> from shiplap.methods.leaks.sample import sample_of
    >>> from shiplap.methods.question import pose
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame(rng.normal(size=(800, 4)), columns=list("abcd"))
    >>> rows["y"] = (rows["a"] > 0) ^ (rows["c"] > 0)
    >>> sample = sample_of(pose(rows, question={"target": "y"}))
    >>> [found.columns for found, _ in interplays(sample, list("abcd"), dict.fromkeys("abcd", 0.5))]
    [('a', 'c')]
    """
    task = sample.problem.task
    y = _targets(sample)
    names = names[: int(np.sqrt(2 * _MOST_WORK / y.shape[1]))]
    suspected = [*_pairs(sample, names, y), *_triples(sample, names, y)]
    found: list[tuple[Identity, float]] = []
    for columns, _ in sorted(suspected, key=lambda pair: (-pair[1], pair[0]))[:_MOST_CONFIRMED]:
        if any(set(known.columns) <= set(columns) for known, _ in found):
            continue
        certainty = max(skill(task, together(sample, list(columns))), _in_cells(sample, columns))
        best = max(skill(task, alone[name]) for name in columns)
        if certainty >= max(_CONFIRMED, best + _BEYOND):
            found.append((Identity(tuple(columns), "interplay", certainty), certainty))
    return found


def _in_cells(sample: Sample, columns: tuple[str, ...]) -> float:
    """How far each cell of values carries one label only, told from the other rows of the cell (`label_agreement`)."""
    if sample.problem.task == "regression":
        return 0.0
    joint = np.zeros(len(sample.y), np.int64)
    for name in columns:
        codes, size = levels(sample.X[name])
        joint = joint * size + codes if size <= _FEW_LEVELS else joint * (_FEW_LEVELS + 1) + sample.codes[name]
    cells = np.unique(joint, return_inverse=True)[1].astype(np.int64)
    return label_agreement(cells, sample.y) if int(cells.max()) < len(cells) / 3 else 0.0


def _targets(sample: Sample) -> Floats:
    """Return the target of the few rows, centered: a number, or one column for each frequent class; shape (n, k)."""
    y = sample.y[sample.few]
    if sample.problem.task == "regression":
        ranks = pd.Series(y).rank().to_numpy()[:, None]
        return np.asarray(ranks - ranks.mean(axis=0))
    rows = np.bincount(y)
    shares = np.eye(len(rows))[y][:, rows >= 1]
    return np.asarray(shares - shares.mean(axis=0))


def _pairs(sample: Sample, names: list[str], y: Floats) -> list[tuple[tuple[str, ...], float]]:
    cells = {name: _cells(sample, name) for name in names}
    spread = float(np.sum(y**2))
    single = {name: _explained(codes, size, y, spread) for name, (codes, size) in cells.items()}
    found: list[tuple[tuple[str, ...], float]] = []
    for a, b in combinations(names, 2):
        (left, n_left), (right, n_right) = cells[a], cells[b]
        if n_left * n_right > len(y) / 3 or max(single[a], single[b]) > 1 - _BEYOND:
            continue
        both = _explained(left * n_right + right, n_left * n_right, y, spread)
        if both >= max(_PAIR, single[a] + single[b] + _BEYOND):
            found.append(((a, b), both))
    return found


def _cells(sample: Sample, name: str) -> tuple[Ints, int]:
    codes, size = levels(sample.X[name].iloc[sample.few])
    if size > _FEW_LEVELS:
        codes = sample.codes[name][sample.few] * _BINS // (_FEW_LEVELS + 1)
        codes, size = levels(pd.Series(codes))
    return codes, size


def _explained(codes: Ints, size: int, y: Floats, spread: float) -> float:
    """Share of the variance between cells, less what chance gives to so many cells."""
    rows = np.bincount(codes, minlength=size)
    between = sum(
        float(np.sum(np.bincount(codes, weights=column, minlength=size) ** 2 / np.maximum(rows, 1))) for column in y.T
    )
    used = int(np.sum(rows > 0))
    by_chance = (used - 1) / max(1, len(codes) - 1)
    return (between / spread - by_chance) / (1 - by_chance) if spread and by_chance < 1 else 0.0


def _triples(sample: Sample, names: list[str], y: Floats) -> list[tuple[tuple[str, ...], float]]:
    """Find triples of signs whose product goes with the target: all at once, one matrix product a column."""
    signs, owners = _signs(sample, names)
    target = y[:, np.argmax(np.sum(y**2, axis=0))]
    target = target / (np.std(target) or 1.0)
    n_signs = len(owners)
    found: dict[tuple[str, ...], float] = {}
    for place in range(n_signs):
        product = np.abs((signs * (target * signs[:, place])[:, None]).T @ signs) / len(target)
        for other, third in zip(*np.nonzero(np.triu(product, 1) >= _PARITY), strict=True):
            columns = tuple(dict.fromkeys((owners[place], owners[other], owners[third])))
            if place < other and len(columns) == 3:
                found[columns] = max(found.get(columns, 0.0), float(product[other, third]))
    return list(found.items())


def _signs(sample: Sample, names: list[str]) -> tuple[Floats, list[str]]:
    """Code every column as +-1: numbers above and below the median, the frequent values of others against the rest."""
    signs: list[npt.NDArray[Any]] = []
    owners: list[str] = []
    for name in names:
        column = sample.X[name].iloc[sample.few]
        if column.dtype.kind in "fM" and column.nunique() > 2:
            halves = [(column > column.median()).to_numpy()]
        else:
            halves = [(column == value).to_numpy() for value in column.value_counts().index[:2]]
        for half in halves[: 1 if column.nunique() <= 2 else 2]:
            if 0.1 <= half.mean() <= 0.9 and len(owners) < _MOST_SIGNS:
                signs.append(np.where(half, 1.0, -1.0))
                owners.append(name)
    return (np.column_stack(signs) if signs else np.empty((len(sample.few), 0))), owners
