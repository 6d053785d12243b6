"""Learning curves: what a score would be with more rows, as a power law with an offset, and how sure that is.

That most learning curves of tables follow ``offset + excess * n ** -exponent``, and when they do not: Viering and Loog
(2022), "The shape of learning curves: a review", IEEE TPAMI; that no family always fits, so that an extrapolation must
carry its own doubt: Mohr, Viering, Loog and van Rijn (2022), "LCDB 1.0", ECML PKDD. The law is linear once its exponent
is known: offset and excess have a posterior in closed form (normal, inverse gamma), mixed over a grid of exponents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.methods.intervals import Interval

__all__ = ["FEWEST_SIZES", "LearningCurve", "fit_curve"]

Floats: TypeAlias = npt.NDArray[np.float64]
FEWEST_SIZES = 4
_EXPONENTS = np.geomspace(0.1, 1.5, 30)
_DRAWS = 6_000
_FEWEST_KEPT = 200
_FACTOR, _SHARE = 0.5, 0.3
"""How far a real curve strays from the law beyond the largest size: by this factor (log-normal) of the step that the
law takes, and by this share of what was gained up to there, over as many doublings. Set on other samples than those of
the benchmark."""


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Possible curves, drawn from what was measured; larger scores are better.

    Parameters
    ----------
    smallest, largest : int
        Sizes between which it was measured.
    offset, excess, exponent : numpy.ndarray of shape (n_draws,)
        Each draw is ``offset - excess * (size / largest) ** -exponent``.
    noise : numpy.ndarray of shape (n_draws,)
        Standard deviation of one training at size 1; it falls with the root of the size.
    stray : numpy.ndarray of shape (n_draws, 4)
        Standard normal numbers: for the step, for the share, for one training, for the rows that judge.
    range : float
        What was gained from the smallest to the largest size.
    test_error : float
        Standard error of a score because the rows that judge are few.
    """

    smallest: int
    largest: int
    offset: Floats
    excess: Floats
    exponent: Floats
    noise: Floats
    stray: Floats
    range: float
    test_error: float

    def expected(self, size: float) -> Floats:
        """Draw the score that is expected of so many rows, on the rows that judge; shape (n_draws,)."""
        top, here = (self._law(one) for one in (self.largest, size))
        if size <= self.largest:
            return here
        doublings = np.log(size / self.largest) / np.log(self.largest / self.smallest)
        step = (here - top) * np.exp(_FACTOR * self.stray[:, 0])
        return np.asarray(np.maximum(top, top + step + _SHARE * self.range * doublings * self.stray[:, 1]))

    def scores(self, size: float) -> Floats:
        """Draw the score of one training on so many rows, on rows like those that judge; shape (n_draws,)."""
        chance = self.noise / np.sqrt(size) * self.stray[:, 2] + self.test_error * self.stray[:, 3]
        return np.asarray(self.expected(size) + chance)

    def at(self, size: float, *, level: float = 0.9) -> Interval:
        """Say what one training on so many rows would score; the interval counts every doubt."""
        return _interval(self.scores(size), level)

    def change(self, size: float, since: float, *, level: float = 0.9) -> Interval:
        """Say by how much the score that is expected would rise from one size to another."""
        return _interval(self.expected(size) - self.expected(since), level)

    def _law(self, size: float) -> Floats:
        return np.asarray(self.offset - self.excess * (size / self.largest) ** -self.exponent)


def _interval(draws: Floats, level: float) -> Interval:
    low, middle, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Interval(float(middle), float(low), float(high))


def fit_curve(
    sizes: npt.NDArray[Any],
    scores: Floats,
    *,
    best: float = np.inf,
    test_error: float = 0.0,
    seed: int = 0,
) -> LearningCurve:
    """Fit a learning curve to scores of trainings on parts of one set of rows.

    Parameters
    ----------
    sizes : numpy.ndarray of int, shape (n_trainings,)
        Rows of each training, drawn from the same rows, which the largest size takes whole; several trainings at some
        of the smaller sizes say how much one varies.
    scores : numpy.ndarray of float64, shape (n_trainings,)
        What each scored, on the same rows that judge; larger is better.
    best : float
        What no score can exceed.
    test_error : float
        Standard error of a score because the rows that judge are few.
    seed : int
        Seed of the draws.

    Raises
    ------
    ValueError
        There are fewer than four different sizes, or only one training at each.

    Examples
    --------
    >>> sizes = np.repeat([100, 200, 400, 800, 1600], [3, 3, 3, 2, 1])
    >>> rng = np.random.default_rng(0)
    >>> scores = 0.9 - 2.0 * sizes ** -0.5 + rng.normal(size=len(sizes)) * 0.1 / np.sqrt(sizes)
    >>> curve = fit_curve(sizes, scores, best=1.0)
    >>> interval = curve.at(16_000)
    >>> interval.low < 0.9 - 2.0 * 16_000 ** -0.5 < interval.high
    True
    """
    size, place = np.unique(sizes, return_inverse=True)
    count = np.bincount(place)
    if len(size) < FEWEST_SIZES or (count[:-1] < 2).all():
        raise ValueError(f"{FEWEST_SIZES} sizes, with two trainings at some, are needed; there are {len(size)}")
    mean = np.bincount(place, scores) / count
    shared = size / size[-1]
    freedom, squares = _variation(size, scores - mean[place], place, count, shared)
    weight = size / ((1 - shared) / count + shared)
    laws = [_law(shared**-exponent, mean, weight) for exponent in _EXPONENTS]
    spread, center, misfit = (np.array(part) for part in zip(*laws, strict=True))
    degrees = freedom + len(size) - 2
    evidence = -degrees / 2 * np.log(np.maximum(squares + misfit, np.finfo(np.float64).tiny))
    chance = np.exp(evidence - evidence.max())
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(_EXPONENTS), size=_DRAWS, p=chance / chance.sum())
    variance = (squares + misfit)[drawn] / rng.chisquare(degrees, _DRAWS)
    around = np.einsum("dij,dj->di", np.linalg.cholesky(spread)[drawn], rng.normal(size=(_DRAWS, 2)))
    offset, slope = (center[drawn] + around * np.sqrt(variance)[:, None]).T
    # More rows never hurt in expectation: a draw that says so is moved to the nearest that does not.
    hurts = slope > 0
    offset = np.where(hurts, offset - (spread[:, 0, 1] / spread[:, 1, 1])[drawn] * slope, offset)
    slope = np.where(hurts, 0.0, slope)
    kept = np.flatnonzero(offset <= best)
    if len(kept) < _FEWEST_KEPT:
        kept = np.argsort(offset, kind="stable")[:_FEWEST_KEPT]
    return LearningCurve(
        smallest=int(size[0]),
        largest=int(size[-1]),
        offset=offset[kept],
        excess=-slope[kept],
        exponent=_EXPONENTS[drawn[kept]],
        noise=np.sqrt(variance[kept]),
        stray=rng.normal(size=(len(kept), 4)),
        range=float(np.ptp(mean)),
        test_error=test_error,
    )


def _variation(
    size: Floats, residual: Floats, place: npt.NDArray[Any], count: npt.NDArray[Any], shared: Floats
) -> tuple[int, float]:
    """Return how often trainings of one size were compared, and their squared differences, brought to size 1.

    Parts of one set of rows overlap, so they differ less than sets of their own would.
    """
    fresh = np.maximum(1 - shared, 0.05)
    squares = np.bincount(place, residual**2)[:-1] * (size / fresh)[:-1]
    return int((count[:-1] - 1).sum()), float(squares.sum())


def _law(curved: Floats, mean: Floats, weight: Floats) -> tuple[Floats, Floats, float]:
    """Fit offset and slope for one exponent: their covariance at unit variance, their values, what is left."""
    design = np.column_stack([np.ones_like(curved), curved])
    spread = np.asarray(np.linalg.inv(design.T @ (weight[:, None] * design)), dtype=np.float64)
    center = spread @ (design.T @ (weight * mean))
    return spread, center, float(weight @ (mean - design @ center) ** 2)
