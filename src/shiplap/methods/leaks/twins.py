"""Test rows that have a twin among the train rows: copies, and near copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from shiplap.core.finding import Finding, Grade
from shiplap.methods.leaks.sample import Floats, Ints, levels
from shiplap.methods.question import Problem
from shiplap.methods.splits import Split

__all__ = ["Twins", "places", "twin_finding", "twins_of"]

_TEST, _TRAIN = 1_500, 15_000
_NEIGHBORS = 5
_NEAR = 0.05
_FAR = 4.0
_WIDTH = 6
"""Numbers that stand for one category: values of it lie about equally far apart."""
_SHARE, _FEWEST = 0.02, 10
_AGREE = 1 / 3


@dataclass(frozen=True, eq=False)
class Twins:
    """Which of some test rows have a twin among the train rows.

    Parameters
    ----------
    rows : numpy.ndarray of int64, shape (n,)
        Places in ``split.test`` of the rows that were looked at.
    twin : numpy.ndarray of bool, shape (n,)
        Which have one: their nearest train row is at most a twentieth as far as their fifth nearest.
    exact : numpy.ndarray of bool, shape (n,)
        Which have one that is equal in every column.
    apart : numpy.ndarray of shape (n,)
        How far the target of each is from that of its nearest train row: 0 or 1 for classes.
    """

    rows: Ints
    twin: npt.NDArray[np.bool_]
    exact: npt.NDArray[np.bool_]
    apart: Floats

    @property
    def share(self) -> float:
        """Share of test rows with a twin."""
        return float(np.mean(self.twin))

    def apart_of(self, *, twins: bool) -> float:
        """How far targets lie apart on average, of rows with a twin or of the others; infinite where there are none."""
        chosen = self.apart[self.twin == twins]
        return float(np.mean(chosen)) if len(chosen) else float("inf")


def twins_of(problem: Problem, split: Split) -> Twins:
    """Look for a twin of each of at most 1,500 test rows among at most 15,000 train rows.

    Where rows lie evenly the nearest is seldom much nearer than the fifth: in d dimensions a twentieth of its distance
    has a chance of about ``0.05 ** d`` (Facco et al. 2017, "Estimating the intrinsic dimension of datasets by a minimal
    neighborhood information", Scientific Reports 7). Rows on a grid whose fifth neighbor is equal too are no twins.

    Parameters
    ----------
    problem : Problem
        All rows.
    split : Split
        Its parts; tune rows count as train rows.
    """
    random = np.random.default_rng(problem.brief.seed)
    taught = np.concatenate([split.train, split.tune])
    train = np.sort(random.permutation(taught)[:_TRAIN])
    rows = np.sort(random.permutation(len(split.test))[:_TEST])
    test = split.test[rows]
    where = places(problem.X.iloc[np.concatenate([train, test])], seed=problem.brief.seed)
    known, asked = where[: len(train)], where[len(train) :]
    nearest = NearestNeighbors(n_neighbors=min(_NEIGHBORS, len(train)), algorithm="brute").fit(known)
    near = nearest.kneighbors(asked, return_distance=False)
    far = np.linalg.norm(known[near].astype(np.float64) - asked[:, None, :], axis=2)
    order = np.argsort(far, axis=1, kind="stable")
    far, near = np.take_along_axis(far, order, axis=1), np.take_along_axis(near, order, axis=1)
    other, own = problem.y[train[near[:, 0]]], problem.y[test]
    apart = np.abs(own - other) if problem.task == "regression" else own != other
    first, last = far[:, 0], far[:, -1]
    return Twins(rows, (last > 0) & (first <= _NEAR * last), (first == 0) & (last > 0), apart.astype(np.float64))


def places(X: pd.DataFrame, *, seed: int) -> npt.NDArray[np.float32]:
    """Lay rows out in a space: numbers in standard deviations, categories at equal distances from each other.

    Returns
    -------
    numpy.ndarray of float32, shape (n_rows, n_dimensions)
    """
    random = np.random.default_rng(seed)
    sides: list[Floats] = []
    for name in X.columns:
        column = X[name]
        if column.dtype.kind in "fM":
            seconds = column.to_numpy().astype("datetime64[s]") if column.dtype.kind == "M" else column.to_numpy()
            values = np.where(column.isna(), np.nan, seconds.astype(np.float64))
            spread = float(np.nanstd(values)) if column.notna().any() else 0.0
            far = (values - np.nanmean(values)) / spread if spread else np.zeros(len(values))
            sides.append(np.where(np.isnan(far), -_FAR, np.clip(far, -_FAR, _FAR))[:, None])
            continue
        codes, n_levels = levels(column)
        corners = random.normal(size=(n_levels, _WIDTH))
        corners /= np.linalg.norm(corners, axis=1, keepdims=True) * np.sqrt(2)
        sides.append(corners[codes])
    return np.concatenate(sides, axis=1).astype(np.float32)


def twin_finding(problem: Problem, twins: Twins) -> list[Finding]:
    """Say what the twins mean; nothing where there are hardly any.

    Returns
    -------
    list of Finding
        ``leak.duplicates``: ``warn`` where the targets of twins lie at most a third as far apart as those of other
        neighbors, or where that cannot be told; ``note`` where they agree no better, as rows do that are equal by
        coincidence.
    """
    count = int(twins.twin.sum())
    if twins.share < _SHARE or count < _FEWEST:
        return []
    same, others = twins.apart_of(twins=True), twins.apart_of(twins=False)
    copied = same <= _AGREE * others
    exact = float(np.mean(twins.exact))
    told = "differ by" if problem.task == "regression" else "differ on"
    figures = (f"{same:,.3g}", f"{others:,.3g}") if problem.task == "regression" else (f"{same:.1%}", f"{others:.1%}")
    means = (
        f"{twins.share:.1%} of the test rows have a twin among the train rows ({exact:.1%} equal in every column); "
        f"their targets {told} {figures[0]}, those of other neighbors {figures[1]}"
    )
    grade: Grade = "warn" if copied else "note"
    todo = "drop the copies, or name with group= what they have in common, so that no twin is on two sides"
    if not copied:
        todo = "nothing, if rows may well be equal by coincidence; else name with group= what they have in common"
    return [Finding(check="leak.duplicates", verdict=grade, means=means, todo=todo, value=twins.share, limit=_SHARE)]
