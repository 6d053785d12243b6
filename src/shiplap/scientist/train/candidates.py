"""The candidates: a linear pipeline and a few settings of boosted trees, fitted within the time budget.

The budget of time is turned into units of work by a fixed rate, and the units into settings, rounds and rows from the
shape of the data alone, so a seed gives the same model on every machine that keeps up. The clock cuts only what does
not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from shiplap.adapters.frameworks.lightgbm.estimators import BoostLog, Settings, boosted, fastest_threads, fit_boosted
from shiplap.core.progress import tell
from shiplap.methods.metrics import row_loss
from shiplap.methods.pipelines import fit_linear, for_trees, linear, output_of
from shiplap.methods.question import Problem
from shiplap.methods.splits import Split
from shiplap.methods.work import UNITS_PER_SECOND, Shape

__all__ = ["PORTFOLIO", "Candidate", "Search", "search"]

Floats: TypeAlias = npt.NDArray[np.float64]
PORTFOLIO = (
    Settings("boosted trees", leaves=31, learning_rate=0.05, least_rows=100, columns=0.5, ridge=1.0, smooth=200.0),
    Settings("boosted trees, careful", leaves=24, learning_rate=0.05, least_rows=60, columns=0.6, ridge=5.0),
    Settings("boosted trees, wide", leaves=96, learning_rate=0.05, least_rows=100, columns=0.5, ridge=10.0),
    Settings("boosted trees, small", leaves=8, learning_rate=0.08, least_rows=40, columns=0.5, ridge=1.0, smooth=100.0),
)
_MOST_ROUNDS = 2_000
_FEWEST_ROUNDS = 100
_FEWEST_ROWS = 2_000
_SHARE, _LINEAR_SHARE = 0.6, 0.2
_CLOCK = 0.8


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted pipeline with its outputs on the tune rows.

    Parameters
    ----------
    name : str
        What it is called.
    pipeline : sklearn.pipeline.Pipeline
        Steps ``prepare`` and ``model``.
    tune_output : numpy.ndarray
        Its output on the tune rows.
    tune_loss : float
        Mean loss on them.
    rounds, fitted, planned : int
        Rounds it predicts with, that were fitted, and that its share of the work allowed; 0 for a linear model.
    seconds : float
        Wall time of fitting.
    cut : bool
        Whether the clock ended fitting.
    """

    name: str
    pipeline: Pipeline
    tune_output: Floats
    tune_loss: float
    rounds: int = 0
    fitted: int = 0
    planned: int = 0
    seconds: float = 0.0
    cut: bool = False


@dataclass(frozen=True, eq=False)
class Search:
    """What the search tried.

    Parameters
    ----------
    linear : Candidate
        The linear one.
    boosted : list of Candidate
        The boosted ones.
    skipped : list of str
        Settings for which no work was left, or no time.
    n_rows : int
        Train rows that boosted trees were fitted on.
    planned, done : float
        Units of work that the budget allowed them, and that they used.
    cut : bool
        Whether the clock ended the search before the plan did.
    """

    linear: Candidate
    boosted: list[Candidate]
    skipped: list[str]
    n_rows: int
    planned: float
    done: float
    cut: bool

    @property
    def all(self) -> list[Candidate]:
        """Every candidate, least tune loss first."""
        return sorted([self.linear, *self.boosted], key=lambda candidate: candidate.tune_loss)


@dataclass(frozen=True)
class _Plan:
    """What one setting may use: rounds, wall time, threads (0 for all cores)."""

    settings: Settings
    rounds: int
    seconds: float
    threads: int


def search(problem: Problem, split: Split) -> Search:
    """Fit the candidates on the train rows; the tune rows say when to stop.

    Parameters
    ----------
    problem : Problem
        What is asked. Of ``brief.budget.train_seconds``, at 250 million units of work a second, 60 % are for boosted
        trees; where they do not suffice for all settings, fewer are tried, then fewer rows are learned from. The clock
        ends the search when 80 % of the seconds are gone.
    split : Split
        Its parts.
    """
    started = time.monotonic()
    budget = problem.brief.budget.train_seconds
    tell("fitting the linear model", 0.05)
    plain = _linear(problem, split)
    tell("preparing columns for boosted trees", 0.2)
    units = budget * _SHARE * UNITS_PER_SECOND
    rows = _affordable_rows(problem, split, units)
    prepare, matrices = _prepared(problem, split, rows)
    shape = _shape(problem, split, len(rows), matrices[0].shape[1])
    n_settings = _affordable_settings(shape, units)
    threads = fastest_threads(problem.task, PORTFOLIO[0], (matrices[0], problem.labels[rows]))
    left, clock, cut = units, started + _CLOCK * budget, False
    tried: list[Candidate] = []
    skipped: list[str] = []
    for index, given in enumerate(PORTFOLIO):
        settings = given.fitting(len(rows))
        rounds = min(_MOST_ROUNDS, shape.rounds_for(left / max(1, n_settings - index), settings))
        late = bool(tried) and time.monotonic() > clock
        if late or (tried and rounds < _FEWEST_ROUNDS):
            skipped.append(settings.name)
            cut |= late and rounds >= _FEWEST_ROUNDS
            continue
        tell(f"fitting {settings.name}", 0.3 + 0.4 * index / len(PORTFOLIO))
        plan = _Plan(settings, max(rounds, _FEWEST_ROUNDS), max(0.5, clock - time.monotonic()), threads)
        tried.append(_boosted(problem, split, rows, prepare, matrices, plan))
        cut |= tried[-1].cut
        left -= shape.of_setup() + tried[-1].fitted * shape.of_round(settings)
    return Search(plain, tried, skipped, len(rows), units, units - left, cut)


def _shape(problem: Problem, split: Split, n_rows: int, n_columns: int) -> Shape:
    n_outputs = len(problem.classes) if problem.task == "multiclass" else 1
    return Shape(n_rows, len(split.tune), n_columns, n_outputs)


def _affordable_rows(problem: Problem, split: Split, units: float) -> npt.NDArray[np.int64]:
    """Return the train rows to learn from: all, or as many as the units allow for the first setting."""
    shape = _shape(problem, split, len(split.train), problem.X.shape[1])
    if shape.rounds_for(units, PORTFOLIO[0]) >= _FEWEST_ROUNDS:
        return split.train
    n_rows = max(_FEWEST_ROWS, shape.rows_for(units, PORTFOLIO[0], _FEWEST_ROUNDS))
    return np.sort(np.random.default_rng(problem.brief.seed).permutation(split.train)[:n_rows])


def _affordable_settings(shape: Shape, units: float) -> int:
    """Say how many settings may share the units, so that each can fit rounds enough."""
    for count in range(len(PORTFOLIO), 1, -1):
        if all(shape.rounds_for(units / count, settings) >= _FEWEST_ROUNDS for settings in PORTFOLIO[:count]):
            return count
    return 1


def _linear(problem: Problem, split: Split) -> Candidate:
    started = time.monotonic()
    X = problem.X.iloc[split.train]
    plain, units = (
        linear(X, problem.schema, problem.task),
        _LINEAR_SHARE * problem.brief.budget.train_seconds * UNITS_PER_SECOND,
    )
    pipeline = fit_linear(plain, X, problem.labels[split.train], seed=problem.brief.seed, units=units)
    output = output_of(pipeline, problem.X.iloc[split.tune], problem.task)
    name = "ridge regression" if problem.task == "regression" else "logistic regression"
    return Candidate(name, pipeline, output, _loss(problem, split, output), seconds=time.monotonic() - started)


def _prepared(problem: Problem, split: Split, rows: npt.NDArray[np.int64]) -> tuple[ColumnTransformer, tuple[Any, Any]]:
    X, task = problem.X.iloc[rows], problem.task
    prepare = for_trees(X, problem.y[rows], problem.schema, task, seed=problem.brief.seed)
    train = prepare.fit_transform(X, problem.labels[rows])
    return prepare, (train, prepare.transform(problem.X.iloc[split.tune]))


def _boosted(
    problem: Problem,
    split: Split,
    rows: npt.NDArray[np.int64],
    prepare: ColumnTransformer,
    matrices: tuple[Any, Any],
    plan: _Plan,
) -> Candidate:
    settings, labels = plan.settings, problem.labels
    started = time.monotonic()
    model = boosted(problem.task, settings=settings, rounds=plan.rounds, seed=problem.brief.seed, threads=plan.threads)
    log: BoostLog = fit_boosted(
        model,
        (matrices[0], labels[rows]),
        (matrices[1], labels[split.tune]),
        patience=max(30, int(3 / settings.learning_rate)),
        seconds=plan.seconds,
    )
    output = output_of(model, matrices[1], problem.task)
    return Candidate(
        settings.name,
        Pipeline([("prepare", prepare), ("model", model)]),
        output,
        _loss(problem, split, output),
        rounds=log.best,
        fitted=log.rounds,
        planned=plan.rounds,
        seconds=time.monotonic() - started,
        cut=log.cut,
    )


def _loss(problem: Problem, split: Split, output: Floats) -> float:
    return float(np.mean(row_loss(problem.task, problem.y[split.tune], output)))
