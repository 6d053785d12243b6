"""Evidence that a column knows the answer: by what it says and when it is missing, never by its name.

The kinds of leak follow Kaufman, Rosset and Perlich (2012), "Leakage in data mining: formulation, detection, and
avoidance", ACM TKDD 6, and Kapoor and Narayanan (2023), "Leakage and the reproducibility crisis in
machine-learning-based science", Patterns 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.brief import Task
from shiplap.core.finding import Grade
from shiplap.methods.metrics import auc

__all__ = [
    "Identity",
    "clock_minutes",
    "identities",
    "is_copy",
    "missing_pattern",
    "separating_pairs",
    "stands_out",
]

Floats: TypeAlias = npt.NDArray[np.float64]
_EXACT = 0.9999
_MOST_COLUMNS = 40
_DAY = 1_440


@dataclass(frozen=True)
class Identity:
    """Columns that together give the target.

    Parameters
    ----------
    columns : tuple of str
        The columns, the one that alone says most first.
    form : {"sum", "difference", "clock difference", "combination"}
        How they give it.
    agreement : float
        Share of rows on which it is exact, or R squared of the combination, or area under the ROC curve.
    """

    columns: tuple[str, ...]
    form: Literal["sum", "difference", "clock difference", "combination"]
    agreement: float


def missing_pattern(
    *, n_unlabelled: int, missing_unlabelled: int, n_labelled: int, missing_labelled: int
) -> Grade | None:
    """Judge a column by when it is missing: one that is filled in with the outcome is missing where the outcome is.

    Parameters
    ----------
    n_unlabelled, n_labelled : int
        Rows without and with a label.
    missing_unlabelled, missing_labelled : int
        Rows of each on which the column is missing.

    Returns
    -------
    {"fail", "warn"} or None
        ``fail`` when it is missing on 80 % or more of the rows without a label and on at most a tenth as large a share
        of the others; ``warn`` from 50 %; None otherwise, and for fewer than 20 rows without a label.

    Examples
    --------
    >>> missing_pattern(n_unlabelled=1000, missing_unlabelled=920, n_labelled=9000, missing_labelled=0)
    'fail'
    >>> missing_pattern(n_unlabelled=1000, missing_unlabelled=270, n_labelled=9000, missing_labelled=0)
    """
    if n_unlabelled < 20 or not n_labelled:
        return None
    share, background = missing_unlabelled / n_unlabelled, missing_labelled / n_labelled
    if background > share / 10:
        return None
    if share >= 0.8:
        return "fail"
    return "warn" if share >= 0.5 else None


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
    if len(a) < 50 or len(np.unique(b)) < 3 or len(np.unique(a)) < 3:
        return False
    ranks = [pd.Series(side).rank().to_numpy() for side in (a, b)]
    return bool(abs(np.corrcoef(ranks[0], ranks[1])[0, 1]) > _EXACT)


def clock_minutes(values: Floats) -> Floats | None:
    """Read clock times written as HHMM numbers (``517`` is 05:17) as minutes of the day; None where they are not.

    Examples
    --------
    >>> clock_minutes(np.array([517.0, 2359.0, np.nan] * 30))[:3].tolist()
    [317.0, 1439.0, nan]
    >>> clock_minutes(np.array([517.0, 575.0] * 30))
    """
    known = values[np.isfinite(values)]
    if len(known) < 50 or known.min() < 0 or known.max() > 2_400 or known.max() < 1_000:
        return None
    if np.any(np.mod(known, 1)) or np.any(np.mod(known, 100) >= 60):
        return None
    return np.asarray(values // 100 * 60 + np.mod(values, 100), dtype=np.float64)


def identities(numbers: pd.DataFrame, target: Floats) -> list[Identity]:
    """Find columns whose sum, difference or fixed combination is the target.

    Parameters
    ----------
    numbers : pandas.DataFrame of shape (n_rows, n_columns)
        Numeric columns. Of more than 40, the 40 that correlate most with the target are tried.
    target : numpy.ndarray of shape (n_rows,)
        The target, or the number it is made from.

    Returns
    -------
    list of Identity
        Pairs; only where there is none, the smallest larger set.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> numbers = pd.DataFrame({"a": rng.random(200), "b": rng.random(200) * 3, "c": rng.random(200)})
    >>> identities(numbers, (numbers["a"] + numbers["b"]).to_numpy())
    [Identity(columns=('b', 'a'), form='sum', agreement=1.0)]
    """
    known = np.isfinite(target)
    numbers, target = numbers[known], target[known]
    if len(target) < 50 or np.std(target) == 0:
        return []
    strength = {str(name): _correlation(numbers[name].to_numpy(), target) for name in numbers.columns}
    tried = sorted((name for name in strength if strength[name] < _EXACT), key=lambda name: -strength[name])
    found = []
    for a, b in combinations(tried[:_MOST_COLUMNS], 2):
        identity = _pair(a, b, numbers[a].to_numpy(), numbers[b].to_numpy(), target)
        if identity is not None:
            found.append(identity)
    return found or _larger(numbers[tried[:_MOST_COLUMNS]], target)


def _correlation(values: Floats, target: Floats) -> float:
    known = np.isfinite(values)
    a, b = values[known], target[known]
    if len(a) < 50 or np.std(a) == 0 or np.std(b) == 0:
        return 0.0
    return float(abs(np.corrcoef(a, b)[0, 1]))


def _pair(a: str, b: str, left: Floats, right: Floats, target: Floats) -> Identity | None:
    known = np.isfinite(left) & np.isfinite(right)
    x, z, y = left[known], right[known], target[known]
    if len(y) < 50 or np.std(y) == 0:
        return None
    clocks = (clock_minutes(x), clock_minutes(z))
    if clocks[0] is not None and clocks[1] is not None:
        gap = np.mod(clocks[0] - clocks[1] + _DAY / 2, _DAY) - _DAY / 2
        agreement = float(max(np.mean(np.abs(gap - y) <= 1), np.mean(np.abs(gap + y) <= 1)))
        return Identity((a, b), "clock difference", agreement) if agreement >= 0.9 else None
    fitted, r2 = _fit(np.column_stack([x, z]), y)
    if r2 < _EXACT or min(abs(fitted)) == 0:
        return None
    tolerance = 1e-6 * float(np.std(y))
    if np.mean(np.abs(x + z - y) <= tolerance) >= 0.98:
        return Identity((a, b), "sum", r2)
    if max(np.mean(np.abs(x - z - y) <= tolerance), np.mean(np.abs(z - x - y) <= tolerance)) >= 0.98:
        return Identity((a, b), "difference", r2)
    return Identity((a, b), "combination", r2)


def _fit(columns: Floats, y: Floats) -> tuple[Floats, float]:
    spread = columns.std(axis=0)
    design = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    centered = y - y.mean()
    fitted = np.linalg.lstsq(design, centered, rcond=None)[0]
    return fitted, round(1.0 - float(np.sum((centered - design @ fitted) ** 2) / np.sum(centered**2)), 12)


def _larger(numbers: pd.DataFrame, target: Floats) -> list[Identity]:
    known = np.isfinite(numbers.to_numpy()).all(axis=1)
    names = [str(name) for name in numbers.columns]
    columns, y = numbers.to_numpy()[known], target[known]
    if len(names) < 3 or len(y) < 20 * len(names) or np.std(y) == 0 or _fit(columns, y)[1] < _EXACT:
        return []
    for name in reversed(list(names)):
        rest = [other for other in names if other != name]
        if len(rest) >= 2 and _fit(numbers[rest].to_numpy()[known], y)[1] >= _EXACT:
            names = rest
    return [Identity(tuple(names), "combination", _fit(numbers[names].to_numpy()[known], y)[1])]


def separating_pairs(numbers: pd.DataFrame, hit: npt.NDArray[np.bool_]) -> list[Identity]:
    """Find pairs whose sum or difference tells the two classes apart although neither column does alone.

    Parameters
    ----------
    numbers : pandas.DataFrame of shape (n_rows, n_columns)
        Numeric columns; the first 25 are tried.
    hit : numpy.ndarray of bool, shape (n_rows,)
        The label.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> numbers = pd.DataFrame({"due": rng.random(400) * 100})
    >>> numbers["paid"] = numbers["due"] + rng.normal(0, 1, 400)
    >>> [found.columns for found in separating_pairs(numbers, (numbers["paid"] > numbers["due"]).to_numpy())]
    [('paid', 'due')]
    """
    names = [str(name) for name in numbers.columns[:25]]
    alone = {name: _apart(numbers[name].to_numpy(), hit) for name in names}
    minutes = {name: clock_minutes(numbers[name].to_numpy()) for name in names}
    found = []
    for a, b in combinations(names, 2):
        left, right = minutes[a], minutes[b]
        trials: dict[Any, Floats] = {}
        if left is not None and right is not None:
            trials["clock difference"] = np.mod(left - right + _DAY / 2, _DAY) - _DAY / 2
        else:
            trials["sum"] = (numbers[a] + numbers[b]).to_numpy()
            trials["difference"] = (numbers[a] - numbers[b]).to_numpy()
        for form, values in trials.items():
            score = _apart(values, hit)
            if score >= 0.995 and max(alone[a], alone[b]) <= 0.9:
                first, second = (a, b) if alone[a] >= alone[b] else (b, a)
                found.append(Identity((first, second), form, score))
    return found


def _apart(values: Floats, hit: npt.NDArray[np.bool_]) -> float:
    known = np.isfinite(values)
    if known.sum() < 100:
        return 0.5
    found = auc(hit[known], values[known])
    return 0.5 if found is None else max(found, 1 - found)


def stands_out(task: Task, score: float, others: list[float]) -> Grade | None:
    """Judge whether one column alone predicts implausibly well.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.
    score : float
        What the column reaches alone: R squared, or area under the ROC curve.
    others : list of float
        The same of every other column.

    Returns
    -------
    {"fail", "warn"} or None
        With skill counted from chance (0) to certainty (1): ``fail`` from 0.999, and from 0.98 where it leaves at
        most a third of the error of the next best; ``warn`` from 0.8 where the next best has less than two thirds of
        its skill.

    Examples
    --------
    >>> stands_out("binary", 1.0, [0.7]), stands_out("binary", 0.95, [0.68]), stands_out("binary", 0.97, [0.96])
    ('fail', 'warn', None)
    """
    chance = 0.0 if task == "regression" else 0.5
    skill = (score - chance) / (1 - chance)
    best = max(((other - chance) / (1 - chance) for other in others), default=0.0)
    if skill >= 0.999 or (skill >= 0.98 and 1 - skill <= (1 - best) / 3):
        return "fail"
    return "warn" if skill >= 0.8 and best < skill * 2 / 3 else None
