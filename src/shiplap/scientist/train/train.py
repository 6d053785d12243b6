"""The verb: fit on the past, set everything on the tune rows, judge once on the test rows."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd

from shiplap.core.brief import Brief, Label
from shiplap.core.errors import BriefError
from shiplap.core.finding import Finding
from shiplap.core.model import Model
from shiplap.core.progress import tell
from shiplap.core.report import Report
from shiplap.core.schema import Column
from shiplap.core.signature import Field, Signature
from shiplap.methods.policies import policy_for, settled, within_capacity
from shiplap.methods.question import Problem, pose
from shiplap.methods.splits import Split, honest_split
from shiplap.scientist.train.calibrate import calibrated
from shiplap.scientist.train.candidates import Search, search
from shiplap.scientist.train.judge import (
    calibration_finding,
    capacity_finding,
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
    if problem.brief.task == "forecast":
        raise BriefError(
            "a forecast can be assessed, not trained yet",
            hint="lay the past of each row beside it as columns, and ask for a regression",
        )
    split = honest_split(problem)
    problem = settled(problem, split)
    found = search(problem, split)
    tell("calibrating", 0.72)
    chosen, calibrator = calibrated(problem, split, found.all[0])
    freely = policy_for(problem, chosen.tune_output, split.tune)
    policy = within_capacity(problem, freely, chosen.tune_output, split.tune)
    tell("judging on the test rows", 0.78)
    judgment = judge(problem, split, chosen, found, policy)
    importance, drivers, driver = importance_figure(problem, split, chosen, policy)
    seconds = time.monotonic() - started
    said = [
        money_finding(problem, judgment, policy),
        split.finding,
        fit_finding(problem, judgment),
        calibration_finding(problem, split, judgment),
        calibrator,
        driver,
        capacity_finding(problem, split, judgment, freely, policy),
        _budget(problem, split, found, seconds),
        *problem.findings,
    ]
    report = Report(
        verb="train",
        title=f"{chosen.name} for '{problem.brief.target}'",
        verdict="done",
        findings=tuple(finding for finding in said if finding is not None),
        tables=(candidate_table(problem, found, chosen), slice_table(problem, split, judgment), drivers),
        figures=(*figures_of(problem, split, judgment, policy), importance),
        metrics={
            **metrics_of(problem, split, judgment, policy),
            "n_train": len(split.train),
            "n_tune": len(split.tune),
            "n_test": len(split.test),
            "train_seconds": round(seconds, 3),
            "chosen": chosen.name,
            "rounds": chosen.rounds,
            "work_planned": round(found.planned),
            "work_done": round(found.done),
        },
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


def _budget(problem: Problem, split: Split, found: Search, seconds: float) -> Finding:
    budget = problem.brief.budget.train_seconds
    rounds = sum(candidate.fitted for candidate in found.boosted)
    rows = f" on {found.n_rows:,} of {len(split.train):,} train rows" if found.n_rows < len(split.train) else ""
    means = (
        f"training took {seconds:.3g} of {budget:.3g} seconds: a linear model, and {len(found.boosted)} settings of "
        f"boosted trees with {rounds:,} rounds{rows} for {found.done / 1e9:,.2f} of {found.planned / 1e9:,.2f} billion "
        "planned units of work"
    )
    skipped = f"; nothing was left for {', '.join(found.skipped)}" if found.skipped else ""
    common: dict[str, Any] = {"check": "train.budget", "value": round(seconds, 1), "limit": budget}
    if found.cut:
        means += (
            f"{skipped}; the clock ended the search before its plan: this model depends on how fast the machine was"
        )
        return Finding(
            verdict="warn", means=means, todo="raise budget.train_seconds, or use a quieter machine", **common
        )
    full = [item.name for item in found.boosted if item.fitted == item.planned and item.rounds > 0.95 * item.fitted]
    if not full and not skipped and not rows:
        return Finding(verdict="good", means=means, **common)
    means += f"{skipped}; with more rounds {', '.join(full)} might do better" if full else skipped
    return Finding(verdict="note", means=means, todo="raise budget.train_seconds", **common)


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
