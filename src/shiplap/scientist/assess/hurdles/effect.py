"""Whether acting brings what the values say.

The verdict takes the worth of a true positive as given. That acting works at all is no fact of a table of outcomes:
where it was not tried at random, only an experiment shows it.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from shiplap.core.finding import Finding, Grade
from shiplap.core.report import Metric
from shiplap.methods.intervals import Interval
from shiplap.methods.part import Part
from shiplap.methods.policies import acted_on
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split

__all__ = ["effect", "least_effect", "rows_a_side", "stratified_difference"]

Bools: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]
_POWER, _LEVEL = 0.8, 0.05
_STRATA = 10
_FEWEST = 20


def effect(problem: Problem, split: Split, learned: Entrant) -> Part:
    """Say how well acting must work to pay, what experiment would show it, and what the past shows."""
    if problem.ranks:
        return _caused(problem, split, learned)
    if problem.task != "binary" or learned.decisions is None or learned.output is None:
        return Part()
    hit = problem.y[split.test] == problem.positive
    parts = (_needed(problem, split, learned, hit), _past(problem, split, learned, hit))
    return Part(
        findings=tuple(finding for part in parts for finding in part.findings),
        metrics={name: metric for part in parts for name, metric in part.metrics.items()},
    )


def _needed(problem: Problem, split: Split, learned: Entrant, hit: Bools) -> Part:
    acted = np.asarray(learned.decisions) == 1
    if problem.worth is None or not hit[acted].any():
        return Part()
    least = least_effect(problem.worth[split.test][acted], hit[acted])
    if least is None:
        return Part()
    metrics: dict[str, Metric] = {"least_effect": least}
    means = f"acting pays if it does what the values say on at least {least:.0%} of the rows rightly chosen"
    side = rows_a_side(float(hit[acted].mean()), least)
    if side is None:
        todo = "try it on some at random before trusting the money: no table of outcomes shows that acting works"
    else:
        metrics["experiment_rows_a_side"] = side
        todo = (
            f"if acting is meant to prevent '{problem.classes[problem.positive]}', show it: act on {side:,} chosen "
            f"rows and leave {side:,} alone at random (this finds it {_POWER:.0%} of the time, at level {_LEVEL})"
        )
    found = Finding(check="hurdle.effect", verdict="note", means=means, todo=todo, value=least)
    return Part(findings=(found,), metrics=metrics)


def _caused(problem: Problem, split: Split, learned: Entrant) -> Part:
    """Say which share of the target acting must cause to pay for itself, and what experiment would show that it does.

    Two-sided, level 0.05, power 0.8, for two means with the spread of the rows acted on (Cohen 1988, chapter 2).
    """
    if learned.output is None or learned.decisions is None:
        return Part()
    acted = acted_on(problem, learned.output, np.asarray(learned.decisions) == 1, split.test)
    cost, total = (problem.brief.value.cost if problem.brief.value else None) or 0.0, float(acted.sum())
    if total < _FEWEST:
        return Part()
    value = problem.y[split.test].astype(np.float64)
    mean = float(acted @ value) / total
    if mean <= cost:
        return Part()
    least = cost / mean
    spread = float(np.sqrt(acted @ (value - mean) ** 2 / total))
    reach = float(norm.ppf(1 - _LEVEL / 2) + norm.ppf(_POWER))
    side = math.ceil(2 * (reach * spread / (mean - cost)) ** 2)
    means = f"acting pays if it causes at least {least:.0%} of what the chosen rows bring"
    if not cost:
        means = "that acting causes what the target says is taken as given: some of it might have come anyway"
    todo = (
        f"show it: act on {side:,} chosen rows and leave {side:,} alone at random (where acting causes all of it, this "
        f"finds that it pays {_POWER:.0%} of the time, at level {_LEVEL})"
    )
    found = Finding(check="hurdle.effect", verdict="note", means=means, todo=todo, value=least)
    return Part(findings=(found,), metrics={"least_effect": least, "experiment_rows_a_side": side})


def least_effect(worth: Floats, hit: Bools) -> float | None:
    """Return on which share of the hits acting must work so that it pays on all of some rows.

    Where it works, a hit brings what the values say; where it does not, it stays a miss and costs what acting in vain
    costs.

    Parameters
    ----------
    worth : numpy.ndarray of shape (n_rows, 2)
        Money of not acting and of acting, by row.
    hit : numpy.ndarray of bool, shape (n_rows,)
        Whether a row is positive.

    Returns
    -------
    float or None
        From 0 to 1; None when acting does not pay even where it always works.

    Examples
    --------
    >>> worth = np.array([[0.0, 8.0], [0.0, -2.0], [0.0, -2.0]])
    >>> least_effect(worth, np.array([True, False, False]))
    0.6
    """
    brought = worth[:, 1] - worth[:, 0]
    vain = float(brought[~hit].mean()) if (~hit).any() else 0.0
    never = float(brought[~hit].sum()) + vain * int(hit.sum())
    always = float(brought.sum())
    if always <= 0:
        return None
    return 0.0 if never >= 0 else -never / (always - never)


def rows_a_side(rate: float, least: float) -> int | None:
    """Return how many rows each side of an experiment needs to see that acting prevents a share of the positives.

    Two-sided, level 0.05, power 0.8, after the arcsine transformation (Cohen 1988, "Statistical power analysis for the
    behavioral sciences", chapter 6).

    Parameters
    ----------
    rate : float
        Share of positives among the rows that are left alone.
    least : float
        Share of these that acting must prevent.

    Examples
    --------
    >>> rows_a_side(0.5, 0.2)
    388
    """
    if not 0 < rate <= 1 or not 0 < least <= 1:
        return None
    from statsmodels.stats.power import NormalIndPower  # noqa: PLC0415  (heavy, for one number)
    from statsmodels.stats.proportion import proportion_effectsize  # noqa: PLC0415

    size = float(proportion_effectsize(rate, rate * (1 - least)))
    return math.ceil(float(NormalIndPower().solve_power(size, alpha=_LEVEL, power=_POWER)))


def _past(problem: Problem, split: Split, learned: Entrant, hit: Bools) -> Part:
    if problem.brief.acted is None or learned.output is None:
        return Part()
    was = problem.beside[problem.brief.acted].to_numpy(dtype=np.float64)[split.test]
    known = np.isfinite(was)
    found = stratified_difference(hit[known], was[known] == 1, learned.output[known, problem.positive])
    if found is None:
        means = f"'{problem.brief.acted}' hardly differs among rows alike: the past says nothing about what acting does"
        todo = "act on some rows at random"
        return Part(findings=(Finding(check="hurdle.acted", verdict="warn", means=means, todo=todo),))
    name = problem.classes[problem.positive]
    means = (
        f"among rows with like scores, '{name}' is {100 * found.value:+.1f} points ({100 * found.low:+.1f} to "
        f"{100 * found.high:+.1f}) as frequent where it was acted on"
    )
    todo = "this was no experiment: who was acted on may differ in ways that no column shows"
    if found.high >= 0:
        means += ": nothing shows that acting prevents it"
    verdict: Grade = "note" if found.high < 0 else "warn"
    finding = Finding(check="hurdle.acted", verdict=verdict, means=means, todo=todo, value=found.value)
    return Part(findings=(finding,), metrics={"past_effect": found.value})


def stratified_difference(hit: Bools, was: Bools, score: Floats) -> Interval | None:
    """Compare the share of hits where it was acted on with that where it was not, among rows of like score.

    The difference of shares is pooled over tenths of the score with Mantel-Haenszel weights, its variance after
    Greenland and Robins (1985), "Estimation of a common effect parameter from sparse follow-up data", Biometrics 41.

    Parameters
    ----------
    hit, was : numpy.ndarray of bool, shape (n_rows,)
        The outcome, and whether it was acted on.
    score : numpy.ndarray of shape (n_rows,)
        What a model says of the outcome.

    Returns
    -------
    Interval or None
        None where too few rows were acted on, or left alone, among rows alike.
    """
    edges = np.quantile(score, np.linspace(0, 1, _STRATA + 1)[1:-1])
    stratum = np.searchsorted(edges, score)
    one, other = (np.bincount(stratum[side], minlength=_STRATA).astype(np.float64) for side in (was, ~was))
    both = (one > 0) & (other > 0)
    if min(one[both].sum(), other[both].sum()) < _FEWEST:
        return None
    a = np.bincount(stratum[was & hit], minlength=_STRATA)[both]
    b = np.bincount(stratum[~was & hit], minlength=_STRATA)[both]
    n, m = one[both], other[both]
    weight = n * m / (n + m)
    difference = float(np.sum(weight * (a / n - b / m)) / weight.sum())
    products = (a * (n - a) * m**3 + b * (m - b) * n**3) / (n * m * (n + m) ** 2)
    reach = float(norm.ppf(0.975) * math.sqrt(products.sum()) / weight.sum())
    return Interval(difference, difference - reach, difference + reach)
