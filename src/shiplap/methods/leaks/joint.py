"""Columns that give the target together: sums, differences, products, ratios, clock times, and what only pairs know.

The kinds of leak follow Kaufman, Rosset and Perlich (2012), "Leakage in data mining: formulation, detection, and
avoidance", ACM TKDD 6, and Kapoor and Narayanan (2023), "Leakage and the reproducibility crisis in
machine-learning-based science", Patterns 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.methods.leaks.sample import Floats
from shiplap.methods.metrics import auc

__all__ = ["Form", "Identity", "clock_minutes", "identities", "separating_pairs"]

Form: TypeAlias = Literal["sum", "difference", "clock difference", "product", "ratio", "combination", "interplay"]
_EXACT = 0.9999
_MOST_COLUMNS, _MOST_SEPARATING = 40, 60
_FORMS: tuple[Form, ...] = ("sum", "difference", "ratio", "product")
_DAY = 1_440
_SCREENED = 400
_ROUNDED = 0.005
_AGREED = 0.98
_SEPARATES, _LESS_ALONE = 0.995, 0.9


@dataclass(frozen=True)
class Identity:
    """Columns that together give the target.

    Parameters
    ----------
    columns : tuple of str
        The columns, the one that alone says most first.
    form : {"sum", "difference", "clock difference", "product", "ratio", "combination", "interplay"}
        How they give it.
    agreement : float
        Share of rows on which it is exact, or R squared of the combination, or area under the ROC curve.
    """

    columns: tuple[str, ...]
    form: Form
    agreement: float


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
    """Find columns whose sum, difference, product, ratio or fixed combination is the target.

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
        left, right = numbers[a].to_numpy(), numbers[b].to_numpy()
        identity = _pair(a, b, left, right, target) or _scaled(a, b, left, right, target)
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


def _scaled(a: str, b: str, left: Floats, right: Floats, target: Floats) -> Identity | None:
    """Find a product or a ratio, in any unit: what the target is of it is one number on all rows."""
    forms: tuple[tuple[Form, Floats, Floats], ...] = (
        ("product", left * right, target),
        ("ratio", left, target * right),
        ("ratio", right, target * left),
    )
    for form, made, given in forms:
        if _one_factor(made[:_SCREENED], given[:_SCREENED]) >= _AGREED:
            agreement = _one_factor(made, given)
            if agreement >= _AGREED:
                return Identity((a, b), form, agreement)
    return None


def _one_factor(made: Floats, given: Floats) -> float:
    """Share of the rows on which one number is the same multiple of another, to half a percent."""
    known = np.isfinite(made) & np.isfinite(given)
    made, given = made[known], given[known]
    some = (made != 0) & (given != 0)
    if some.sum() < 50:
        return 0.0
    middle = float(np.median(given[some] / made[some]))
    return float(np.mean(np.abs(given - middle * made) <= _ROUNDED * np.abs(middle * made)))


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
    """Find pairs of columns whose sum, difference or ratio separates two classes though neither alone does.

    Parameters
    ----------
    numbers : pandas.DataFrame of shape (n_rows, n_columns)
        Numeric columns; of more than 60 the 60 with most different values.
    hit : numpy.ndarray of bool, shape (n_rows,)
        The positive class.

    Returns
    -------
    list of Identity
        Pairs that reach an area under the ROC curve of 0.995 where each alone stays at or below 0.9.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> numbers = pd.DataFrame({"due": rng.random(400) * 100})
    >>> numbers["paid"] = numbers["due"] + rng.normal(0, 1, 400)
    >>> [found.columns for found in separating_pairs(numbers, (numbers["paid"] > numbers["due"]).to_numpy())]
    [('paid', 'due')]
    """
    finest = numbers.nunique().sort_values(ascending=False, kind="stable").index[:_MOST_SEPARATING]
    names = [str(name) for name in numbers.columns if name in finest]
    values = {name: numbers[name].to_numpy() for name in names}
    alone = {name: _apart(values[name], hit) for name in names}
    names = [name for name in names if alone[name] <= _LESS_ALONE]
    minutes = {name: clock_minutes(values[name]) for name in names}
    few = slice(0, _SCREENED)
    found = []
    for a, b in combinations(names, 2):
        clock, other = minutes[a], minutes[b]
        forms, left, right = _FORMS, values[a], values[b]
        if clock is not None and other is not None:
            forms, left, right = ("clock difference",), clock, other
        for form in forms:
            if _apart(_made(form, left[few], right[few]), hit[few]) < _AGREED:
                continue
            score = _apart(_made(form, left, right), hit)
            if score >= _SEPARATES:
                first, second = (a, b) if alone[a] >= alone[b] else (b, a)
                found.append(Identity((first, second), form, score))
                break
    return found


def _made(form: Form, left: Floats, right: Floats) -> Floats:
    if form == "clock difference":
        return np.asarray(np.mod(left - right + _DAY / 2, _DAY) - _DAY / 2)
    if form == "ratio":
        return np.asarray(np.divide(left, right, out=np.full(len(left), np.nan), where=right != 0))
    if form == "product":
        return np.asarray(left * right)
    return np.asarray(left + right if form == "sum" else left - right)


def _apart(values: Floats, hit: npt.NDArray[np.bool_]) -> float:
    known = np.isfinite(values)
    if known.sum() < 100:
        return 0.5
    found = auc(hit[known], values[known])
    return 0.5 if found is None else max(found, 1 - found)
