"""The verb: fit on the past, set everything on the tune rows, judge once on the test rows."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd

from shiplap.core.brief import Brief, Label
from shiplap.core.finding import Finding
from shiplap.core.model import Model
from shiplap.core.policy import Policy
from shiplap.core.progress import tell
from shiplap.core.report import Metric, Report
from shiplap.core.schema import Column
from shiplap.core.signature import Field, Signature
from shiplap.methods.policies import policy_for, settled
from shiplap.methods.question import Problem, pose
from shiplap.methods.splits import Split, honest_split
from shiplap.scientist.train.calibrate import calibrated
from shiplap.scientist.train.candidates import Candidate, Search, search
from shiplap.scientist.train.judge import (
    Judgment,
    calibration_finding,
    fit_finding,
    judge,
    metrics_of,
    money_finding,
)
from shiplap.scientist.train.pictures import candidate_table, figures_of, importance_figure, slice_table

__all__ = ["train"]


def train(table: Any, *, brief: Brief | None = None, **question: Any) -> Model:
    """Train a model for a question, and say what it is worth on rows it never saw.

    Parameters
    ----------
    table : Table, path, DataFrame ...
        Anything that can be read as a table.
    brief : Brief, optional
        What is asked.
    **question
        Fields of `Brief` that take precedence: ``target``, ``value``, ``time``, ``seed`` ...

    Returns
    -------
    Model
        ``model.pipeline`` is a plain scikit-learn ``Pipeline`` with the steps ``prepare`` and ``model``. The figures in
        ``model.report`` speak of exactly this pipeline: it is fitted on the train rows, stopped, calibrated and
        thresholded on the tune rows, and judged on the test rows, which nothing else has seen.

    Raises
    ------
    BriefError
        The question does not fit the table.
    TableError
        Too few labelled rows, one class only, or no usable column.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> rows = load_breast_cancer(as_frame=True).frame
    >>> model = train(rows, target="target", budget={"train_seconds": 5})
    >>> model.signature.task, list(model.pipeline.named_steps), model.report.metrics["test_auc"] > 0.95
    ('binary', ['prepare', 'model'], True)
    """
    started = time.monotonic()
    tell("reading the table", 0.0)
    problem = pose(table, brief, question)
    split = honest_split(problem)
    problem = settled(problem, split)
    found = search(problem, split)
    tell("calibrating", 0.72)
    chosen, calibrator = calibrated(problem, split, found.all[0])
    policy = policy_for(problem, chosen.tune_output, split.tune)
    tell("judging on the test rows", 0.78)
    judgment = judge(problem, split, chosen, found, policy)
    budget = problem.brief.budget.train_seconds
    left = min(0.25 * budget, max(0.03 * budget, 0.8 * (budget - (time.monotonic() - started))))
    importance, drivers, driver = importance_figure(problem, split, chosen, policy, seconds=left)
    seconds = time.monotonic() - started
    said = [
        money_finding(problem, judgment, policy),
        split.finding,
        fit_finding(problem, judgment),
        calibration_finding(problem, split, judgment),
        calibrator,
        driver,
        _budget(problem, found, chosen, seconds),
        *problem.findings,
    ]
    report = Report(
        verb="train",
        title=f"{chosen.name} for '{problem.brief.target}'",
        verdict="done",
        findings=tuple(finding for finding in said if finding is not None),
        tables=(candidate_table(problem, found, chosen), slice_table(problem, split, judgment), drivers),
        figures=(*figures_of(problem, split, judgment, policy), importance),
        metrics=_metrics(problem, split, judgment, (chosen, policy, seconds)),
    )
    return Model(
        pipeline=chosen.pipeline,
        framework="sklearn",
        signature=_signature(problem),
        schema=problem.schema,
        policy=policy,
        name=problem.brief.name or problem.table.name,
        report=report,
        lineage={"table": problem.table.digest},
    )


def _metrics(
    problem: Problem, split: Split, judgment: Judgment, made: tuple[Candidate, Policy, float]
) -> dict[str, Metric]:
    chosen, policy, seconds = made
    metrics = metrics_of(problem, split, judgment)
    if problem.task == "binary":
        metrics["threshold"] = policy.threshold
        metrics["base_rate"] = problem.base_rate
        metrics["positive"] = str(problem.classes[problem.positive])
    if problem.task == "regression":
        metrics["offset"] = policy.offset
    sizes: dict[str, Metric] = {
        "n_train": len(split.train),
        "n_tune": len(split.tune),
        "n_test": len(split.test),
        "train_seconds": round(seconds, 3),
        "chosen": chosen.name,
        "rounds": chosen.rounds,
    }
    return metrics | sizes


def _budget(problem: Problem, found: Search, chosen: Candidate, seconds: float) -> Finding:
    budget = problem.brief.budget.train_seconds
    rounds = sum(candidate.fitted for candidate in found.boosted)
    work = f"{len(found.boosted)} settings of boosted trees with {rounds:,} rounds, and a linear model"
    means = f"training took {seconds:.0f} of {budget:.0f} seconds: {work}"
    cut = [candidate.name for candidate in found.boosted if candidate.cut]
    if not cut and not found.skipped:
        return Finding(check="train.budget", verdict="good", means=means, value=round(seconds, 1), limit=budget)
    ended = f"; the budget ended {', '.join(cut)}" if cut else ""
    skipped = f"; no time was left for {', '.join(found.skipped)}" if found.skipped else ""
    todo = "raise budget.train_seconds; a machine of another speed would fit other rounds" if cut else ""
    return Finding(
        check="train.budget",
        verdict="note",
        means=f"{means}{ended}{skipped}",
        todo=todo or "raise budget.train_seconds",
        value=round(seconds, 1),
        limit=budget,
    )


def _signature(problem: Problem) -> Signature:
    fields = tuple(
        Field(name=column.name, kind=column.kind, nullable=column.nullable, example=_example(problem.X, column))
        for column in problem.schema
    )
    return Signature(inputs=fields, task=problem.task, classes=problem.classes)


def _example(X: pd.DataFrame, column: Column) -> Label | None:
    known = X[column.name].dropna()
    if known.empty:
        return None
    if column.kind == "number":
        value = float(known.median())
        return int(value) if value.is_integer() else value
    if column.kind == "boolean":
        return bool(known.iloc[0])
    if column.kind == "date":
        return str(pd.Timestamp(known.iloc[0]).isoformat())
    return str(column.categories[0]) if column.categories else str(known.iloc[0])
