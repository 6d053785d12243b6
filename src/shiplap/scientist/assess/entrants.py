"""Who competes beside the simple policies: a linear model and boosted trees, with what each brings on each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.adapters.frameworks.lightgbm.estimators import Settings, boosted, fastest_threads, fit_boosted
from shiplap.core.progress import tell
from shiplap.methods.metrics import row_loss
from shiplap.methods.pipelines import fit_linear, for_trees, linear, output_of
from shiplap.methods.policies import decided, has_money, money_of, policy_for
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split
from shiplap.methods.work import UNITS_PER_SECOND, Shape

__all__ = ["QUICK", "Answer", "entered", "fitted", "line", "models", "taught_rows", "trees"]

Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]
Answer: TypeAlias = Callable[[Rows], Floats]
"""Rows of a problem -> outputs of a fitted model."""
QUICK = Settings("boosted trees", leaves=24, learning_rate=0.08, least_rows=60, columns=0.6, ridge=5.0)
_ROUNDS = 300
_FEWEST_ROUNDS = 40
_MOST_SECONDS, _SHARE, _LINEAR_SHARE = 20.0, 0.4, 0.2
_MOST_ROWS, _FEWEST_ROWS = 100_000, 2_000


def models(problem: Problem, split: Split) -> list[Entrant]:
    """Let a linear model and quick boosted trees compete, each with the policy that earns most on the tune rows."""
    return [
        entered(problem, split, name, answer(split.tune), answer(split.test)) for name, answer in fitted(problem, split)
    ]


def fitted(problem: Problem, split: Split) -> list[tuple[str, Answer]]:
    """Fit a linear model and quick boosted trees, and name them.

    They are fitted on a sample of 100,000 train rows where there are more, and on fewer where the work would take more
    than a share of ``brief.budget.train_seconds``.
    """
    train = taught_rows(problem, split)
    seconds = problem.brief.budget.train_seconds
    tell("fitting a linear model", 0.2)
    plain = line(problem, train, units=_LINEAR_SHARE * seconds * UNITS_PER_SECOND)
    name = "ridge regression" if problem.task == "regression" else "logistic regression"
    tell("fitting boosted trees", 0.4)
    grown = trees(problem, train, split.tune, units=min(_MOST_SECONDS, _SHARE * seconds) * UNITS_PER_SECOND)
    return [(name, plain), ("boosted trees", grown)]


def taught_rows(problem: Problem, split: Split) -> Rows:
    """Return the train rows, or a sample of 100,000 of them."""
    if len(split.train) <= _MOST_ROWS:
        return split.train
    return np.sort(np.random.default_rng(problem.brief.seed).permutation(split.train)[:_MOST_ROWS])


def line(problem: Problem, train: Rows, *, units: float) -> Answer:
    """Fit a linear model with at most so many units of work."""
    X, labels = problem.X.iloc[train], problem.labels[train]
    fitted = fit_linear(linear(X, problem.schema, problem.task), X, labels, seed=problem.brief.seed, units=units)
    return lambda rows: output_of(fitted, problem.X.iloc[rows], problem.task)


def trees(problem: Problem, train: Rows, tune: Rows, *, units: float, threads: int | None = None) -> Answer:
    """Fit quick boosted trees with at most so many units of work; the tune rows say when to stop.

    How many threads are fastest is measured where it is not said; the model is the same.
    """
    task, labels, seed = problem.task, problem.labels, problem.brief.seed
    n_outputs = len(problem.classes) if task == "multiclass" else 1
    whole = Shape(len(train), len(tune), problem.X.shape[1], n_outputs)
    n_rows = max(_FEWEST_ROWS, whole.rows_for(units, QUICK, _FEWEST_ROUNDS))
    if n_rows < len(train):
        train = np.sort(np.random.default_rng(seed).permutation(train)[:n_rows])
    X = problem.X.iloc[train]
    prepare = for_trees(X, problem.y[train], problem.schema, task, seed=seed)
    matrix = prepare.fit_transform(X, labels[train])
    settings = QUICK.fitting(len(train))
    if threads is None:
        threads = fastest_threads(task, settings, (matrix, labels[train]), rounds=3)
    shape = Shape(len(train), len(tune), matrix.shape[1], n_outputs)
    rounds = min(_ROUNDS, max(_FEWEST_ROUNDS, shape.rounds_for(units, settings)))
    model = boosted(task, settings=settings, rounds=rounds, seed=seed, threads=threads)
    told = (prepare.transform(problem.X.iloc[tune]), labels[tune])
    fit_boosted(model, (matrix, labels[train]), told, patience=30)
    return lambda rows: output_of(model, prepare.transform(problem.X.iloc[rows]), task)


def entered(problem: Problem, split: Split, name: str, tuned: Floats, output: Floats) -> Entrant:
    """Give a model the policy that earns most on the tune rows, and say what it brings on the test rows.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    name : str
        The model in words.
    tuned, output : numpy.ndarray
        What it answers on the tune rows and on the test rows.
    """
    policy = policy_for(problem, tuned, split.tune)
    loss = row_loss(problem.task, problem.y[split.test], output)
    rows = money_of(problem, policy, output, split.test) if has_money(problem) else -loss
    known = -row_loss(problem.task, problem.y[split.tune], tuned)
    known = money_of(problem, policy, tuned, split.tune) if problem.ranks else known
    return Entrant(name, True, rows, output, decided(problem, policy, output), known)
