"""Whether rows fall into groups, and into how many.

k-means on the rows is held against k-means on references that are spread and correlated alike but of one piece: the
gap statistic (Tibshirani, Walther and Hastie, 2001, "Estimating the number of clusters in a data set via the gap
statistic", JRSS B 63). Groups that do not come back when half the rows are left out are not believed (Hennig, 2007,
"Cluster-wise assessment of cluster stability", Computational Statistics and Data Analysis 52).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from shiplap.methods.clusters.layout import Layout, layout

__all__ = ["Clusters", "clusters_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_MOST = 10
_JUDGED_ROWS, _FITTED_ROWS = 800, 10_000
_REFERENCES = 6
_BEYOND = 3.5
_HALVES = 5
_FIRM, _LESS_FIRM = 0.75, 0.1
_HALVED_ROWS = 3_000


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of rows.

    Parameters
    ----------
    labels : numpy.ndarray of int64, shape (n_rows,)
        Group of each row, the largest first; all 0 where there are no groups.
    count : int
        How many there are; 1 for none.
    gap : float
        By how many standard deviations of the reference the rows lie closer together than without groups.
    stability : float
        Adjusted Rand index of groupings learned from halves of the rows with that of all, averaged; 1 is the same.
    """

    labels: Ints
    count: int
    gap: float
    stability: float


def clusters_of(X: pd.DataFrame, *, seed: int = 0) -> Clusters:
    """Group rows, or say that they are of one piece.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        Numbers and booleans float64, dates datetime64, everything else text.
    seed : int
        Seed of every draw.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(np.vstack([rng.normal(size=(150, 2)), rng.normal(size=(100, 2)) + 6]), columns=["a", "b"])
    >>> clusters = clusters_of(X)
    >>> clusters.count, np.bincount(clusters.labels).tolist()
    (2, [150, 100])
    """
    none = Clusters(np.zeros(len(X), np.int64), 1, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    laid = layout(X)
    if not laid.columns:
        return none
    points = laid.points
    order = rng.permutation(len(points))
    counts, gap = _counts(points[order[:_JUDGED_ROWS]], laid, rng, seed)
    chosen = points[order[:_FITTED_ROWS]]
    fits = [_fitted(chosen, count, seed, starts=5) for count in counts]
    firm = [_stability(fit, chosen[:_HALVED_ROWS], rng, seed) for fit in fits]
    best = max(firm, default=0.0)
    if best < _FIRM:
        return Clusters(none.labels, 1, gap, best)
    place = next(place for place, stability in enumerate(firm) if stability >= max(_FIRM, best - _LESS_FIRM))
    labels, count = fits[place].predict(points), counts[place]
    ranks = np.argsort(np.argsort(-np.bincount(labels, minlength=count), kind="stable"), kind="stable")
    return Clusters(ranks[labels].astype(np.int64), count, gap, firm[place])


def _counts(points: Floats, laid: Layout, rng: np.random.Generator, seed: int) -> tuple[list[int], float]:
    """Return the numbers of groups beyond both references, from the first whose gap the next does not surely exceed."""
    most = min(_MOST, len(points) // 20)
    if most < 3:
        return [], 0.0
    own = _tightness(points, most, seed)
    gaps, spread, beyond = np.full(most, np.inf), np.zeros(most), np.full(most, np.inf)
    for flat in (False, True):
        drawn = [laid.without_clusters(len(points), rng, flat=flat) for _ in range(_REFERENCES)]
        logs = np.array([_tightness(reference, most, seed) for reference in drawn])
        gap, error = logs.mean(axis=0) - own, logs.std(axis=0, ddof=1) * np.sqrt(1 + 1 / _REFERENCES) + 1e-9
        spread = np.where(gap < gaps, error, spread)
        gaps, beyond = np.minimum(gaps, gap), np.minimum(beyond, gap / error)
    far = np.flatnonzero(beyond[1:] >= _BEYOND) + 1
    if not len(far):
        return [], float(beyond[1:].max())
    level = [place for place in far if place + 1 < most and gaps[place] >= gaps[place + 1] - spread[place + 1]]
    best = int(level[0]) if level else int(far[np.argmax(gaps[far])])
    return [int(place) + 1 for place in far[::-1] if place <= best], float(beyond[best])


def _tightness(points: Floats, most: int, seed: int) -> Floats:
    """Logarithm of the sum of squares within 1, 2, ... groups, relative to one group."""
    whole = float(((points - points.mean(axis=0)) ** 2).sum())
    within = [_fitted(points, count, seed, starts=1).inertia_ for count in range(2, most + 1)]
    return np.asarray(np.log(np.array([whole, *within]) / whole))


def _fitted(points: Floats, count: int, seed: int, *, starts: int) -> KMeans:
    return KMeans(count, n_init=starts, random_state=seed).fit(points)


def _stability(whole: KMeans, points: Floats, rng: np.random.Generator, seed: int) -> float:
    """Say how well groups learned from halves of the rows agree with those of all."""
    labels = whole.predict(points)
    found = []
    for _ in range(_HALVES):
        half = points[rng.permutation(len(points))[: len(points) // 2]]
        again = _fitted(half, whole.n_clusters, seed, starts=5)
        found.append(adjusted_rand_score(labels, again.predict(points)))
    return float(np.mean(found))
