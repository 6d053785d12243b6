"""What noise alone would show: series without any change, drawn from the noise of a series and looked at like it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import gumbel_r, norm

from shiplap.methods.trends.noise import Noise, long_run_variance, simulated

__all__ = ["Reference", "largest_step", "season_strength", "slopes", "without_level", "without_step"]

Floats: TypeAlias = npt.NDArray[np.float64]
_REPEATS = 200


@dataclass(frozen=True, eq=False)
class Reference:
    """Series of noise alone, as long as the one that is judged.

    Each is judged with a noise that is estimated anew from it: so what is uncertain about the noise counts.

    Parameters
    ----------
    noise : Noise
        Of the series in question.
    n : int
        Its length.
    shortest : int
        The shortest stretch between two changes.
    seed : int
        Seed of the draws.
    """

    noise: Noise
    n: int
    shortest: int
    seed: int

    @cached_property
    def _series(self) -> Floats:
        return simulated(self.noise, self.n, repeats=_REPEATS, rng=np.random.default_rng(self.seed))

    @cached_property
    def _spread(self) -> Floats:
        return np.asarray(np.sqrt(long_run_variance(self._series)))

    def step_limit(self, level: float, *, blocks: int = 1) -> float:
        """Return the step that noise alone exceeds anywhere in a share `level` of the series, in standard errors.

        With one block the noise of each is estimated without its best step, with several as `noise_of` does.
        """
        series = without_step(self._series, self.shortest) if blocks == 1 else self._series
        spread = np.sqrt(long_run_variance(series, blocks=blocks))
        return _gumbel(largest_step(self._series, self.shortest) / spread, level)

    def slope_limit(self, level: float) -> float:
        """Return the slope that noise alone exceeds in a share `level` of the series, in standard errors."""
        spread = float(np.sqrt(np.mean((slopes(self._series) / self._spread) ** 2)))
        return float(norm.isf(level / 2) * spread)

    def season_limit(self, period: int, level: float) -> float:
        """Return the strength of a season that noise alone exceeds in a share `level` of the series."""
        return _gumbel(season_strength(self._series, period), level)


def _gumbel(largest: Floats, level: float) -> float:
    """Extrapolate maxima to a level that few draws reach, by the limit that maxima have."""
    beta = float(largest.std()) * np.sqrt(6) / np.pi
    return float(gumbel_r.isf(level, float(largest.mean()) - np.euler_gamma * beta, beta))


def without_step(series: Floats, shortest: int) -> Floats:
    """Take the best single step from each row, as is done with a series before its noise is estimated.

    Examples
    --------
    >>> without_step(np.array([[0.0, 0.0, 2.0, 2.0]]), 1).tolist()
    [[0.0, 0.0, 0.0, 0.0]]
    """
    n = series.shape[1]
    ends = np.arange(shortest, n - shortest + 1)
    sums = np.cumsum(series, axis=1)
    before, after = sums[:, ends - 1] / ends, (sums[:, [-1]] - sums[:, ends - 1]) / (n - ends)
    rows = np.arange(len(series))
    best = np.argmax(np.abs(after - before) * np.sqrt(ends * (n - ends)), axis=1)
    later = np.arange(n) >= ends[best][:, None]
    return np.asarray(series - np.where(later, after[rows, best][:, None], before[rows, best][:, None]))


def season_strength(series: Floats, period: int) -> Floats:
    """Say what part of the variance around a moving mean the means of the phases explain, in each row; 0 to 1.

    Examples
    --------
    >>> float(season_strength(np.tile([1.0, 2.0, 6.0], 20)[None, :], 3)[0])
    1.0
    """
    rest = without_level(series, period)
    n = rest.shape[1] // period * period
    phases = rest[:, :n].reshape(len(rest), -1, period)
    explained = phases.mean(axis=1).var(axis=1)
    return np.asarray(explained / np.maximum(phases.reshape(len(rest), -1).var(axis=1), 1e-300))


def without_level(series: Floats, period: int) -> Floats:
    """Take the moving mean over one period from each row; half a period is lost at both ends."""
    sums = np.concatenate([np.zeros((len(series), 1)), np.cumsum(series, axis=1)], axis=1)
    moving = (sums[:, period:] - sums[:, :-period]) / period
    if period % 2 == 0:
        moving = (moving[:, 1:] + moving[:, :-1]) / 2
    start = period // 2
    return np.asarray(series[:, start : start + moving.shape[1]] - moving)


def largest_step(series: Floats, shortest: int) -> Floats:
    """Find, in each row, the largest step between two stretches, times the root of their length, in any window.

    The windows are those of seeded binary segmentation (Kovács, Bühlmann, Li and Munk, 2023, "Seeded binary
    segmentation", Biometrika 110): shrinking by the root of 2, each overlapping half of the next.

    Examples
    --------
    >>> float(largest_step(np.array([[0.0] * 8 + [1.0] * 8]), 2)[0])
    2.0
    """
    n = series.shape[1]
    sums = np.concatenate([np.zeros((len(series), 1)), np.cumsum(series, axis=1)], axis=1)
    largest = np.zeros(len(series))
    width = float(n)
    while round(width) >= 2 * shortest:
        size = round(width)
        for start in np.unique(np.linspace(0, n - size, max(1, int(np.ceil(2 * n / size - 1)))).astype(int)):
            ends = np.arange(start + shortest, start + size - shortest + 1)
            left, right = ends - start, start + size - ends
            before = (sums[:, ends] - sums[:, [start]]) / left
            after = (sums[:, [start + size]] - sums[:, ends]) / right
            step = np.abs(after - before) * np.sqrt(left * right / size)
            largest = np.maximum(largest, step.max(axis=1))
        width /= np.sqrt(2)
    return largest


def slopes(series: Floats) -> Floats:
    """Least-squares slopes of rows, divided by their standard error under white noise of variance 1."""
    place = np.arange(series.shape[1]) - (series.shape[1] - 1) / 2
    return np.asarray(series @ place / np.sqrt((place**2).sum()))
