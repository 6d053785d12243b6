"""Who competes beside the simple policies: a linear model and boosted trees, with what each brings on each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.adapters.frameworks.lightgbm.estimators import Settings, boosted, fastest_threads, fit_boosted
from shiplap.core.progress import tell
from shiplap.methods.metrics import row_loss
from shiplap.methods.pipelines import fit_linear, for_trees, linear, output_of
from shiplap.methods.policies import has_money, money_of, policy_for
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split
from shiplap.methods.work import UNITS_PER_SECOND, Shape

__all__ = ["models"]

Floats: TypeAlias = npt.NDArray[np.float64]
_QUICK = Settings("boosted trees", leaves=24, learning_rate=0.08, least_rows=60, columns=0.6, ridge=5.0)
_ROUNDS = 300
_FEWEST_ROUNDS = 40
_MOST_SECONDS, _SHARE, _LINEAR_SHARE = 20.0, 0.4, 0.2
_MOST_ROWS, _FEWEST_ROWS = 100_000, 2_000


def models(problem: Problem, split: Split) -> list[Entrant]:
    """Let a linear model and quick boosted trees compete, each with the policy that earns most on the tune rows.

    They are fitted on a sample of 100,000 train rows where there are more, and on fewer where the work would take more
    than a share of ``brief.budget.train_seconds``.
    """
    train = split.train
    if len(train) > _MOST_ROWS:
        train = np.sort(np.random.default_rng(problem.brief.seed).permutation(train)[:_MOST_ROWS])
    tell("fitting a linear model", 0.2)
    X, labels = problem.X.iloc[train], problem.labels[train]
    units = _LINEAR_SHARE * problem.brief.budget.train_seconds * UNITS_PER_SECOND
    plain = fit_linear(linear(X, problem.schema, problem.task), X, labels, seed=problem.brief.seed, units=units)
    name = "ridge regression" if problem.task == "regression" else "logistic regression"
    tell("fitting boosted trees", 0.5)
    return [
        _entered(problem, split, name, lambda rows: output_of(plain, problem.X.iloc[rows], problem.task)),
        _entered(problem, split, "boosted trees", _quick_trees(problem, split, train)),
    ]


def _quick_trees(problem: Problem, split: Split, train: npt.NDArray[Any]) -> Callable[[npt.NDArray[Any]], Floats]:
    task, labels, seed = problem.task, problem.labels, problem.brief.seed
    units = min(_MOST_SECONDS, _SHARE * problem.brief.budget.train_seconds) * UNITS_PER_SECOND
    n_outputs = len(problem.classes) if task == "multiclass" else 1
    whole = Shape(len(train), len(split.tune), problem.X.shape[1], n_outputs)
    n_rows = max(_FEWEST_ROWS, whole.rows_for(units, _QUICK, _FEWEST_ROUNDS))
    if n_rows < len(train):
        train = np.sort(np.random.default_rng(seed).permutation(train)[:n_rows])
    X = problem.X.iloc[train]
    prepare = for_trees(X, problem.y[train], problem.schema, task, seed=seed)
    matrix = prepare.fit_transform(X, labels[train])
    settings = _QUICK.fitting(len(train))
    threads = fastest_threads(task, settings, (matrix, labels[train]), rounds=3)
    shape = Shape(len(train), len(split.tune), matrix.shape[1], n_outputs)
    rounds = min(_ROUNDS, max(_FEWEST_ROUNDS, shape.rounds_for(units, settings)))
    model = boosted(task, settings=settings, rounds=rounds, seed=seed, threads=threads)
    tune = (prepare.transform(problem.X.iloc[split.tune]), labels[split.tune])
    fit_boosted(model, (matrix, labels[train]), tune, patience=30)
    return lambda rows: output_of(model, prepare.transform(problem.X.iloc[rows]), task)


def _entered(problem: Problem, split: Split, name: str, answer: Callable[[npt.NDArray[Any]], Floats]) -> Entrant:
    tuned, output = answer(split.tune), answer(split.test)
    if not has_money(problem):
        before = -float(np.mean(row_loss(problem.task, problem.y[split.tune], tuned)))
        return Entrant(name, True, before, -row_loss(problem.task, problem.y[split.test], output), output)
    policy = policy_for(problem, tuned, split.tune)
    before = float(np.mean(money_of(problem, policy, tuned, split.tune)))
    return Entrant(name, True, before, money_of(problem, policy, output, split.test), output)
