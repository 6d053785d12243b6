"""Calibration, only where it helps on rows that it was not fitted on.

Temperature scaling: Guo et al. (2017), "On calibration of modern neural networks", ICML.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

from shiplap.core.finding import Finding
from shiplap.methods.intervals import interval_of, resampled_means
from shiplap.methods.metrics import row_loss
from shiplap.methods.pipelines import output_of
from shiplap.methods.policies import row_blocks
from shiplap.methods.question import Problem
from shiplap.methods.splits import Split
from shiplap.scientist.train.candidates import Candidate

__all__ = ["calibrated"]

_FEWEST_ROWS = 200


def calibrated(problem: Problem, split: Split, candidate: Candidate) -> tuple[Candidate, Finding]:
    """Calibrate a candidate by one temperature if that surely lowers the loss on tune rows it was not fitted on.

    The first half of the tune rows fits the temperature and the second half judges it, in the order of time where
    there is one. Where it helps, it is fitted anew on all tune rows.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    candidate : Candidate
        The best candidate.

    Returns
    -------
    candidate : Candidate
        The same, or one whose last step is a ``CalibratedClassifierCV`` around the frozen model.
    finding : Finding
        What was decided.
    """
    if problem.task == "regression":
        return candidate, _kept("predictions are numbers, not probabilities")
    if len(split.tune) < _FEWEST_ROWS:
        return candidate, _kept(f"{len(split.tune)} tune rows are too few to fit a temperature")
    first, second = _halves(problem, split)
    if np.bincount(problem.y[split.tune[first]], minlength=len(problem.classes)).min() < 2:
        return candidate, _kept("half of the tune rows do not show every class twice")
    pipeline = _fitted(problem, split.tune[first], candidate.pipeline)
    rows = split.tune[second]
    after = row_loss(problem.task, problem.y[rows], output_of(pipeline, problem.X.iloc[rows], problem.task))
    gain = row_loss(problem.task, problem.y[rows], candidate.tune_output[second]) - after
    resampled = resampled_means(gain, row_blocks(problem, rows), seed=problem.brief.seed)
    interval = interval_of(float(np.mean(gain)), resampled[:, 0])
    if interval.low <= 0:
        return candidate, _kept("a temperature did not surely lower the log loss on rows it was not fitted on")
    final = _fitted(problem, split.tune, candidate.pipeline)
    output = output_of(final, problem.X.iloc[split.tune], problem.task)
    loss = float(np.mean(row_loss(problem.task, problem.y[split.tune], output)))
    means = f"one temperature is applied: it lowers the log loss by {interval} on tune rows it was not fitted on"
    said = Finding(check="train.calibrator", verdict="good", means=means, value=interval.value)
    return replace(candidate, pipeline=final, tune_output=output, tune_loss=loss), said


def _halves(problem: Problem, split: Split) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    order = np.random.default_rng(problem.brief.seed).permutation(len(split.tune))
    if problem.time is not None:
        order = np.argsort(problem.time[split.tune], kind="stable")
    half = len(order) // 2
    return np.sort(order[:half]), np.sort(order[half:])


def _fitted(problem: Problem, rows: npt.NDArray[Any], pipeline: Pipeline) -> Pipeline:
    prepare, model = pipeline.named_steps["prepare"], pipeline.named_steps["model"]
    matrix = prepare.transform(problem.X.iloc[rows])
    final = CalibratedClassifierCV(FrozenEstimator(model), method="temperature", cv=KFold(2))
    final.fit(matrix, problem.labels[rows])
    return Pipeline([("prepare", prepare), ("model", final)])


def _kept(why: str) -> Finding:
    return Finding(check="train.calibrator", verdict="note", means=f"no calibrator is added: {why}")
