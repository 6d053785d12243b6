"""The judgment on the test rows: metrics, money with its interval, and findings about the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding
from shiplap.core.policy import Policy
from shiplap.core.report import Metric
from shiplap.methods.calibration import cox, reliability
from shiplap.methods.capacity import allowed_share, words
from shiplap.methods.intervals import Interval
from shiplap.methods.metrics import constant_output, loss_name, row_loss, summary
from shiplap.methods.pipelines import output_of
from shiplap.methods.policies import decided, has_money, money_of
from shiplap.methods.question import Problem
from shiplap.methods.ranked import ranking_metrics
from shiplap.methods.simple import Measured, best_simple, gain_over, opponents, simple
from shiplap.methods.splits import Split
from shiplap.methods.work import UNITS_PER_SECOND, scoring_units
from shiplap.scientist.train.candidates import Candidate, Search

__all__ = [
    "Judgment",
    "calibration_finding",
    "capacity_finding",
    "fit_finding",
    "judge",
    "metrics_of",
    "money_finding",
]

Floats: TypeAlias = npt.NDArray[np.float64]
_TRAIN_SAMPLE, _FEWEST_ROWS = 20_000, 1_000
_TRAIN_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class Judgment:
    """What the chosen model did on the test rows.

    Parameters
    ----------
    output, linear_output, constant : numpy.ndarray
        Outputs on the test rows: of the chosen model, of the linear one, of the constant.
    loss : numpy.ndarray of shape (n_test,)
        Loss of each row.
    train_loss, constant_loss : float
        Mean loss of the model on a sample of the train rows, and of the constant on the test rows.
    money : Interval or None
        Money per 1,000 decisions; None without values.
    simple : str
        The policy without machine learning that brings most on the test rows.
    gain : Interval
        What the model brings beyond the best of those: money per 1,000 decisions, or by how much the loss falls.
    """

    output: Floats
    linear_output: Floats
    constant: Floats
    loss: Floats
    train_loss: float
    constant_loss: float
    money: Interval | None
    simple: str
    gain: Interval


def judge(problem: Problem, split: Split, chosen: Candidate, found: Search, policy: Policy) -> Judgment:
    """Answer the test rows, for the first and only time.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    chosen : Candidate
        The model that is kept.
    found : Search
        All candidates.
    policy : Policy
        What is decided on its output.
    """
    task, y, X = problem.task, problem.y[split.test], problem.X.iloc[split.test]
    output = output_of(chosen.pipeline, X, task)
    sample = np.sort(np.random.default_rng(problem.brief.seed).permutation(split.train)[: _sample(problem, chosen)])
    fitted = output_of(chosen.pipeline, problem.X.iloc[sample], task)
    known = np.concatenate([split.train, split.tune])
    paid, loss = has_money(problem), row_loss(task, y, output)
    rows = money_of(problem, policy, output, split.test) if paid else -loss
    plain = simple(problem, split)
    constant = constant_output(task, problem.y[known], len(problem.classes), len(y))
    return Judgment(
        output=output,
        linear_output=output if chosen.name == found.linear.name else output_of(found.linear.pipeline, X, task),
        constant=constant,
        constant_loss=float(np.mean(row_loss(task, y, constant))),
        loss=loss,
        train_loss=float(np.mean(row_loss(task, problem.y[sample], fitted))),
        money=Measured(problem, split.test, [rows]).score(0) if paid else None,
        simple=best_simple(problem, plain).name,
        gain=gain_over(problem, split.test, rows, opponents(problem, plain)),
    )


def _sample(problem: Problem, chosen: Candidate) -> int:
    """Train rows to answer for comparison, by work."""
    trees = chosen.rounds * (len(problem.classes) if problem.task == "multiclass" else 1)
    units = _TRAIN_SHARE * problem.brief.budget.train_seconds * UNITS_PER_SECOND
    return int(min(_TRAIN_SAMPLE, max(_FEWEST_ROWS, units / scoring_units(problem.X.shape[1], trees))))


def metrics_of(problem: Problem, split: Split, judgment: Judgment, policy: Policy) -> dict[str, Metric]:
    """Name the figures: ``test_*`` for the chosen model, ``linear_*`` and ``constant_*`` beside them; the policy."""
    task, y, positive = problem.task, problem.y[split.test], problem.positive
    metrics: dict[str, Metric] = {}
    metrics.update(
        {f"test_{key}": value for key, value in summary(task, y, judgment.output, positive=positive).items()}
    )
    linear = summary(task, y, judgment.linear_output, positive=positive)
    metrics.update({f"linear_{key}": value for key, value in linear.items()})
    key = "rmse" if task == "regression" else "log_loss"
    metrics[f"constant_{key}"] = summary(task, y, judgment.constant, positive=positive)[key]
    if judgment.money is not None:
        metrics["money_per_1000"] = judgment.money.value
        metrics["money_low"], metrics["money_high"] = judgment.money.low, judgment.money.high
        metrics["unit"] = problem.unit
    metrics["gain_per_1000"] = judgment.gain.value if judgment.money is not None else None
    metrics["gain"], metrics["best_simple"] = judgment.gain.value, judgment.simple
    metrics["gain_low"], metrics["gain_high"] = judgment.gain.low, judgment.gain.high
    if task == "binary":
        metrics["threshold"], metrics["base_rate"] = policy.threshold, problem.base_rate
        metrics["positive"] = str(problem.classes[positive])
    if task == "regression":
        metrics["offset"] = policy.offset
    if problem.ranks:
        metrics["threshold"] = -policy.offset
        metrics |= {
            f"test_{name}": value for name, value in ranking_metrics(problem, split.test, judgment.output).items()
        }
    return metrics


def calibration_finding(problem: Problem, split: Split, judgment: Judgment) -> Finding | None:
    """Say whether the stated probabilities came true on the test rows; None for regression."""
    if problem.task == "regression":
        return None
    y = problem.y[split.test]
    code = problem.positive if problem.task == "binary" else int(np.argmax(np.bincount(y)))
    hit, score = y == code, judgment.output[:, code]
    error = reliability(hit, score).error
    intercept, slope = cox(hit, score)
    limit = max(0.02, 3 * float(np.sqrt(np.mean(hit) * (1 - np.mean(hit)) * 10 / len(hit))) / 2)
    means = (
        f"stated and observed shares of '{problem.classes[code]}' differ by {error:.1%} on average on the test rows "
        f"(stated {np.mean(score):.1%}, observed {np.mean(hit):.1%}; slope {slope:.2f}, intercept {intercept:+.2f})"
    )
    fine = error <= limit
    todo = "" if fine else "trust the order more than the level; train again on newer rows or recalibrate"
    return Finding(
        check="train.calibration", verdict="good" if fine else "warn", means=means, todo=todo, value=error, limit=limit
    )


def fit_finding(problem: Problem, judgment: Judgment) -> Finding:
    """Say how much worse the test rows fare than the train rows, and whether the model beats the constant."""
    name = loss_name(problem.task)
    fitted, tested = judgment.train_loss, float(np.mean(judgment.loss))
    constant = judgment.constant_loss
    if problem.task == "regression":
        fitted, tested, constant = float(np.sqrt(fitted)), float(np.sqrt(tested)), float(np.sqrt(constant))
    gap = (tested - fitted) / tested if tested else 0.0
    means = f"{name} {tested:.4g} on test rows, {fitted:.4g} on train rows, {constant:.4g} without looking"
    if tested >= constant:
        todo = "do not ship it: the columns say nothing about the target, or the past does not speak of the future"
        return Finding(check="train.fit", verdict="warn", means=means, todo=todo, value=gap)
    if gap > 0.25:
        todo = "more rows would help more than a larger model"
        return Finding(check="train.fit", verdict="note", means=means, todo=todo, value=gap, limit=0.25)
    return Finding(check="train.fit", verdict="good", means=means, value=gap, limit=0.25)


def money_finding(problem: Problem, judgment: Judgment, policy: Policy) -> Finding:
    """Say what the policy earns on the test rows, or what it assumes where no values are given."""
    if judgment.money is not None:
        means = (
            f"the policy brings {judgment.money} {problem.unit} per 1,000 decisions on the test rows, "
            f"{judgment.gain} more than '{judgment.simple}'"
        )
        sure = judgment.gain.low > 0
        return Finding(check="train.money", verdict="good" if sure else "warn", means=means, value=judgment.money.value)
    if problem.task == "binary":
        means = "no values are given, so the threshold is one half: a false alarm is taken to cost as much as a miss"
    elif problem.task == "multiclass":
        means = "no values are given, so the most probable class is decided: every mistake is taken to cost the same"
    else:
        means = "no prices of error are given, so the prediction is acted on as it is"
    todo = "give value= to decide by money"
    return Finding(check="train.money", verdict="note", means=means, todo=todo, value=policy.threshold)


def capacity_finding(
    problem: Problem, split: Split, judgment: Judgment, freely: Policy, policy: Policy
) -> Finding | None:
    """Say where the capacity set the threshold, and on how many test rows it then acts; None without a capacity.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    judgment : Judgment
        What the model did on the test rows.
    freely, policy : Policy
        The policy that earns most without a limit, and the one that keeps it.
    """
    capacity = problem.brief.capacity
    if capacity is None or not (problem.task == "binary" or problem.ranks):
        return None
    before, after = (-one.offset if problem.ranks else one.threshold for one in (freely, policy))
    share = float(np.mean(decided(problem, policy, judgment.output)))
    most = allowed_share(problem, split.test)
    common: dict[str, Any] = {"check": "train.capacity", "value": after, "limit": before}
    acts = f"acts on {share:.1%} of the test rows, where {most:.1%} can be"
    if after <= before:
        return Finding(
            verdict="good", means=f"the capacity of {words(capacity)} never binds: the policy {acts}", **common
        )
    means = (
        f"the capacity of {words(capacity)} raised the threshold from {before:.4g} to {after:.4g}: "
        f"row by row the model {acts}"
    )
    if judgment.money is not None:
        means += "; the money told here counts the best-ranked of those in each period, within the limit"
    todo = "act on the best-ranked rows of each period where you can wait for its end"
    return Finding(verdict="note", means=means, todo=todo, **common)
