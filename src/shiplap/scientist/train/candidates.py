"""The candidates: a linear pipeline and a few settings of boosted trees, fitted within the time budget.

Time is turned into work before the search starts: a warm-up measures what one round costs, and each setting may then
fit so many rounds. The rounds that were fitted are recorded, so the same seed gives the same model wherever the budget
does not bind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
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

__all__ = ["PORTFOLIO", "Candidate", "Search", "search"]

Floats: TypeAlias = npt.NDArray[np.float64]
PORTFOLIO = (
    Settings("boosted trees", leaves=31, learning_rate=0.05, least_rows=100, columns=0.5, ridge=1.0, smooth=200.0),
    Settings("boosted trees, careful", leaves=24, learning_rate=0.05, least_rows=60, columns=0.6, ridge=5.0),
    Settings("boosted trees, wide", leaves=96, learning_rate=0.05, least_rows=100, columns=0.5, ridge=10.0),
    Settings("boosted trees, small", leaves=8, learning_rate=0.08, least_rows=40, columns=0.5, ridge=1.0, smooth=100.0),
)
_MOST_ROUNDS = 2_000
_FEWEST_ROUNDS = 20
_SHARE = 0.5


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
    rounds, fitted : int
        Rounds it predicts with, and rounds that were fitted; 0 for a linear model.
    seconds : float
        Wall time of fitting.
    cut : bool
        Whether the time limit ended fitting.
    """

    name: str
    pipeline: Pipeline
    tune_output: Floats
    tune_loss: float
    rounds: int = 0
    fitted: int = 0
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
        Settings for which no time was left.
    seconds : float
        Wall time of all.
    """

    linear: Candidate
    boosted: list[Candidate]
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0

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
        What is asked; ``brief.budget.train_seconds`` is the wall time that all of training may take, of which half is
        for boosted trees.
    split : Split
        Its parts.
    """
    started = time.monotonic()
    budget = problem.brief.budget.train_seconds
    tell("fitting the linear model", 0.05)
    plain = _linear(problem, split)
    tell("preparing columns for boosted trees", 0.2)
    prepare, matrices = _prepared(problem, split)
    threads, per_round = fastest_threads(problem.task, PORTFOLIO[0], (matrices[0], problem.labels[split.train]))
    left = max(0.0, min(budget * _SHARE, budget * 0.75 - (time.monotonic() - started)))
    tried: list[Candidate] = []
    skipped: list[str] = []
    for index, settings in enumerate(PORTFOLIO):
        share = left / (len(PORTFOLIO) - index)
        rounds = min(_MOST_ROUNDS, int(share / (per_round * max(1.0, settings.leaves / 31) ** 0.5)))
        if tried and rounds < _FEWEST_ROUNDS:
            skipped.append(settings.name)
            continue
        tell(f"fitting {settings.name}", 0.3 + 0.4 * index / len(PORTFOLIO))
        candidate = _boosted(
            problem, split, prepare, matrices, _Plan(settings, max(rounds, _FEWEST_ROUNDS), share, threads)
        )
        left -= candidate.seconds
        tried.append(candidate)
    return Search(plain, tried, skipped, time.monotonic() - started)


def _linear(problem: Problem, split: Split) -> Candidate:
    started = time.monotonic()
    X = problem.X.iloc[split.train]
    pipeline = fit_linear(
        linear(X, problem.schema, problem.task), X, problem.labels[split.train], seed=problem.brief.seed
    )
    output = output_of(pipeline, problem.X.iloc[split.tune], problem.task)
    name = "ridge regression" if problem.task == "regression" else "logistic regression"
    return Candidate(name, pipeline, output, _loss(problem, split, output), seconds=time.monotonic() - started)


def _prepared(problem: Problem, split: Split) -> tuple[ColumnTransformer, tuple[Any, Any]]:
    X, task = problem.X.iloc[split.train], problem.task
    prepare = for_trees(X, problem.y[split.train], problem.schema, task, seed=problem.brief.seed)
    train = prepare.fit_transform(X, problem.labels[split.train])
    return prepare, (train, prepare.transform(problem.X.iloc[split.tune]))


def _boosted(
    problem: Problem,
    split: Split,
    prepare: ColumnTransformer,
    matrices: tuple[Any, Any],
    plan: _Plan,
) -> Candidate:
    settings, rounds = plan.settings.fitting(len(split.train)), plan.rounds
    started = time.monotonic()
    labels = problem.labels
    model = boosted(problem.task, settings=settings, rounds=rounds, seed=problem.brief.seed, threads=plan.threads)
    log: BoostLog = fit_boosted(
        model,
        (matrices[0], labels[split.train]),
        (matrices[1], labels[split.tune]),
        patience=max(30, int(3 / settings.learning_rate)),
        seconds=max(1.0, plan.seconds),
    )
    output = output_of(model, matrices[1], problem.task)
    return Candidate(
        settings.name,
        Pipeline([("prepare", prepare), ("model", model)]),
        output,
        _loss(problem, split, output),
        rounds=log.best,
        fitted=log.rounds,
        seconds=time.monotonic() - started,
        cut=log.cut or log.rounds == rounds < _MOST_ROUNDS,
    )


def _loss(problem: Problem, split: Split, output: Floats) -> float:
    return float(np.mean(row_loss(problem.task, problem.y[split.tune], output)))
