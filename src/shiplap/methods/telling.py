"""Whether a model can tell two tables apart, and whether the same inputs still mean the same answer.

Telling apart: Lopez-Paz and Oquab (2017), "Revisiting classifier two-sample tests", ICLR. Trees learn on each half of
the rows and are judged on the other by the area under the ROC curve (0.5 is chance), which has the variance of Mann and
Whitney's test. A chance likeness of the halves lifts both areas at once, so their mean is taken to vary as much as one
of them: taken as independent, as cross-validation usually does, it would find a difference too often.

The answer: whether a target still depends on the inputs as before is the question whether, given the inputs, it is
independent of the table a row comes from. The generalized covariance measure, Shah and Peters (2020), "The hardness
of conditional independence testing and the generalised covariance measure", Annals of Statistics 48, multiplies what
the inputs do not explain of the target with what they do not explain of the table, so that inputs that moved do not
pass for an answer that changed. By bins of each column (as weighted by Scheidegger, Hörrmann and Bühlmann 2022, JMLR
23) it also sees changes that cancel out over all rows, and says where they lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, norm, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from shiplap.methods.association import coded
from shiplap.methods.intervals import Interval
from shiplap.methods.matrix import tree_matrix
from shiplap.methods.multiple import LEVEL

__all__ = ["Relation", "Telling", "relation_changed", "tell_apart"]

Floats: TypeAlias = npt.NDArray[np.float64]
_HALVES, _FOLDS, _ROUNDS, _LEAVES = 2, 4, 60, 15
_FEWEST_IN_A_BIN = 30
_MOST_CLASSES = 3


@dataclass(frozen=True, eq=False)
class Telling:
    """How well a model tells two tables apart.

    Parameters
    ----------
    auc : Interval
        Area under the ROC curve on rows that the model did not learn from, with its 95 % interval.
    p : float
        p-value that no model of this kind can tell.
    share : numpy.ndarray of shape (n_rows,)
        Chance, given the inputs, that a row is of the second table.
    loss : dict of str to float
        By how much the area falls when one column is shuffled, largest first; empty where nothing is told apart.
    """

    auc: Interval
    p: float
    share: Floats
    loss: dict[str, float]


@dataclass(frozen=True)
class Relation:
    """How the answer changed where the inputs are the same.

    Parameters
    ----------
    change : Interval
        Mean change of the target, second table less first, at equal inputs; of a class, of its share.
    p : float
        p-value that nothing changed, over all rows and by bins of every column.
    column : str
        The column by whose values it changed most surely; empty where it changed alike everywhere.
    """

    change: Interval
    p: float
    column: str


def tell_apart(X: pd.DataFrame, second: npt.NDArray[np.bool_], *, seed: int = 0) -> Telling:
    """Learn which table a row comes from, and judge that on other rows.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        Rows of both tables: numbers, booleans, words.
    second : numpy.ndarray of bool, shape (n_rows,)
        Whether a row is of the second table.
    seed : int
        Seed of the folds.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=2000)
    >>> second = np.arange(2000) % 2 == 1
    >>> found = tell_apart(pd.DataFrame({"x": x + second, "y": x[::-1]}), second)
    >>> found.auc.low > 0.7, list(found.loss)
    (True, ['x', 'y'])
    """
    matrix, words = tree_matrix(X)
    share = np.empty(len(matrix))
    areas, models, halves = [], [], _folds(second, _HALVES, seed)
    with threadpool_limits(1):  # threads that wait for each other cost more than they bring on so few rows
        for learn, judge in halves:
            models.append(_classifier(words, seed).fit(matrix[learn], second[learn]))
            share[judge] = models[-1].predict_proba(matrix[judge])[:, 1]
            areas.append(_area(share[judge], second[judge]))
    area = float(np.mean(areas))
    p = float(norm.sf((area - 0.5) / np.mean([_spread_by_chance(second[judge]) for _, judge in halves])))
    half = 1.96 * float(np.mean([_spread(share[judge], second[judge]) for _, judge in halves]))
    judged = halves[0][1]
    with threadpool_limits(1):
        loss = _shuffled(models[0], matrix[judged], second[judged], list(X.columns), seed) if p < LEVEL else {}
    return Telling(Interval(area, max(0.0, area - half), min(1.0, area + half)), p, share, loss)


def relation_changed(
    X: pd.DataFrame, y: npt.NDArray[Any], second: npt.NDArray[np.bool_], share: Floats, *, seed: int = 0
) -> Relation:
    """Test whether the same inputs still mean the same answer.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        Rows of both tables that have an answer.
    y : numpy.ndarray of shape (n_rows,)
        Numbers (float64), or codes of classes (int64), of which the commonest three are looked at, or of two the
        second.
    second : numpy.ndarray of bool, shape (n_rows,)
        Whether a row is of the second table.
    share : numpy.ndarray of shape (n_rows,)
        `Telling.share` of these rows.
    seed : int
        Seed of the folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, second = rng.normal(size=4000), np.arange(4000) % 2 == 1
    >>> X, share = pd.DataFrame({"x": x}), np.full(4000, 0.5)
    >>> same = relation_changed(X, x + rng.normal(size=4000), second, share)
    >>> turned = relation_changed(X, np.where(second, -x, x) + rng.normal(size=4000), second, share)
    >>> same.p > 0.05, turned.p < 1e-6, turned.column
    (True, True, 'x')
    """
    source = second - share
    codes = {str(name): coded(X[name]) for name in X.columns}
    with threadpool_limits(1):
        unexplained = _unexplained(X, y, seed)
    found = [_tested(residual, source, codes) for residual in unexplained.T]
    best = min(found, key=lambda relation: relation.p)
    return Relation(best.change, min(1.0, len(found) * best.p), best.column)


def _tested(residual: Floats, source: Floats, codes: dict[str, npt.NDArray[np.int64]]) -> Relation:
    product = residual * source
    weight = float(np.sum(source**2))
    change, spread = float(product.sum()) / weight, float(np.sqrt(np.sum(product**2))) / weight
    overall = float(2 * norm.sf(abs(change) / spread)) if spread else 1.0
    by_column = {name: _by_bins(product, code) for name, code in codes.items()}
    column = min(by_column, key=lambda name: by_column[name]) if by_column else ""
    tests = 1 + len(by_column)
    nearest = min(overall, by_column.get(column, 1.0))
    return Relation(
        Interval(change, change - 1.96 * spread, change + 1.96 * spread),
        min(1.0, tests * nearest),
        column if column and by_column[column] < overall else "",
    )


def _by_bins(product: Floats, codes: npt.NDArray[np.int64]) -> float:
    place = codes + 1
    rows = np.bincount(place)
    total, square = np.bincount(place, weights=product), np.bincount(place, weights=product**2)
    full = (rows >= _FEWEST_IN_A_BIN) & (square > 0)
    return float(chi2.sf(np.sum(total[full] ** 2 / square[full]), int(full.sum()))) if full.any() else 1.0


def _unexplained(X: pd.DataFrame, y: npt.NDArray[Any], seed: int) -> Floats:
    """Target less what trees that did not see the row expect; a column a class."""
    matrix, words = tree_matrix(X)
    if y.dtype.kind == "f":
        expected = np.empty(len(y))
        settings = {"max_iter": _ROUNDS, "max_leaf_nodes": _LEAVES, "categorical_features": words}
        for learn, judge in _folds(np.zeros(len(y), np.int64), _FOLDS, seed):
            model = HistGradientBoostingRegressor(early_stopping=False, random_state=seed, **settings)
            expected[judge] = model.fit(matrix[learn], y[learn]).predict(matrix[judge])
        return np.asarray((y - expected)[:, None], np.float64)
    chance = np.zeros((len(y), int(y.max()) + 1))
    for learn, judge in _folds(y, _FOLDS, seed):
        model = _classifier(words, seed).fit(matrix[learn], y[learn])
        chance[np.ix_(judge, model.classes_)] = model.predict_proba(matrix[judge])
    rows = np.bincount(y, minlength=chance.shape[1])
    shown = [1] if len(rows) == 2 else np.argsort(-rows, kind="stable")[:_MOST_CLASSES].tolist()
    return np.asarray(np.eye(len(rows))[y][:, shown] - chance[:, shown], np.float64)


def _folds(strata: npt.NDArray[Any], n: int, seed: int) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    return list(StratifiedKFold(n, shuffle=True, random_state=seed).split(strata, strata))


def _classifier(words: npt.NDArray[np.bool_], seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        max_leaf_nodes=_LEAVES,
        early_stopping=False,
        categorical_features=words,
        random_state=seed,
    )


def _area(score: Floats, hit: npt.NDArray[np.bool_]) -> float:
    m = int(hit.sum())
    return float((rankdata(score)[hit].sum() - m * (m + 1) / 2) / (m * (len(hit) - m)))


def _spread_by_chance(hit: npt.NDArray[np.bool_]) -> float:
    """Standard error of an area where nothing can be told: Mann and Whitney (1947)."""
    m = int(hit.sum())
    n = len(hit) - m
    return float(np.sqrt((n + m + 1) / (12 * n * m)))


def _spread(score: Floats, hit: npt.NDArray[np.bool_]) -> float:
    """Standard error of an area: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44."""
    n, m = int((~hit).sum()), int(hit.sum())
    ranks = rankdata(score)
    above = (ranks[hit] - rankdata(score[hit])) / n
    below = (ranks[~hit] - rankdata(score[~hit])) / m
    return float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))


def _shuffled(model: Any, matrix: Floats, hit: npt.NDArray[np.bool_], names: list[str], seed: int) -> dict[str, float]:
    """Breiman's permutation importance on rows that the model did not learn from."""
    whole = _area(model.predict_proba(matrix)[:, 1], hit)
    order = np.random.default_rng(seed).permutation(len(matrix))
    falls = {}
    for index, name in enumerate(names):
        changed = matrix.copy()
        changed[:, index] = matrix[order, index]
        falls[name] = whole - _area(model.predict_proba(changed)[:, 1], hit)
    return dict(sorted(falls.items(), key=lambda pair: -pair[1]))
