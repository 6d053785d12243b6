"""Whether probabilities mean what they say.

Reliability by bins of equal size: Niculescu-Mizil and Caruana (2005), "Predicting good probabilities with supervised
learning", ICML. Slope and intercept: Cox (1958), "Two further applications of a model for binary regression",
Biometrika 45.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from shiplap.methods.intervals import wilson

__all__ = ["Reliability", "cox", "reliability"]

Floats: TypeAlias = npt.NDArray[np.float64]
_EDGE = 1e-9
_STEPS = 25


@dataclass(frozen=True, eq=False)
class Reliability:
    """Stated against observed shares, in bins of about equal size.

    Parameters
    ----------
    stated, observed, low, high : numpy.ndarray of shape (n_bins,)
        Mean probability, share of hits and its 95 % interval.
    rows : numpy.ndarray of int64
        Rows in each bin.
    error : float
        Mean absolute difference of stated and observed, weighted by rows (expected calibration error).
    """

    stated: Floats
    observed: Floats
    low: Floats
    high: Floats
    rows: npt.NDArray[np.int64]
    error: float


def reliability(hit: npt.NDArray[Any], score: Floats, *, bins: int = 10) -> Reliability:
    """Compare stated probabilities with what happened.

    Parameters
    ----------
    hit : numpy.ndarray of bool, shape (n_rows,)
        Whether it happened.
    score : numpy.ndarray of shape (n_rows,)
        Stated probability.
    bins : int
        How many bins at most; equal scores always share one.

    Examples
    --------
    >>> found = reliability(np.array([0, 1, 1, 1]), np.array([0.5, 0.5, 1.0, 1.0]), bins=2)
    >>> found.stated.tolist(), found.observed.tolist(), found.error
    ([0.5, 1.0], [0.5, 1.0], 0.0)
    """
    edges = np.unique(np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.unique(np.searchsorted(edges, score, side="left"), return_inverse=True)[1]
    rows = np.bincount(place)
    stated = np.bincount(place, weights=score) / rows
    observed = np.bincount(place, weights=hit.astype(np.float64)) / rows
    low, high = wilson(observed * rows, rows)
    error = float(np.sum(rows * np.abs(stated - observed)) / len(score))
    return Reliability(stated, observed, np.minimum(low, observed), np.maximum(high, observed), rows, error)


def cox(hit: npt.NDArray[Any], score: Floats) -> tuple[float, float]:
    """Fit ``logit(P(hit)) = intercept + slope * logit(score)``; 0 and 1 mean well calibrated.

    A slope below 1 says that the scores are too extreme, an intercept below 0 that they are too high.

    Returns
    -------
    intercept, slope : float

    Examples
    --------
    >>> score = np.repeat([0.2, 0.8], 100)
    >>> hit = np.concatenate([np.arange(100) < 20, np.arange(100) < 80])
    >>> [abs(round(value, 3)) for value in cox(hit, score)]
    [0.0, 1.0]
    """
    said = logit(np.clip(score, _EDGE, 1 - _EDGE))
    design = np.column_stack([np.ones_like(said), said])
    found = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        expected = expit(design @ found)
        slope = design.T @ (hit - expected)
        curvature = (design * (expected * (1 - expected))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.clip(np.linalg.solve(curvature, slope), -2, 2)
        found = found + step
        if np.abs(step).max() < 1e-8:
            break
    return float(found[0]), float(found[1])
