"""The verb: ask whether the question fits, count over all rows, then look."""

from __future__ import annotations

from typing import Any

import msgspec
from threadpoolctl import threadpool_limits

from shiplap.adapters.frames import read
from shiplap.core.brief import Brief
from shiplap.core.progress import tell
from shiplap.core.report import Report
from shiplap.methods.question import asked, opened, pose
from shiplap.scientist.explore.view import view_of

__all__ = ["explore"]


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
        ``n_duplicates``; tables ``columns``, ``numbers``, ``texts``, ``images``, ``leaks`` and ``questions``;
        figures ``target_over_time``, ``missing``, ``alone``, ``stakes``, ``week.<column>`` of moments,
        ``lengths.<column>`` of free texts, ``images.<column>``, and ``distribution.<column>`` and ``relation.<column>``
        of the strongest columns. Of two tables, ``verdict`` is ``changed`` or ``same``; metrics ``n_changed``,
        ``n_tested``, ``auc`` (how well a model tells them apart); table and figure ``changes``, figures
        ``change.<column>``.

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
        further = read(other, columns=brief.columns)
        from shiplap.scientist.explore.compare import compare  # noqa: PLC0415  (see below)

        with threadpool_limits(1):
            return compare(opened_table, further, brief)
    problem = pose(opened_table, brief) if brief.target else None
    tell("counting", 0.3)
    view = view_of(opened_table, problem, private=_private(brief), seed=brief.seed)
    # Statistics take a second and 100 MB to load: not before wrong input is refused and the counting has freed its own.
    from shiplap.scientist.explore.looks import look  # noqa: PLC0415

    # Many small models and sums: threads would only wait for each other, and results depend on their number.
    with threadpool_limits(1):
        return look(view, time=brief.time)


def _private(brief: Brief) -> tuple[str, ...]:
    return (*brief.private, *(name for name, known in brief.columns.items() if known.private))
