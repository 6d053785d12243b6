"""The verb: ask whether the question fits the table, then weigh what policies bring."""

from __future__ import annotations

from typing import Any

from shiplap.core.brief import Brief
from shiplap.core.progress import tell
from shiplap.core.report import Report
from shiplap.methods.question import pose

__all__ = ["assess"]


def assess(table: Any, *, brief: Brief | None = None, explored: Report | None = None, **question: Any) -> Report:
    """Say whether machine learning would earn its effort.

    Parameters
    ----------
    table : Table, path, DataFrame ...
        Anything that can be read as a table.
    brief : Brief, optional
        What is asked.
    explored : Report, optional
        What `explore` said of the same table: its columns are not looked through for leaks again.
    **question
        Fields of `Brief` that take precedence: ``target``, ``value``, ``time``, ``seed`` ...

    Returns
    -------
    Report
        ``verdict`` is ``go`` when the best learned policy surely brings more than the best simple one (beyond
        ``value.effort``), ``no-go`` when even ten times the rows would hardly make it one (with a chance below one in
        ten, by the learning curve), ``collect more`` otherwise; ``holds`` is False for ``no-go`` only. Metrics: with
        values ``gain_per_1000``, ``gain_low`` and ``gain_high`` in money per 1,000 decisions; without,
        ``gain_per_1000`` is None and ``gain``, ``gain_low`` and ``gain_high`` say by how much the loss named in
        ``unit`` falls. ``break_even`` is how many false alarms one hit must be worth, where no values are given; a
        ranking has ``captured``, ``ndcg`` and ``spearman`` (see `shiplap.methods.ranked.ranking_metrics`).
        ``chance_of_go`` is the chance that ten times the rows would make it a go, ``times_rows`` how many times would
        more likely than not.

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
    >>> assess(rows, target="target", value={"tp": 10, "fp": -20}).verdict
    'go'
    """
    tell("reading the table", 0.0)
    problem = pose(table, brief, question)
    # Models take two seconds to load: not before wrong input is refused.
    from shiplap.scientist.assess.weigh import weigh  # noqa: PLC0415

    return weigh(problem, explored=explored is not None)
