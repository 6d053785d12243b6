"""Columns computed over the whole table: means of the target that a row had a part in, and scaling with the test rows.

A mean of the target by category that contains the row's own label is told from an honest score by how well it fits: a
score learned elsewhere differs from the labels by their noise, this one does not. Micci-Barreca (2001), "A
preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 3, is the encoding done right
only across folds.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from shiplap.core.finding import Finding
from shiplap.methods.leaks.found import suspect
from shiplap.methods.leaks.sample import Floats, Ints, levels
from shiplap.methods.query import quoted
from shiplap.methods.question import Problem

__all__ = ["encodings", "left_in", "left_out", "scaled"]

_Levels: TypeAlias = tuple[Ints, int]
_NEAR_MEAN = 0.1
_TOO_GOOD = 0.05
_FEWEST_LEVELS, _FEWEST_MERGED = 4, 8
_MOST_CLASSES = 12
_FEWEST_ROWS, _LEFT_OUT = 50, 0.8
_MOST_ROWS = 400_000
_CENTERED = 1e-5
_ENCODE = "give the category itself: Shiplap learns the mean of each category inside the folds"


def encodings(problem: Problem, tried: tuple[str, ...]) -> list[Finding]:
    """Accuse numbers that are means of the target over rows that include the row itself, or all others of its group.

    Parameters
    ----------
    problem : Problem
        All labelled rows: a mean over a table is exact on the table only.
    tried : tuple of str
        Columns to look at.

    Returns
    -------
    list of Finding
        ``leak.encoding``, all of them ``fail``.
    """
    if problem.n_rows > _MOST_ROWS:
        return []
    targets = _targets(problem)
    numbers = [name for name in tried if problem.schema[name].kind == "number"]
    groups: dict[str, _Levels] = {}
    found = []
    for name in numbers:
        values = problem.X[name].to_numpy()
        likely = [target for target in targets if _near(values, target)]
        if not likely:
            continue
        own = levels(problem.X[name])
        groups = groups or {other: levels(problem.X[other]) for other in tried if _groups(problem, other)}
        evidence = _evidence(values, likely, {name: own, **groups})
        if evidence is not None:
            by, how = evidence
            of = "" if by == name else f" by '{by}'"
            means = f"'{name}' is the mean of the target{of} over the whole table, {how}"
            todo = f"drop=['{name}'] and {_ENCODE}"
            found.append(suspect("leak.encoding", "fail", name, means, todo=todo))
    return found


def _targets(problem: Problem) -> list[Floats]:
    if problem.task == "regression":
        return [problem.y.astype(np.float64)]
    frequent = np.argsort(-np.bincount(problem.y), kind="stable")[:_MOST_CLASSES]
    return [(problem.y == code).astype(np.float64) for code in frequent]


def _near(values: Floats, target: Floats) -> bool:
    """Say whether a number can be a mean of the target: about the same mean, no wider."""
    known = np.isfinite(values)
    if known.sum() < 100:
        return False
    x, spread = values[known], float(np.std(target))
    lies = float(target.min()) - 1e-9 <= x.min() and x.max() <= float(target.max()) + 1e-9
    near = abs(float(np.mean(x) - np.mean(target[known]))) <= _NEAR_MEAN * spread
    return bool(lies and near and 0 < np.std(x) <= spread)


def _groups(problem: Problem, name: str) -> bool:
    column = problem.schema[name]
    return column.kind in ("category", "boolean") or 2 < column.n_distinct <= problem.n_rows / 5


def _evidence(values: Floats, targets: list[Floats], groups: dict[str, _Levels]) -> tuple[str, str] | None:
    for target in targets:
        for by, (codes, n_levels) in groups.items():
            if left_in(values, target, codes, n_levels):
                return by, "the row's own label included"
    for target in targets:
        for by, (codes, n_levels) in groups.items():
            if left_out(values, target, codes, n_levels):
                return by, "each row's own label left out: what is missing from the mean is the label"
    return None


def left_in(values: Floats, target: Floats, codes: Ints, n_levels: int) -> bool:
    """Say whether a number is the mean of the target by group, smoothed or not, each row's own target included.

    Parameters
    ----------
    values, target : numpy.ndarray of shape (n_rows,)
        The number and the target.
    codes : numpy.ndarray of int64, shape (n_rows,)
        Group of each row.
    n_levels : int
        Number of groups.

    Returns
    -------
    bool
        True where the number differs from the means of its groups by less than a twentieth of what the noise of the
        labels would make an honest score differ (a chi-squared statistic with one degree of freedom a group).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> group, y = rng.integers(0, 20, 1000), rng.normal(size=1000)
    >>> mean = np.bincount(group, y) / np.bincount(group)
    >>> left_in(mean[group], y, group, 20), left_in(rng.normal(size=20)[group] / 10, y, group, 20)
    (True, False)
    """
    rows = np.bincount(codes, minlength=n_levels).astype(np.float64)
    full = np.maximum(rows, 1)
    value = np.bincount(codes, weights=values, minlength=n_levels) / full
    if np.nansum((values - value[codes]) ** 2) > 1e-9 * np.nansum((values - np.nanmean(values)) ** 2):
        return False
    mean = np.bincount(codes, weights=target, minlength=n_levels) / full
    within = float(np.sum((target - mean[codes]) ** 2))
    used = (rows >= 2) & np.isfinite(value)
    n_used = int(used.sum())
    if n_used < _FEWEST_LEVELS or rows[used].sum() < 0.5 * len(codes) or len(np.unique(value[used])) < _FEWEST_LEVELS:
        return False
    noise = within / max(1.0, float(rows.sum()) - n_levels)
    if noise <= 1e-9 * float(np.var(target)):
        return False
    prior = float(np.mean(target))
    for weight, merged in _smoothings(value[used], mean[used], rows[used], prior):
        given = value[used] + weight * merged * (value[used] - prior) / rows[used]
        misfit = float(np.sum(rows[used] * (given - mean[used]) ** 2)) / noise
        if misfit <= _TOO_GOOD * n_used:
            return True
    return False


def _smoothings(value: Floats, mean: Floats, rows: Floats, prior: float) -> list[tuple[float, Floats]]:
    """Say how many rows of the overall mean may have been mixed into each group, and how many groups are one value.

    None at all; as many as fit by least squares; or, where groups of equal size and mean have become one value and
    their category is gone, as many as most values say: those of several groups say a whole multiple of it.
    """
    pull, alone = prior - value, np.ones(len(value))
    if not np.any(pull):
        return [(0.0, alone)]
    mixed = np.divide(rows * (value - mean), pull, out=np.zeros(len(value)), where=pull != 0)
    found = [(0.0, alone), (max(0.0, float(np.average(mixed, weights=pull**2))), alone)]
    order = np.argsort(mixed, kind="stable")
    reached = np.cumsum(pull[order] ** 2)
    weight = float(mixed[order][np.searchsorted(reached, reached[-1] / 2)])
    if weight > 0 and len(value) >= _FEWEST_MERGED:
        times = np.maximum(1.0, np.round(mixed / weight))
        found.append((weight, np.where(np.mod(rows, times) == 0, times, 1.0)))
    return found


def left_out(values: Floats, target: Floats, codes: Ints, n_levels: int) -> bool:
    """Say whether a number is the mean of the target over the other rows of the group: then it gives the row's own.

    Only groups within which the target differs tell: there it is so on four rows of five. On the others rows may have
    counted that are no part of the problem, such as those of a class too rare to learn.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> group, y = rng.integers(0, 20, 1000), rng.normal(size=1000)
    >>> rows, total = np.bincount(group), np.bincount(group, y)
    >>> left_out((total[group] - y) / (rows[group] - 1), y, group, 20)
    True
    """
    rows = np.bincount(codes, minlength=n_levels).astype(np.float64)
    total = np.bincount(codes, weights=target, minlength=n_levels)
    apart = np.bincount(codes, weights=(target - (total / np.maximum(rows, 1))[codes]) ** 2, minlength=n_levels)
    used = np.isfinite(values) & (apart > 1e-9 * float(np.var(target)))[codes]
    if used.sum() < max(_FEWEST_ROWS, 0.2 * len(codes)) or n_levels > len(codes) / 2:
        return False
    mean = ((total[codes] - target) / np.maximum(rows[codes] - 1, 1))[used]
    return bool(np.mean(np.abs(mean - values[used]) <= 1e-6 * float(np.std(target))) >= _LEFT_OUT)


def scaled(problem: Problem, tried: tuple[str, ...]) -> list[Finding]:
    """Find numbers that were centered over this very table: their mean is 0 to more digits than chance gives.

    The mean over all rows, the test rows among them, was known when they were computed. One finding for all of them.
    """
    numbers = [name for name in tried if problem.schema[name].kind == "number"]
    if not numbers:
        return []
    asked = [f"avg({quoted(name)}), stddev_pop({quoted(name)})" for name in numbers]
    moments = problem.table.frame.fetch(" ".join(("SELECT", ", ".join(asked), "FROM rows")))[0]
    centered = [
        name
        for name, mean, spread in zip(numbers, moments[::2], moments[1::2], strict=True)
        if spread and abs(mean) <= _CENTERED * spread and problem.schema[name].n_distinct > 20
    ]
    if not centered:
        return []
    shown = ", ".join(f"'{name}'" for name in centered[:5]) + (" ..." if len(centered) > 5 else "")
    means = (
        f"the mean of {shown} over the table is exactly 0: {'they were' if len(centered) > 1 else 'it was'} centered "
        "over all rows, those to be tested on included"
    )
    todo = "give the raw numbers: a pipeline that scales inside the folds is what will run in production"
    columns = tuple(centered)
    return [Finding(check="leak.scaled", verdict="warn", means=means, todo=todo, columns=columns, limit=_CENTERED)]
