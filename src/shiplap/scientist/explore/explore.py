"""The verb: look at a table, say how good it is, and find the columns that know the answer too well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from threadpoolctl import threadpool_limits

from shiplap.adapters.frames import read
from shiplap.core.brief import Brief
from shiplap.core.finding import Finding
from shiplap.core.progress import tell
from shiplap.core.report import Figure, Metric, Report
from shiplap.core.table import Table
from shiplap.methods.leaks import Evidence, failed_columns
from shiplap.methods.part import Part
from shiplap.methods.question import Problem, asked, opened, pose
from shiplap.scientist.explore.anomalies import look_at_anomalies
from shiplap.scientist.explore.associations import look_at_associations
from shiplap.scientist.explore.clusters import look_at_clusters
from shiplap.scientist.explore.compare import compare
from shiplap.scientist.explore.groups import look_at_groups
from shiplap.scientist.explore.interactions import look_at_interactions
from shiplap.scientist.explore.pictures import relation, target_over_time
from shiplap.scientist.explore.profile import Profile
from shiplap.scientist.explore.profile.figures import distribution, missing_figure, week_figure
from shiplap.scientist.explore.profile.tables import columns_table, numbers_table
from shiplap.scientist.explore.quality import change_over_time, quality
from shiplap.scientist.explore.suspects import leak_figures, leak_table, suspects
from shiplap.scientist.explore.trends import look_at_trends
from shiplap.scientist.explore.view import View, view_of

__all__ = ["explore"]

_SHOWN = 8
_WEEKS = 2
_CHANGE = 0.5
_LOOKS: tuple[Callable[[View], Part], ...] = (
    look_at_associations,
    look_at_interactions,
    look_at_groups,
    look_at_anomalies,
    look_at_trends,
    look_at_clusters,
)


def explore(table: Any, other: Any = None, *, brief: Brief | None = None, **question: Any) -> Report:
    """Look at a table: schema, quality, distributions, relation to the target, change over time, leaks; or at two.

    Parameters
    ----------
    table : Table, path, DataFrame ...
        Anything that can be read as a table.
    other : Table, path, DataFrame ..., optional
        A second table: the report then says what changed from the first to it, ranked by size, with false discoveries
        held, and with a target whether the same inputs still mean the same answer.
    brief : Brief, optional
        What is asked. Without a target the columns alone are described. ``drop`` and ``keep`` do not matter here: the
        evidence is reported for every column.
    **question
        Fields of `Brief` that take precedence: ``target``, ``time`` ...

    Returns
    -------
    Report
        A suspected leak is a finding whose check begins with ``leak.``, of one column, with the verdict ``fail`` where
        the evidence is overwhelming. Metrics ``n_rows``, ``n_columns``, ``n_labelled``, ``base_rate``,
        ``n_duplicates``; tables ``columns``, ``numbers``, ``leaks`` and ``questions``; figures
        ``target_over_time``, ``missing``, ``alone``, ``stakes`` and
        ``distribution.<column>`` and ``relation.<column>`` of the strongest columns. Of two tables, ``verdict`` is
        ``changed`` or ``same``; metrics ``n_changed``, ``n_tested``, ``auc`` (how well a model tells them apart);
        table and figure ``changes``, figures ``change.<column>``.

    Raises
    ------
    BriefError
        The question does not fit the table.
    TableError
        No labelled row, one class only, or no usable column.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> rows = load_breast_cancer(as_frame=True).frame
    >>> report = explore(rows, target="target")
    >>> report.metrics["n_rows"], [f.columns for f in report.findings if f.verdict == "fail"]
    (569, [])
    """
    tell("reading the table", 0.0)
    brief = msgspec.structs.replace(asked(brief, question), drop=(), keep=())
    opened_table = opened(table, brief)
    if other is not None:
        with threadpool_limits(1):
            return compare(opened_table, read(other, columns=brief.columns), brief)
    problem = pose(opened_table, brief) if brief.target else None
    tell("counting", 0.3)
    view = view_of(opened_table, problem, private=_private(brief), seed=brief.seed)
    tell("looking for leaks", 0.5)
    # Many small models and sums: threads would only wait for each other, and results depend on their number.
    with threadpool_limits(1):
        leaks = suspects(problem)
        changes = change_over_time(view)
        parts = [look(view) for look in _LOOKS]
    found = (
        *leaks.findings,
        *quality(view),
        *_changed(problem, changes),
        *(finding for part in parts for finding in part.findings),
        *(problem.findings if problem else ()),
    )
    alone = "R squared alone" if problem and problem.task == "regression" else "AUC alone"
    columns = columns_table(view.profile, {alone: leaks.alone, "change over time": changes})
    missing = missing_figure(view.profile)
    return Report(
        verb="explore",
        title=f"What '{opened_table.name}' holds",
        verdict="leaks" if any(finding.verdict == "fail" for finding in leaks.findings) else "done",
        findings=found,
        tables=(
            *(table for table in (columns, numbers_table(view.profile), leak_table(leaks)) if table.rows),
            *([leaks.questions] if leaks.questions else []),
            *(table for part in parts for table in part.tables),
        ),
        figures=(
            *([missing] if missing else []),
            *leak_figures(leaks, problem),
            *_pictures(view, leaks),
            *_weeks(view.profile, brief.time),
            *(figure for part in parts for figure in part.figures),
        ),
        metrics=_metrics(opened_table, problem, view.profile)
        | {name: metric for part in parts for name, metric in part.metrics.items()},
    )


def _private(brief: Brief) -> tuple[str, ...]:
    return (*brief.private, *(name for name, known in brief.columns.items() if known.private))


def _pictures(view: View, leaks: Evidence) -> list[Figure]:
    failed = failed_columns(leaks.findings)
    ranked = sorted((name for name in view.schema.names), key=lambda name: -leaks.alone.get(name, 0.0))
    shown = [view.schema[name] for name in ranked if name not in failed][:_SHOWN]
    drawn = [figure for column in shown if (figure := distribution(view.profile[column.name]))]
    if view.problem is None:
        return drawn
    problem = view.problem
    over_time = target_over_time(problem)
    relations = [relation(view, problem, column) for column in shown]
    return [*([over_time] if over_time else []), *relations, *drawn]


def _weeks(profile: Profile, time: str | None) -> list[Figure]:
    """Draw the week of the column that is the time, and of the next one with dates."""
    dated = sorted((column for column in profile.columns if column.dates), key=lambda column: column.name != time)
    return [figure for column in dated if (figure := week_figure(column))][:_WEEKS]


def _changed(problem: Problem | None, changes: dict[str, float]) -> list[Finding]:
    if problem is None or problem.brief.time is None:
        return []
    return [
        Finding(
            check="column.change",
            verdict="note",
            means=f"'{name}' changed over time: its first and last fifth share only {1 - change:.0%}",
            todo="what is learned from it may not hold tomorrow",
            columns=(name,),
            value=change,
            limit=_CHANGE,
        )
        for name, change in sorted(changes.items(), key=lambda pair: -pair[1])
        if change >= _CHANGE
    ]


def _metrics(table: Table, problem: Problem | None, profile: Profile) -> dict[str, Metric]:
    return {
        "n_rows": table.n_rows,
        "n_columns": len(table.schema),
        "n_labelled": problem.n_rows if problem else None,
        "base_rate": problem.base_rate if problem else None,
        "n_duplicates": profile.n_duplicates,
        "task": problem.task if problem else None,
        "positive": str(problem.classes[problem.positive]) if problem and problem.task == "binary" else None,
    }
