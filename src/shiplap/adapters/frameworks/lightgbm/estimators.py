"""LightGBM estimators as the training room asks for them: deterministic, stopped early, within a time limit.

Ke et al. (2017), "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from shiplap.core.brief import Task

__all__ = ["BoostLog", "Settings", "boosted", "fastest_threads", "fit_boosted"]

_FEW = 1_000


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
    smooth : float
        How many rows' worth a leaf is drawn towards its parent.
    """

    name: str
    leaves: int = 31
    learning_rate: float = 0.1
    least_rows: int = 20
    columns: float = 1.0
    ridge: float = 0.0
    smooth: float = 0.0

    def fitting(self, n_rows: int) -> Settings:
        """Return the same settings with leaves that so many rows can fill: one in a hundred is enough for a leaf.

        Examples
        --------
        >>> Settings("plain", least_rows=60).fitting(500).least_rows
        5
        """
        return replace(
            self,
            least_rows=min(self.least_rows, max(3, n_rows // 100)),
            smooth=min(self.smooth, n_rows / 1_000),
        )


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
    round_seconds : float
        Wall time of one round, set-up not counted.
    cut : bool
        Whether the time limit ended it, rather than the tune loss or the number of rounds.
    """

    rounds: int
    best: int
    seconds: float
    round_seconds: float
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
        path_smooth=settings.smooth,
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
    with warnings.catch_warnings():
        # LightGBM 4.7 deprecates eval_set, but encodes class labels only there, not in eval_y.
        warnings.filterwarnings("ignore", message="The argument 'eval_set'")
        model.fit(train[0], train[1], eval_set=[tune], eval_metric=metric, callbacks=[stop, clock])
    model.set_params(n_jobs=None)
    best = int(model.best_iteration_ or clock.rounds)
    seconds = time.monotonic() - started
    return BoostLog(clock.rounds, best, seconds, clock.round_seconds, clock.cut)


def fastest_threads(task: Task, settings: Settings, train: tuple[Any, npt.NDArray[Any]], *, rounds: int = 6) -> int:
    """Measure whether one thread or all cores fit faster right now; the model is the same.

    Threads wait for each other in every round, so on a busy machine all cores can be many times slower than one; the
    trial of all cores ends when it has taken twice as long.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.
    settings : Settings
        Settings to measure with.
    train : tuple of (matrix, labels)
        What it learns from.
    rounds : int
        Rounds of each trial; fewer where every round fits a tree for each of many classes, two at the least.

    Returns
    -------
    int
        0 for all cores, else 1.

    Examples
    --------
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> fastest_threads("regression", Settings("plain"), (X, X[:, 0])) in (0, 1)
    True
    """
    few = (train[0][:_FEW], train[1][:_FEW])
    rounds = max(2, rounds // len(np.unique(few[1]))) if task == "multiclass" else rounds
    one = fit_boosted(boosted(task, settings=settings, rounds=rounds, seed=0, threads=1), train, few)
    model = boosted(task, settings=settings, rounds=rounds, seed=0)
    every = fit_boosted(model, train, few, seconds=2 * max(0.1, one.seconds))
    return 1 if every.cut or one.round_seconds <= every.round_seconds else 0


class _Clock:
    """Counts rounds, and ends fitting when time is used up, keeping the best round so far."""

    order = 25

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._best = (np.inf, 0, list[Any]())
        self._first = self._last = np.nan
        self.rounds = 0
        self.cut = False

    @property
    def round_seconds(self) -> float:
        return float(self._last - self._first) / max(1, self.rounds - 1)

    def __call__(self, env: Any) -> None:
        self.rounds = env.iteration + 1
        self._last = time.monotonic()
        self._first = self._last if self.rounds == 1 else self._first
        loss = float(env.evaluation_result_list[0][2])
        if loss < self._best[0]:
            self._best = (loss, env.iteration, env.evaluation_result_list)
        if self._last >= self._deadline and self.rounds < env.end_iteration:
            self.cut = True
            raise lightgbm.callback.EarlyStopException(self._best[1], self._best[2])
