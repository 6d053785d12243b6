"""LightGBM estimators as the training room asks for them: deterministic, stopped early, within a time limit.

Ke et al. (2017), "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from shiplap.core.brief import Task

__all__ = ["BoostLog", "Settings", "boosted", "fit_boosted"]


@dataclass(frozen=True)
class Settings:
    """What distinguishes one boosted candidate from another.

    Parameters
    ----------
    name : str
        Short name.
    leaves : int
        Leaves of a tree.
    learning_rate : float
        Shrinkage of each tree.
    least_rows : int
        Rows in a leaf at least.
    columns : float
        Share of the columns a tree sees.
    ridge : float
        L2 penalty of the leaf values.
    """

    name: str
    leaves: int = 31
    learning_rate: float = 0.1
    least_rows: int = 20
    columns: float = 1.0
    ridge: float = 0.0


@dataclass(frozen=True)
class BoostLog:
    """How fitting went.

    Parameters
    ----------
    rounds : int
        Rounds that were fitted.
    best : int
        Round at which the tune loss was least; what the estimator predicts with.
    seconds : float
        Wall time.
    cut : bool
        Whether the time limit ended it, rather than the tune loss or the number of rounds.
    """

    rounds: int
    best: int
    seconds: float
    cut: bool


def boosted(task: Task, *, settings: Settings, rounds: int, seed: int, threads: int = 0) -> Any:
    """Build an unfitted LightGBM estimator that gives the same model for the same seed.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.
    settings : Settings
        Its settings.
    rounds : int
        Rounds at most.
    seed : int
        Seed of every random choice.
    threads : int
        Threads; 0 lets LightGBM choose. The model does not depend on it.

    Returns
    -------
    lightgbm.LGBMClassifier or lightgbm.LGBMRegressor

    Examples
    --------
    >>> boosted("regression", settings=Settings("plain"), rounds=10, seed=1).n_estimators
    10
    """
    kind = lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier
    return kind(
        n_estimators=rounds,
        num_leaves=settings.leaves,
        learning_rate=settings.learning_rate,
        min_child_samples=settings.least_rows,
        colsample_bytree=settings.columns,
        reg_lambda=settings.ridge,
        random_state=seed,
        n_jobs=threads or None,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )


def fit_boosted(
    model: Any,
    train: tuple[Any, npt.NDArray[Any]],
    tune: tuple[Any, npt.NDArray[Any]],
    *,
    patience: int = 50,
    seconds: float = np.inf,
) -> BoostLog:
    """Fit until the tune loss has not fallen for `patience` rounds, the rounds are used up, or time is.

    Parameters
    ----------
    model : lightgbm.LGBMClassifier or lightgbm.LGBMRegressor
        Fitted in place.
    train, tune : tuple of (matrix, labels)
        What it learns from, and what tells it when to stop.
    patience : int
        Rounds without improvement that are allowed.
    seconds : float
        Wall time; the round under way is finished, and the best round so far is kept.

    Examples
    --------
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> model = boosted("regression", settings=Settings("plain"), rounds=5, seed=0)
    >>> fit_boosted(model, (X, X[:, 0]), (X, X[:, 0])).rounds
    5
    """
    started = time.monotonic()
    clock = _Clock(started + seconds)
    metric = {"LGBMRegressor": "l2"}.get(type(model).__name__)
    stop = lightgbm.early_stopping(patience, first_metric_only=True, verbose=False)
    model.fit(train[0], train[1], eval_X=tune[0], eval_y=tune[1], eval_metric=metric, callbacks=[stop, clock])
    best = int(model.best_iteration_ or clock.rounds)
    return BoostLog(rounds=clock.rounds, best=best, seconds=time.monotonic() - started, cut=clock.cut)


class _Clock:
    """Counts rounds, and ends fitting when time is used up, keeping the best round so far."""

    order = 25

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._best = (np.inf, 0, list[Any]())
        self.rounds = 0
        self.cut = False

    def __call__(self, env: Any) -> None:
        self.rounds = env.iteration + 1
        loss = float(env.evaluation_result_list[0][2])
        if loss < self._best[0]:
            self._best = (loss, env.iteration, env.evaluation_result_list)
        if time.monotonic() >= self._deadline and self.rounds < env.end_iteration:
            self.cut = True
            raise lightgbm.callback.EarlyStopException(self._best[1], self._best[2])
