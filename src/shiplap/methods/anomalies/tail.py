"""How surely a score lies beyond what ordinary rows reach.

The scores of ordinary rows are not known, but most rows are ordinary: between the highest eighth and the highest
fiftieth of the scores lies their tail, and what is farther out is held against the continuation of that tail: a
generalized Pareto distribution (Pickands, 1975, "Statistical inference using extreme order statistics", Annals of
Statistics 3). The farthest rows count in it only as lying beyond, so that anomalies do not shape what they are judged
by, and of the tails that fit the one that reaches farthest is taken: long tails alone are no anomalies.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

__all__ = ["tail_probability"]

Floats: TypeAlias = npt.NDArray[np.float64]
_FROM, _TO = 0.875, 0.98
_SHAPES = np.arange(-0.49, 1.0, 0.02)
_WORSE = 1.35
"""How much less likely than the best a tail may be: half the chi-squared quantile of 90 % on one degree of freedom."""
_FEWEST = 50


def tail_probability(scores: Floats) -> Floats:
    """Say how probable a score at least as high is for an ordinary row.

    Parameters
    ----------
    scores : numpy.ndarray of float64, shape (n_rows,)
        The higher, the odder; most rows are ordinary.

    Returns
    -------
    numpy.ndarray of float64, shape (n_rows,)
        1 for the lower seven eighths, and for all where there are fewer than 50 rows or the scores do not vary.

    Examples
    --------
    >>> scores = np.append(np.random.default_rng(0).normal(size=999), 9.0)
    >>> probability = tail_probability(scores)
    >>> int(probability.argmin()), bool(probability[-1] < 1e-4), bool(np.sort(probability)[1] > 1e-4)
    (999, True, True)
    """
    start, end = np.quantile(scores, [_FROM, _TO])
    if len(scores) < _FEWEST or not end > start:
        return np.ones(len(scores))
    inside = scores[(scores > start) & (scores <= end)] - start
    shape, scale = _farthest_tail(inside, float(end - start), int((scores > end).sum()))
    beyond = scores > start
    found = np.ones(len(scores))
    found[beyond] = beyond.mean() * np.exp(_log_survival(scores[beyond] - start, shape, scale))
    return found


def _farthest_tail(inside: Floats, reach: float, n_beyond: int) -> tuple[float, float]:
    """Fit each shape with its best scale, and return the longest tail that is not much less likely than the best."""
    unit = float(inside.mean())

    def cost(log_scale: float, shape: float) -> float:
        known = _log_survival(inside, shape, unit * np.exp(log_scale))
        if not np.isfinite(known).all():
            return 1e12
        beyond = float(_log_survival(np.array([reach]), shape, unit * np.exp(log_scale))[0])
        return float(len(inside) * log_scale - (1 + shape) * known.sum() - n_beyond * max(beyond, -1e6))

    fits = [(shape, minimize_scalar(cost, bounds=(-2.0, 3.0), args=(shape,), method="bounded")) for shape in _SHAPES]
    best = min(fit.fun for _, fit in fits)
    shape, fit = [(shape, fit) for shape, fit in fits if fit.fun <= best + _WORSE][-1]
    return float(shape), float(unit * np.exp(fit.x))


def _log_survival(excess: Floats, shape: float, scale: float) -> Floats:
    """Logarithm of the generalized Pareto survival function; minus infinity past the end of a bounded tail."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(np.maximum(1 + shape * excess / scale, 0.0)) / shape)
