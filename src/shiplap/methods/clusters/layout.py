"""Rows as points for clustering, and points without clusters to hold them against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, rankdata
from sklearn.preprocessing import PowerTransformer

from shiplap.methods.mixed import numbers_of

__all__ = ["Layout", "layout"]

Floats: TypeAlias = npt.NDArray[np.float64]
_COMMON = 0.05
_LUMP = 0.1
"""A number whose commonest value has more than this share of the rows keeps its own distribution in the reference."""


@dataclass(frozen=True, eq=False)
class Layout:
    """How a table is laid out as points.

    Parameters
    ----------
    columns : tuple of numpy.ndarray of float64, each of shape (n_rows,)
        Numbers without gaps, and categories as codes, the commonest first.
    values : tuple of int
        How many values of a category are told apart; 0 for numbers.
    """

    columns: tuple[Floats, ...]
    values: tuple[int, ...]

    @property
    def points(self) -> Floats:
        """The rows as points, every dimension of variance 1; shape (n_rows, n_dimensions)."""
        return self._points(self.columns)

    def without_clusters(self, n: int, rng: np.random.Generator, *, flat: bool) -> Floats:
        """Draw points that keep how columns are spread and go together, but of one piece; shape (n, n_dimensions).

        A Gaussian copula (after SigClust: Liu, Hayes, Nobel and Marron, 2008, "Statistical significance of clustering
        for high-dimension, low-sample size data", JASA 103) with the rank correlations of the columns; numbers follow a
        two-piece normal curve, which may be skewed but has one summit, or lie evenly between their ends (`flat`);
        categories keep their shares.
        """
        drawn = rng.normal(size=(n, len(self.columns))) @ self._root.T
        return self._points(
            tuple(_drawn(column, draw, lumps=count > 0, flat=flat) for column, draw, count in self._triples(drawn))
        )

    @cached_property
    def _root(self) -> Floats:
        """Cholesky root of the rank correlations; it takes as long as a reference, and all references share it."""
        scores = np.column_stack([norm.ppf(rankdata(column) / (len(column) + 1)) for column in self.columns])
        correlation = np.atleast_2d(np.corrcoef(scores.T)) * 0.999 + 0.001 * np.eye(len(self.columns))
        return np.asarray(np.linalg.cholesky(correlation))

    def _triples(self, drawn: Floats) -> list[tuple[Floats, Floats, int]]:
        return list(zip(self.columns, drawn.T, self.values, strict=True))

    def _points(self, columns: tuple[Floats, ...]) -> Floats:
        parts = []
        for column, own, count in zip(columns, self.columns, self.values, strict=True):
            marks = [(column == code).astype(np.float64) for code in range(count)] if count else [column]
            owns = [(own == code).astype(np.float64) for code in range(count)] if count else [own]
            parts += [(mark - mine.mean()) / mine.std() for mark, mine in zip(marks, owns, strict=True)]
        return np.column_stack(parts)


def layout(X: pd.DataFrame) -> Layout:
    """Lay out numbers, dates, booleans and categories; a column that does not vary is left out."""
    columns, values = [], []
    for name in X.columns:
        if X[name].dtype.kind in "fiubM":
            numbers = numbers_of(X[name])
            if np.isfinite(numbers).any():
                columns.append(_straightened(numbers))
                values.append(0)
        else:
            codes = pd.factorize(X[name], use_na_sentinel=False)[0]
            shares = np.bincount(codes) / len(codes)
            order = np.argsort(np.argsort(-shares, kind="stable"), kind="stable")
            columns.append(order[codes].astype(np.float64))
            values.append(int((shares >= _COMMON).sum()))
    kept = [index for index, column in enumerate(columns) if np.ptp(column) > 0 and _varies(column, values[index])]
    return Layout(tuple(columns[index] for index in kept), tuple(values[index] for index in kept))


def _straightened(numbers: Floats) -> Floats:
    """Fill gaps by the median, pull in the farthest, and take a long tail for what it is: no group of its own.

    Yeo and Johnson (2000), "A new family of power transformations to improve normality or symmetry", Biometrika 87.
    """
    low, middle, high = np.nanquantile(numbers, [0.005, 0.5, 0.995])
    calm = np.clip(np.where(np.isfinite(numbers), numbers, middle), low, high)
    if not calm.std() > 0:
        return np.asarray(calm)
    scaled = (calm - calm.mean()) / calm.std()
    return np.asarray(PowerTransformer().fit_transform(scaled[:, None])[:, 0])


def _varies(column: Floats, count: int) -> bool:
    return column.std() > 0 if not count else all((column == code).any() for code in range(count))


def _drawn(column: Floats, scores: Floats, *, lumps: bool, flat: bool) -> Floats:
    """Give normal scores the distribution of a column."""
    if lumps or np.unique(column, return_counts=True)[1].max() > _LUMP * len(column):
        return np.asarray(np.quantile(column, norm.cdf(scores), method="inverted_cdf"))
    if flat:
        return np.asarray(column.min() + norm.cdf(scores) * np.ptp(column))
    low, middle, high = np.quantile(column, [0.05, 0.5, 0.95])
    spread = np.where(scores < 0, middle - low, high - middle) / norm.ppf(0.95)
    return np.asarray(np.clip(middle + scores * spread, column.min(), column.max()))
