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
_MOST_COLUMNS, _MOST_SIGNS = 120, 150
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
        Columns to combine; of more than 120 the first 120.
    alone : dict of str to float
        What each says alone.

    Returns
    -------
    list of (Identity, float)
        Columns whose joint skill is at least 0.9 and leaves at most a third of the error of each, with that skill.

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
    names = names[:_MOST_COLUMNS]
    suspected = [*_pairs(sample, names), *_triples(sample, names)]
    found: list[tuple[Identity, float]] = []
    for columns, _ in sorted(suspected, key=lambda pair: (-pair[1], pair[0]))[:_MOST_CONFIRMED]:
        if any(set(known.columns) <= set(columns) for known, _ in found):
            continue
        certainty = max(skill(task, together(sample, list(columns))), _in_cells(sample, columns))
        best = max(skill(task, alone[name]) for name in columns)
        if certainty >= _CONFIRMED and 1 - certainty <= (1 - best) / 3:
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


def _pairs(sample: Sample, names: list[str]) -> list[tuple[tuple[str, ...], float]]:
    cells = {name: _cells(sample, name) for name in names}
    y = sample.y[sample.few]
    if sample.problem.task == "regression":
        y = pd.Series(y).rank().to_numpy()
    single = {name: _explained(codes, size, y) for name, (codes, size) in cells.items()}
    found: list[tuple[tuple[str, ...], float]] = []
    for a, b in combinations(names, 2):
        (left, n_left), (right, n_right) = cells[a], cells[b]
        if n_left * n_right > len(y) / 3 or max(single[a], single[b]) > 1 - _BEYOND:
            continue
        both = _explained(left * n_right + right, n_left * n_right, y)
        if both >= max(_PAIR, single[a] + single[b] + _BEYOND):
            found.append(((a, b), both))
    return found


def _cells(sample: Sample, name: str) -> tuple[Ints, int]:
    codes, size = levels(sample.X[name].iloc[sample.few])
    if size > _FEW_LEVELS:
        codes = sample.codes[name][sample.few] * _BINS // (_FEW_LEVELS + 1)
        codes, size = levels(pd.Series(codes))
    return codes, size


def _explained(codes: Ints, size: int, y: npt.NDArray[Any]) -> float:
    """Share of the variance of a number, or of classes, between cells, less what chance gives to so many cells."""
    rows = np.bincount(codes, minlength=size)
    if y.dtype.kind == "f":
        total = np.bincount(codes, weights=y - y.mean(), minlength=size)
        between, spread = float(np.sum(total**2 / np.maximum(rows, 1))), float(np.sum((y - y.mean()) ** 2))
    else:
        width = int(y.max()) + 1
        counts = np.bincount(codes * width + y, minlength=size * width).reshape(size, width)
        plain = float(np.sum(counts.sum(axis=0) ** 2)) / len(y)
        between = float(np.sum(counts**2 / np.maximum(rows, 1)[:, None])) - plain
        spread = len(y) - plain
    used = int(np.sum(rows > 0))
    by_chance = (used - 1) / max(1, len(codes) - 1)
    return (between / spread - by_chance) / (1 - by_chance) if spread and by_chance < 1 else 0.0


def _triples(sample: Sample, names: list[str]) -> list[tuple[tuple[str, ...], float]]:
    """Find triples of signs whose product goes with the target: all at once, one matrix product a column."""
    signs, owners = _signs(sample, names)
    y = sample.y[sample.few]
    number = sample.problem.task == "regression"
    target = pd.Series(y).rank().to_numpy() if number else (y == np.argmax(np.bincount(y))).astype(np.float64)
    target = (target - target.mean()) / (np.std(target) or 1.0)
    found: dict[tuple[str, ...], float] = {}
    for place in range(len(owners)):
        by_one = signs * signs[:, place][:, None]
        mean = by_one.T @ signs / len(target)  # a product of signs that is mostly one sign varies little
        related = np.abs((by_one * target[:, None]).T @ signs) / len(target) / np.sqrt(np.maximum(1 - mean**2, 1e-3))
        for other, third in zip(*np.nonzero(np.triu(related, 1) >= _PARITY), strict=True):
            columns = tuple(dict.fromkeys((owners[place], owners[other], owners[third])))
            if place < other and len(columns) == 3:
                found[columns] = max(found.get(columns, 0.0), float(related[other, third]))
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
