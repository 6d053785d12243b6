"""All looks at one table, put together as one report."""

from __future__ import annotations

from collections.abc import Callable

from shiplap.core.finding import Finding
from shiplap.core.progress import tell
from shiplap.core.report import Figure, Metric, Report
from shiplap.methods.leaks import Evidence, failed_columns
from shiplap.methods.part import Part
from shiplap.methods.question import Problem
from shiplap.scientist.explore.anomalies import look_at_anomalies
from shiplap.scientist.explore.associations import look_at_associations
from shiplap.scientist.explore.clusters import look_at_clusters
from shiplap.scientist.explore.groups import look_at_groups
from shiplap.scientist.explore.images import look_at_images
from shiplap.scientist.explore.interactions import look_at_interactions
from shiplap.scientist.explore.pictures import relation, target_over_time
from shiplap.scientist.explore.profile import Profile
from shiplap.scientist.explore.profile.figures import distribution, missing_figure, week_figure
from shiplap.scientist.explore.profile.tables import columns_table, numbers_table
from shiplap.scientist.explore.quality import change_over_time, quality
from shiplap.scientist.explore.suspects import leak_figures, leak_table, suspects
from shiplap.scientist.explore.texts import look_at_texts
from shiplap.scientist.explore.trends import look_at_trends
from shiplap.scientist.explore.view import View

__all__ = ["look"]

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
    look_at_texts,
    look_at_images,
)


def look(view: View, *, time: str | None) -> Report:
    """Take every look and put together what they found.

    Parameters
    ----------
    view : View
        Counts over all rows, and a sample.
    time : str or None
        The column that says when a row came to be.

    Returns
    -------
    Report
        As `shiplap.explore` describes it.
    """
    tell("looking for leaks", 0.5)
    problem = view.problem
    leaks = suspects(problem)
    changes = change_over_time(view)
    parts = [take(view) for take in _LOOKS]
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
        title=f"What '{view.table.name}' holds",
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
            *_weeks(view.profile, time),
            *(figure for part in parts for figure in part.figures),
        ),
        metrics=_metrics(view) | {name: metric for part in parts for name, metric in part.metrics.items()},
    )


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


def _metrics(view: View) -> dict[str, Metric]:
    problem = view.problem
    return {
        "n_rows": view.table.n_rows,
        "n_columns": len(view.table.schema),
        "n_labelled": problem.n_rows if problem else None,
        "base_rate": problem.base_rate if problem else None,
        "n_duplicates": view.profile.n_duplicates,
        "task": problem.task if problem else None,
        "positive": str(problem.classes[problem.positive]) if problem and problem.task == "binary" else None,
    }
