"""From outputs to decisions, and from decisions to money.

Deciding by expected worth: Elkan (2001), "The foundations of cost-sensitive learning", IJCAI. The quantile that
unequal prices of error ask for: Koenker and Bassett (1978), "Regression quantiles", Econometrica 46 (the newsvendor).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.policy import Policy

__all__ = [
    "best_threshold",
    "break_even",
    "decisions_of",
    "error_money",
    "implied_threshold",
    "midway",
    "offset_for",
    "taken",
    "value_curve",
]

Floats: TypeAlias = npt.NDArray[np.float64]
PER = 1_000


def midway(scores: Floats, at: float) -> float:
    """Move a threshold midway between the two neighboring observed scores, so that it lies on none.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n_rows,)
        Observed scores.
    at : float
        Where it should lie; rows at or above it stay at or above it.

    Examples
    --------
    >>> midway(np.array([0.25, 0.75]), 0.6), midway(np.array([0.25, 0.75]), 0.75)
    (0.5, 0.5)
    """
    below, above = scores[scores < at], scores[scores >= at]
    if not len(below):
        low = float(above.min())
        return low / 2 if low > 0 else low - 1.0
    if not len(above):
        high = float(below.max())
        return (high + 1.0) / 2 if high < 1 else high + 1.0
    return _between(float(below.max()), float(above.min()))


def _between(low: float, high: float) -> float:
    middle = low + (high - low) / 2
    return middle if low < middle < high else high


def best_threshold(score: Floats, worth: Floats) -> float:
    """Find the threshold that would have earned most: act on rows whose score is at or above it.

    Parameters
    ----------
    score : numpy.ndarray of shape (n_rows,)
        Probability of the positive class.
    worth : numpy.ndarray of shape (n_rows, 2)
        Money for acting not (column 0) and for acting (column 1) on each row.

    Returns
    -------
    float
        Midway between two observed scores, never on one (two neighbors that no double lies between count as one);
        beyond them where acting always or never earns most.

    Examples
    --------
    >>> worth = np.array([[0.0, -1.0], [0.0, -1.0], [0.0, 5.0]])
    >>> best_threshold(np.array([0.1, 0.25, 0.75]), worth)
    0.5
    """
    levels, inverse = np.unique(score, return_inverse=True)
    gain = np.bincount(inverse, weights=worth[:, 1] - worth[:, 0], minlength=len(levels))
    earned = np.append(np.cumsum(gain[::-1])[::-1], 0.0)
    apart = np.ones(len(earned), bool)
    apart[1:-1] = levels[:-1] + (levels[1:] - levels[:-1]) / 2 > levels[:-1]
    apart[1:-1] &= levels[:-1] + (levels[1:] - levels[:-1]) / 2 < levels[1:]
    best = int(np.argmax(np.where(apart, earned, -np.inf)))
    return midway(levels, float(levels[best]) if best < len(levels) else np.inf)


def implied_threshold(worth: Floats, hit: npt.NDArray[np.bool_]) -> float | None:
    """Probability from which acting pays on average, if probabilities are calibrated.

    Parameters
    ----------
    worth : numpy.ndarray of shape (n_rows, 2)
        Money for acting not and for acting on each row.
    hit : numpy.ndarray of bool, shape (n_rows,)
        Which rows are of the class to be found.

    Returns
    -------
    float or None
        None where acting does not pay on hits, or costs nothing on the others.

    Examples
    --------
    >>> implied_threshold(np.array([[0.0, 60.0], [0.0, -20.0]]), np.array([True, False]))
    0.25
    """
    if not 0 < hit.sum() < len(hit):
        return None
    gain = worth[:, 1] - worth[:, 0]
    brings, costs = float(np.mean(gain[hit])), -float(np.mean(gain[~hit]))
    return costs / (costs + brings) if brings > 0 and costs > 0 else None


def decisions_of(policy: Policy, output: Floats) -> npt.NDArray[Any]:
    """Decide on every row as the policy says.

    Parameters
    ----------
    policy : Policy
        Threshold, matrix or offset.
    output : numpy.ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities, or predictions.

    Returns
    -------
    numpy.ndarray of shape (n_rows,)
        Binary: 1 to act, 0 not to; multiclass: the code of a class; regression: the number to act on.

    Examples
    --------
    >>> policy = Policy(task="binary", classes=("no", "yes"), positive=1, threshold=0.3)
    >>> decisions_of(policy, np.array([[0.6, 0.4], [0.8, 0.2]])).tolist()
    [1, 0]
    """
    if policy.task == "regression":
        return np.asarray(output + policy.offset)
    if policy.task == "binary":
        return (output[:, policy.positive] >= policy.threshold).astype(np.int64)
    if policy.matrix:
        output = output @ np.array(policy.matrix).T
    return np.asarray(np.argmax(output, axis=1))


def taken(worth: Floats, decisions: npt.NDArray[Any]) -> Floats:
    """Money of the decision taken on each row.

    Examples
    --------
    >>> taken(np.array([[0.0, -5.0], [0.0, 80.0]]), np.array([0, 1])).tolist()
    [0.0, 80.0]
    """
    return np.asarray(worth[np.arange(len(worth)), decisions.astype(np.int64)])


def error_money(y: Floats, acted: Floats, over: float, under: float) -> Floats:
    """Money that the error of each row costs, as a number that is at most 0.

    Examples
    --------
    >>> error_money(np.array([10.0, 10.0]), np.array([12.0, 7.0]), over=1.0, under=2.0).tolist()
    [-2.0, -6.0]
    """
    error = acted - y
    return -(over * np.maximum(error, 0.0) + under * np.maximum(-error, 0.0))


def offset_for(residual: Floats, over: float, under: float) -> float:
    """Offset that costs least: the quantile ``under / (over + under)`` of what the prediction lacked.

    Parameters
    ----------
    residual : numpy.ndarray of shape (n_rows,)
        ``y - prediction``.
    over, under : float
        Price of one unit too much and too little.

    Examples
    --------
    >>> offset_for(np.array([-1.0, 0.0, 1.0]), over=1.0, under=1.0)
    0.0
    """
    if over + under <= 0:
        return 0.0
    return float(np.quantile(residual, under / (over + under), method="inverted_cdf"))  # between two rows costs more


def value_curve(score: Floats, worth: Floats, thresholds: Floats) -> Floats:
    """Money of each row under each threshold.

    Returns
    -------
    numpy.ndarray of shape (n_rows, n_thresholds)

    Examples
    --------
    >>> value_curve(np.array([0.2, 0.8]), np.array([[0.0, -1.0], [0.0, 3.0]]), np.array([0.0, 0.5])).tolist()
    [[-1.0, 0.0], [3.0, 3.0]]
    """
    return np.where(score[:, None] >= thresholds[None, :], worth[:, 1:2], worth[:, 0:1])


def break_even(hit: npt.NDArray[np.bool_], score: Floats) -> float | None:
    """Return how many false alarms one hit must at least be worth for acting on the best-scored rows to pay.

    The rows are taken from the highest score down, at least 50 of them or one in a hundred; None where no hit is among
    any of them.

    Examples
    --------
    >>> hit = np.repeat([True, False, True, False], [40, 20, 40, 100])
    >>> break_even(hit, np.linspace(1, 0, 200))
    0.25
    """
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(hit[order])
    least = min(len(hit), max(50, len(hit) // 100))
    rows = np.arange(1, len(hit) + 1)
    possible = (rows >= least) & (hits > 0)
    return float(np.min((rows - hits)[possible] / hits[possible])) if possible.any() else None
