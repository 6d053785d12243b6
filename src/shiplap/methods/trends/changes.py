"""Where the level of a series changes: best places by optimal partitioning, believed only beyond what noise shows.

The places come from ruptures (Truong, Oudre and Vayatis, 2020, "Selective review of offline change point detection
methods", Signal Processing 167), for every number of changes; how many are believed is decided against a reference of
noise with the same memory as the series, so that false alarms stay at a stated rate. The interval of a place is that of
Bai (1997), "Estimation of a change point in multiple regression models", Review of Economics and Statistics 79.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from shiplap.methods.trends.noise import Noise, noise_of
from shiplap.methods.trends.reference import Reference

__all__ = ["Change", "changes", "shortest_stretch"]

Floats: TypeAlias = npt.NDArray[np.float64]
_FEWEST = 40
_MOST = 8
_BAI = 11.0
"""97.5 % point of where the maximum of a two-sided random walk with drift lies, in units of its variance."""
_ROUNDS = 4
_BLOCKS = 8
_WILD = 4.0


@dataclass(frozen=True)
class Change:
    """One change of level.

    Parameters
    ----------
    place, low, high : int
        Position of the first value after the change, with its 95 % interval.
    before, after : float
        Level of the stretch before and after it.
    step, step_low, step_high : float
        After minus before, with its 95 % interval.
    """

    place: int
    low: int
    high: int
    before: float
    after: float
    step: float
    step_low: float
    step_high: float


def changes(series: Floats, *, level: float = 0.01, seed: int = 0) -> tuple[Change, ...]:
    """Find the changes of level of a series without season and trend.

    Parameters
    ----------
    series : numpy.ndarray of float64, shape (n,)
        Values at equal distances in time, none missing.
    level : float
        Probability of finding any change where there is none.
    seed : int
        Seed of the reference.

    Returns
    -------
    tuple of Change
        In order of time; none for fewer than 40 values.

    Examples
    --------
    >>> series = np.random.default_rng(0).normal(size=200) + 3.0 * (np.arange(200) >= 120)
    >>> [(abs(change.place - 120) < 5, round(change.step)) for change in changes(series)]
    [(True, 3)]
    """
    n = len(series)
    shortest = shortest_stretch(n)
    calm = _calmed(series, shortest)
    if n < _FEWEST or not np.ptp(calm) > 0:
        return ()
    partitions = _partitions(calm, shortest)
    places, noise = _believed(calm, partitions, shortest=shortest, level=level, seed=seed)
    return tuple(_change(calm, places, index, noise.long_run) for index in range(len(places)))


def shortest_stretch(n: int) -> int:
    """Return how many values, of `n`, must lie between two changes.

    Examples
    --------
    >>> shortest_stretch(365)
    9
    """
    return max(5, n // 40)


def _believed(
    series: Floats, partitions: list[list[int]], *, shortest: int, level: float, seed: int
) -> tuple[list[int], Noise]:
    """Return the most changes that all exceed what noise shows, at last the noise of the series without them."""
    places: list[int] = []
    blocks = max(3, min(_BLOCKS, len(series) // 20))
    noise = judged_by = noise_of(series, blocks=blocks)
    for _ in range(_ROUNDS):
        limit = Reference(noise, len(series), shortest, seed).step_limit(level, blocks=blocks) * np.sqrt(noise.long_run)
        found = next((found for found in partitions if _steps(series, found).min() > limit), [])
        if not found or found == places:
            return found, noise
        places, judged_by, blocks = found, noise, 1
        noise = noise_of(series - _levels(series, places))
    return places, judged_by


def _calmed(series: Floats, shortest: int) -> Floats:
    """Pull single wild values back to the level around them: they are no change of level."""
    window = 2 * (shortest // 2) + 1
    around = np.median(
        np.lib.stride_tricks.sliding_window_view(np.pad(series, window // 2, "symmetric"), window), axis=1
    )
    apart = series - around
    reach = _WILD * 1.4826 * float(np.median(np.abs(apart)))
    return np.asarray(around + np.clip(apart, -reach, reach))


def _partitions(series: Floats, shortest: int) -> list[list[int]]:
    """Return the best places for every number of changes, most changes first."""
    import ruptures  # noqa: PLC0415  (heavy, and only tables with a time need it)

    most = min(_MOST, len(series) // (2 * shortest))
    search = ruptures.KernelCPD(kernel="linear", min_size=shortest).fit(series[:, None])
    return [search.predict(n_bkps=count)[:-1] for count in range(most, 0, -1)]


def _edges(series: Floats, places: list[int]) -> list[tuple[int, int, int]]:
    cuts = [0, *places, len(series)]
    return list(zip(cuts[:-2], cuts[1:-1], cuts[2:], strict=True))


def _steps(series: Floats, places: list[int]) -> Floats:
    """Size of each step in standard errors of white noise of variance 1."""
    return np.array(
        [
            abs(series[at:end].mean() - series[start:at].mean()) * np.sqrt((at - start) * (end - at) / (end - start))
            for start, at, end in _edges(series, places)
        ]
    )


def _levels(series: Floats, places: list[int]) -> Floats:
    stretches = np.split(series, places)
    return np.concatenate([np.full(len(stretch), stretch.mean()) for stretch in stretches])


def _change(series: Floats, places: list[int], index: int, long_run: float) -> Change:
    start, at, end = _edges(series, places)[index]
    before, after = float(series[start:at].mean()), float(series[at:end].mean())
    wide = int(np.ceil(_BAI * long_run / (after - before) ** 2))
    half = float(norm.ppf(0.975) * np.sqrt(long_run * (1 / (at - start) + 1 / (end - at))))
    return Change(
        place=at,
        low=max(start + 1, at - wide - 1),
        high=min(end - 1, at + wide + 1),
        before=before,
        after=after,
        step=after - before,
        step_low=after - before - half,
        step_high=after - before + half,
    )
