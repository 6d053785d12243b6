"""The course of a metric over time: its seasons, its trend, and where its level changes.

Seasons are taken out first, with STL (Cleveland, Cleveland, McRae and Terpenning, 1990, Journal of Official Statistics
6; several by MSTL, Bandara, Hyndman and Bergmeir, 2021, arXiv:2107.13462); what is left is told as a straight line, as
steps between levels, or as both, whichever says most in fewest words (Schwarz, 1978, "Estimating the dimension of a
model", Annals of Statistics 6), with as many observations counted as the memory of the noise leaves independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.methods.trends.changes import Change, changes, shortest_stretch
from shiplap.methods.trends.noise import Noise, noise_of
from shiplap.methods.trends.reference import Reference, season_strength, slopes, without_level

__all__ = ["Course", "Season", "Trend", "course_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
_FEWEST = 12
_MOST_GAPS = 0.3
_CYCLES = 3


@dataclass(frozen=True)
class Season:
    """A pattern that repeats.

    Parameters
    ----------
    period : int
        Values in one cycle.
    strength : float
        1 - Var(rest) / Var(season + rest), from 0 to 1 (Wang, Smith and Hyndman, 2006, "Characteristic-based clustering
        for time series data", Data Mining and Knowledge Discovery 13).
    shape : numpy.ndarray of float64, shape (period,)
        Mean departure from the level in each phase, beginning with the phase of the first value.
    """

    period: int
    strength: float
    shape: Floats


@dataclass(frozen=True)
class Trend:
    """A straight line: how much it rises from the first value to the last, with the 95 % interval."""

    rise: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Course:
    """What a series does.

    Parameters
    ----------
    adjusted : numpy.ndarray of float64, shape (n,)
        The series without its seasons, gaps filled.
    fitted : numpy.ndarray of float64, shape (n,)
        Its line and levels.
    seasons : tuple of Season
        Those that are beyond chance.
    trend : Trend or None
        The line, where one is beyond chance.
    changes : tuple of Change
        Changes of level; beside the line where there is one.
    """

    adjusted: Floats
    fitted: Floats
    seasons: tuple[Season, ...]
    trend: Trend | None
    changes: tuple[Change, ...]


def course_of(series: Floats, *, periods: tuple[int, ...] = (), level: float = 0.01, seed: int = 0) -> Course | None:
    """Describe a series.

    Parameters
    ----------
    series : numpy.ndarray of float64, shape (n,)
        Values at equal distances in time; NaN where there is none.
    periods : tuple of int
        Lengths of cycles to look for, shortest first.
    level : float
        Probability of each of these where there is none: any change, a trend, a season.
    seed : int
        Seed of the references.

    Returns
    -------
    Course or None
        None for fewer than 12 values, more than 30 % gaps, or a series that does not vary.

    Examples
    --------
    >>> place = np.arange(200)
    >>> noise = np.random.default_rng(0).normal(size=200)
    >>> course = course_of(0.05 * place + 3.0 * (place % 7 == 6) + noise, periods=(7,))
    >>> [season.period for season in course.seasons], course.trend.low < 10 < course.trend.high, course.changes
    ([7], True, ())
    """
    known = np.isfinite(series)
    if known.sum() < _FEWEST or known.mean() < 1 - _MOST_GAPS or not np.ptp(series[known]) > 0:
        return None
    place = np.arange(len(series))
    whole = np.interp(place, place[known], series[known])
    seasons, adjusted = _seasons(whole, periods, level, seed)
    trend, found, fitted = _line_and_steps(adjusted, level, seed)
    return Course(adjusted, fitted, seasons, trend, found)


def _seasons(series: Floats, periods: tuple[int, ...], level: float, seed: int) -> tuple[tuple[Season, ...], Floats]:
    kept = tuple(period for period in periods if _is_season(series, period, level, seed))
    if not kept:
        return (), series
    from statsmodels.tsa.seasonal import MSTL  # noqa: PLC0415  (heavy, and few tables have seasons)

    parts = MSTL(series, periods=kept).fit()
    waves = np.asarray(parts.seasonal).reshape(len(series), -1)
    rest = np.asarray(parts.resid)
    found = tuple(
        Season(period, max(0.0, 1 - float(rest.var() / (wave + rest).var())), _shape(wave, period))
        for period, wave in zip(kept, waves.T, strict=True)
    )
    return found, np.asarray(series - waves.sum(axis=1))


def _is_season(series: Floats, period: int, level: float, seed: int) -> bool:
    if len(series) < _CYCLES * period:
        return False
    strength = float(season_strength(series[None, :], period)[0])
    shape = _shape(without_level(series[None, :], period)[0], period)
    rest = series - np.roll(shape, period // 2)[np.arange(len(series)) % period]
    reference = Reference(noise_of(rest), len(series), shortest_stretch(len(series)), seed)
    return strength > reference.season_limit(period, level)


def _shape(wave: Floats, period: int) -> Floats:
    return np.array([wave[phase::period].mean() for phase in range(period)])


def _line_and_steps(series: Floats, level: float, seed: int) -> tuple[Trend | None, tuple[Change, ...], Floats]:
    """Choose between steps alone and a line with or without steps."""
    flat = changes(series, level=level, seed=seed)
    levels = _levels(series, flat)
    place = np.arange(len(series)) - (len(series) - 1) / 2
    line = series.mean() + place * (series @ place) / (place @ place)
    beside = changes(series - line, level=level, seed=seed) if flat else ()
    together = line + _levels(series - line, beside)
    noise = min(noise_of(series - levels), noise_of(series - together), key=lambda noise: noise.long_run)
    trend, beyond = _trend(series, noise_of(series - together), level, seed)
    words = _cost(series - together, noise, 1 + 2 * len(beside)) < _cost(series - levels, noise, 2 * len(flat))
    return (trend, beside, together) if beyond and words else (None, flat, levels)


def _levels(series: Floats, found: tuple[Change, ...]) -> Floats:
    stretches = np.split(series, [change.place for change in found])
    return np.concatenate([np.full(len(stretch), stretch.mean()) for stretch in stretches])


def _cost(rest: Floats, noise: Noise, words: int) -> float:
    """Schwarz's criterion, with as many observations as are independent."""
    independent = max(3.0, len(rest) * min(1.0, noise.variance / max(noise.long_run, 1e-300)))
    return float(independent * np.log(max(rest.var(), 1e-300)) + words * np.log(independent))


def _trend(series: Floats, noise: Noise, level: float, seed: int) -> tuple[Trend, bool]:
    n = len(series)
    reference = Reference(noise, n, shortest_stretch(n), seed)
    size = float(slopes(series[None, :])[0] / np.sqrt(max(noise.long_run, 1e-300)))
    span = (n - 1) / np.sqrt(n * (n**2 - 1) / 12) * np.sqrt(noise.long_run)
    half = reference.slope_limit(0.05)
    trend = Trend(*(float(end * span) for end in (size, size - half, size + half)))
    return trend, abs(size) > reference.slope_limit(level)
