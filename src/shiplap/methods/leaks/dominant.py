"""Columns that say too much: held against what all the others say together."""

from __future__ import annotations

import numpy as np

from shiplap.core.finding import Finding, Grade
from shiplap.methods.leaks.found import suspect
from shiplap.methods.leaks.sample import Sample, skill, together

__all__ = ["dominant", "pure_share", "stands_out"]

_STRONG, _SHIELDED = 0.8, 0.9
_NEAR_PERFECT = 0.98
_PURE = 0.8
_FEWEST_FOR_PURE = 500
_MOST_TRIED = 6


def stands_out(own: float, others: float, *, second: float = 1.0, pure: float = 0.0) -> Grade | None:
    """Judge whether one column says implausibly much.

    Parameters
    ----------
    own : float
        Skill of the column alone, from chance (0) to certainty (1).
    others : float
        Skill of all the others together.
    second : float
        Skill of the best other column alone.
    pure : float
        Share of the rows of one class that lie among values of the column where no other class ever is.

    Returns
    -------
    {"fail", "warn"} or None
        ``warn`` where it says more than all the others together, from a skill of 0.8, or leaves half the error of any
        other one, from 0.9; ``fail`` where it says more than all together and also leaves
        at most a third of their error and is nearly certain (0.98), or from 0.9 without a single exception on one side
        (``pure`` of 0.8). A strong column has company: what is strong in nature shows in more columns than one.

    Examples
    --------
    >>> stands_out(0.99, 0.6), stands_out(0.94, 0.6), stands_out(0.94, 0.6, pure=0.95), stands_out(0.97, 0.98)
    ('fail', 'warn', 'fail', None)
    """
    if own < _STRONG or own <= others:
        return "warn" if own >= _SHIELDED and 1 - own <= (1 - second) / 2 else None
    apart = 1 - own <= (1 - others) / 3
    if apart and (own >= _NEAR_PERFECT or (own >= _SHIELDED and pure >= _PURE)):
        return "fail"
    return "warn"


def dominant(sample: Sample, alone: dict[str, float], accused: set[str]) -> list[Finding]:
    """Accuse columns that say more than all the others together, the strongest first.

    Parameters
    ----------
    sample : Sample
        The rows.
    alone : dict of str to float
        What each column says alone.
    accused : set of str
        Columns that other evidence speaks against; they are no yardstick.

    Returns
    -------
    list of Finding
        ``leak.alone``. Several that shield each other are held against what is left without all of them; there a skill
        of 0.9 and a third of the error are asked for, since strong columns of nature come in groups too.
    """
    task, features = sample.problem.task, [str(name) for name in sample.X.columns]
    own = {name: skill(task, alone[name]) for name in sample.tried if name not in accused}
    strong = sorted((name for name in own if own[name] >= _STRONG), key=lambda name: (-own[name], name))
    if not strong:
        return []
    weak = [name for name in features if name not in accused and name not in strong]
    floor = skill(task, together(sample, weak))
    found: list[Finding] = []
    for name in strong[:_MOST_TRIED]:
        second = max((skill(task, alone[other]) for other in features if other not in {*accused, name}), default=0.0)
        if own[name] <= floor and stands_out(own[name], 1.0, second=second) is None:
            break
        company = floor
        if len(strong) > 1:
            rest = [other for other in features if other not in accused and other != name]
            company = skill(task, together(sample, rest))
        pure = pure_share(sample, name)
        grade, others, whom = stands_out(own[name], company, pure=pure), company, "all other columns together"
        if grade is None and own[name] >= _SHIELDED and 1 - own[name] <= (1 - floor) / 3:
            grade, others = stands_out(own[name], floor, pure=pure), floor
            whom = "all other columns together but those as strong"
        if grade is None and stands_out(own[name], 1.0, second=second) is not None:
            grade, others, whom = "warn", second, "the best other column"
        if grade is not None:
            accused = {*accused, name}
            found.append(_finding(sample, name, grade, (alone[name], others, pure), whom))
    return found


def _finding(sample: Sample, name: str, grade: Grade, figures: tuple[float, float, float], whom: str) -> Finding:
    score, others, pure = figures
    regression = sample.problem.task == "regression"
    what, held = ("R squared", others) if regression else ("AUC", (others + 1) / 2)
    means = f"'{name}' alone says more than {whom}: {what} {score:.3f} against {held:.3f}"
    if grade == "fail" and skill(sample.problem.task, score) < _NEAR_PERFECT:
        means += f", and {pure:.0%} of one class lie where no other ever is"
    return suspect("leak.alone", grade, name, means, value=score, limit=held)


def pure_share(sample: Sample, name: str) -> float:
    """Say what share of the rows of one class lies in bins of a column where no other class ever is."""
    if sample.problem.task == "regression" or len(sample.y) < _FEWEST_FOR_PURE:
        return 0.0
    codes, width = sample.codes[name], int(sample.y.max()) + 1
    counts = np.bincount(codes * width + sample.y, minlength=(int(codes.max()) + 1) * width).reshape(-1, width)
    alone = counts == counts.sum(axis=1, keepdims=True)
    sizes = counts.sum(axis=0)
    return float(np.max(np.sum(counts * alone, axis=0) / np.maximum(sizes, 1) * (sizes >= 20)))
