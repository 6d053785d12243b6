"""The rows that the leak tests look at, drawn and coded once, and what columns say alone and together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from shiplap.core.brief import Task
from shiplap.methods.bins import binned, bins_score
from shiplap.methods.columns import known_at
from shiplap.methods.metrics import auc
from shiplap.methods.query import quoted
from shiplap.methods.question import Problem

__all__ = ["Floats", "Ints", "Sample", "alone", "levels", "near_rows_r2", "rows_of", "sample_of", "skill", "together"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_ROWS, _FEW = 50_000, 4_000
_BINS = 32
_TREES = 30
_LEAST = 10
"""Rows that a class must have to count."""


@dataclass(frozen=True, eq=False)
class Sample:
    """At most 50,000 labelled rows, in the order of the source.

    Parameters
    ----------
    problem : Problem
        The question, on all labelled rows.
    rows : numpy.ndarray of int64, shape (n_rows,)
        Which of its rows are in the sample.
    few : numpy.ndarray of int64, shape (at most 4,000,)
        Positions in the sample for what is dear.
    X : pandas.DataFrame of shape (n_rows, n_features)
        Their features.
    y : numpy.ndarray of shape (n_rows,)
        Codes of classes, or numbers.
    sources : pandas.DataFrame of shape (n_rows, n_sources)
        Numbers that classes are made from (``arr_delay`` of ``arr_delay > 15``); for regression the target itself.
    codes : dict of str to numpy.ndarray of int64
        Each feature in 32 bins and one for missing.
    tried : tuple of str
        Features that the brief has not settled with ``known_at = "decision"``.
    """

    problem: Problem
    rows: Ints
    few: Ints
    X: pd.DataFrame
    y: npt.NDArray[Any]
    sources: pd.DataFrame
    codes: dict[str, Ints]
    tried: tuple[str, ...]

    def numbers(self) -> list[str]:
        """Name the numeric features that are tried."""
        return [name for name in self.tried if self.problem.schema[name].kind == "number"]


def sample_of(problem: Problem) -> Sample:
    """Draw and code the rows of a problem.

    Examples
    --------
    >>> from shiplap.methods.question import pose
    >>> rows = {"age": [21.0, 35.0, 47.0, 58.0] * 20, "left": ["no", "no", "no", "yes"] * 20}
    >>> sample = sample_of(pose(rows, question={"target": "left"}))
    >>> sample.tried, len(sample.rows)
    (('age',), 80)
    """
    random = np.random.default_rng(problem.brief.seed)
    rows = np.sort(random.permutation(problem.n_rows)[:_ROWS])
    X = problem.X.iloc[rows].reset_index(drop=True)
    settled = {column.name for column in problem.schema if known_at(column, problem.brief) == "decision"}
    return Sample(
        problem=problem,
        rows=rows,
        few=np.sort(random.permutation(len(rows))[:_FEW]),
        X=X,
        y=problem.y[rows],
        sources=_sources(problem, rows),
        codes={str(name): binned(X[name], bins=_BINS)[0] for name in X.columns},
        tried=tuple(name for name in problem.schema.names if name not in settled),
    )


def _sources(problem: Problem, rows: Ints) -> pd.DataFrame:
    if problem.task == "regression":
        return pd.DataFrame({"the target": problem.y[rows].astype(np.float64)})
    itself = problem.target_columns == (problem.brief.target.strip().strip('"'),)
    numeric = [name for name in problem.target_columns if problem.table.schema[name].kind == "number" and not itself]
    frame = rows_of(problem, numeric, rows)
    return pd.DataFrame(index=range(len(rows))) if frame is None else frame


def rows_of(problem: Problem, names: list[str], rows: Ints) -> pd.DataFrame | None:
    """Fetch columns that are no features on some rows of a problem; None where its rows cannot be told apart there.

    Only every n-th row leaves the place where they lie, when few are asked for.
    """
    if not names:
        return None
    known = f"({problem.target_sql}) IS NOT NULL"
    total = problem.table.frame.fetch(" ".join(("SELECT count(*) FROM rows WHERE", known)))[0][0]
    if problem.places is None and total != problem.n_rows:
        return None
    places = rows if problem.places is None else problem.places[rows]
    columns = ", ".join(quoted(name) for name in names)
    place = ", row_number() OVER (ORDER BY rowid) - 1 AS place"
    numbered = " ".join(("(SELECT", columns, place, "FROM rows WHERE", known, ") AS numbered"))
    wanted = ", ".join(str(row) for row in places)
    kept = f"WHERE place IN ({wanted})" if len(rows) < total else ""
    frame: pd.DataFrame = problem.table.frame.pandas(
        " ".join(("SELECT", columns, "FROM", numbered, kept, "ORDER BY place"))
    )
    return frame if len(frame) == len(rows) else None


def skill(task: Task, score: float) -> float:
    """Count a score from chance (0) to certainty (1).

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.
    score : float
        R squared, or area under the ROC curve.

    Examples
    --------
    >>> skill("binary", 0.75), skill("regression", 0.75)
    (0.5, 0.75)
    """
    return score if task == "regression" else 2 * score - 1


def levels(column: pd.Series) -> tuple[Ints, int]:
    """Number the values of a column, missing ones as a value of their own.

    Returns
    -------
    codes : numpy.ndarray of int64, shape (n_rows,)
        Value of each row.
    n_levels : int
        How many there are.

    Examples
    --------
    >>> codes, n_levels = levels(pd.Series(["b", None, "a", "b"]))
    >>> codes.tolist(), n_levels
    ([0, 1, 2, 0], 3)
    """
    codes, values = pd.factorize(column, use_na_sentinel=False)
    return codes.astype(np.int64), len(values)


def alone(sample: Sample, name: str) -> float:
    """Say how well one column predicts the target on rows it was not learned on: R squared, or area under the curve.

    Bins answer for any column; besides them all values of a category, and for numbers against numbers the rows that lie
    next to each other (`near_rows_r2`), which sees finer than bins.
    """
    task, column = sample.problem.task, sample.X[name]
    score = bins_score(task, sample.codes[name], sample.y)
    if column.dtype.kind not in "fiubM":
        codes, n_levels = levels(column)
        return max(score, bins_score(task, codes, sample.y)) if _BINS < n_levels <= len(codes) / 2 else score
    if task == "regression" and column.dtype.kind == "f":
        return max(score, near_rows_r2(column.to_numpy(), sample.y.astype(np.float64)))
    return score


def near_rows_r2(values: Floats, y: Floats) -> float:
    """Say what share of the variance of a target a number explains, whatever the shape of the relation.

    The variance around an unknown smooth curve is estimated from rows that lie next to each other: Gasser, Sroka and
    Jennen-Steinmetz (1986), "Residual variance and residual pattern in nonlinear regression", Biometrika 73.

    Parameters
    ----------
    values, y : numpy.ndarray of shape (n_rows,)
        The number, NaN where missing, and the target.

    Examples
    --------
    >>> x = np.linspace(-3, 3, 1000)
    >>> round(near_rows_r2(x, np.sin(x)), 3), near_rows_r2(x, np.random.default_rng(0).normal(size=1000)) < 0.1
    (1.0, True)
    """
    known = np.isfinite(values)
    x, known_y = values[known], y[known]
    if len(x) < 50 or len(x) < 0.5 * len(values) or np.var(known_y) == 0:
        return 0.0
    ordered = known_y[np.lexsort((np.random.default_rng(0).random(len(x)), x))]
    apart = ordered[1:-1] - (ordered[:-2] + ordered[2:]) / 2
    return max(0.0, 1.0 - float(np.mean(apart**2) / 1.5 / np.var(known_y)))


def together(sample: Sample, names: list[str], *, seed: int = 0) -> float:
    """Say how well several columns predict the target together: trees on their bins, judged out of bag.

    Extremely randomized trees (Geurts, Ernst and Wehenkel 2006, Machine Learning 63): on 4,000 rows a tenth of a second
    tells what a tuned model would tell to within a few hundredths.

    Parameters
    ----------
    sample : Sample
        The rows.
    names : list of str
        Columns; none predicts by chance.
    seed : int
        Seed of the trees.

    Returns
    -------
    float
        R squared, or area under the ROC curve averaged over the classes with rows enough.
    """
    task = sample.problem.task
    y = sample.y[sample.few]
    if not names or len(np.unique(y)) < 2:
        return 0.0 if task == "regression" else 0.5
    matrix = np.column_stack([sample.codes[name][sample.few] for name in names]).astype(np.float32)
    settings = {"n_estimators": _TREES, "min_samples_leaf": 3, "max_features": 0.6, "random_state": seed}
    if task == "regression":
        grown = ExtraTreesRegressor(**settings, bootstrap=True, oob_score=True).fit(matrix, y)
        return max(0.0, 1.0 - float(np.mean((y - grown.oob_prediction_) ** 2) / np.var(y)))
    grown = ExtraTreesClassifier(**settings, bootstrap=True, oob_score=True).fit(matrix, y)
    shares = grown.oob_decision_function_
    frequent = [place for place, code in enumerate(grown.classes_) if np.sum(y == code) >= _LEAST]
    judged = [auc(y == grown.classes_[place], shares[:, place]) for place in frequent]
    known = [score for score in judged if score is not None]
    return max(0.5, float(np.mean(known))) if known else 0.5
