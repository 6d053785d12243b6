"""The target as labels: which task it poses, which classes there are, and which of them is to be found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.brief import Brief, Label, Task
from shiplap.core.errors import BriefError, TableError, nearest
from shiplap.core.finding import Finding
from shiplap.core.table import Table
from shiplap.methods.query import labelled

__all__ = ["FEWEST_ROWS", "Labels", "labels_of", "positive_of", "task_of"]

FEWEST_ROWS = 25
_MOST_CLASSES = 200
_MOST_CODES = 30
_FEWEST_OF_A_CLASS = 5
_YES = frozenset({"true", "yes", "y", "t", "1", "1.0", "positive", "pos", "bad", "fraud"})


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of the labelled rows.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of answer.
    y : numpy.ndarray of shape (n_rows,)
        Codes into `classes` (int64), or numbers (float64).
    classes : tuple
        Labels in sorted order; empty for regression.
    positive : int
        Index of the class to be found; -1 where there is none.
    kept : numpy.ndarray of bool
        Which rows with a target that is not null are used; all but the rarest classes.
    n_unlabelled : int
        Rows without a label.
    findings : tuple of Finding
        What was settled.
    """

    task: Task
    y: npt.NDArray[Any]
    classes: tuple[Label, ...]
    positive: int
    kept: npt.NDArray[np.bool_]
    n_unlabelled: int
    findings: tuple[Finding, ...] = field(default=())


def labels_of(table: Table, sql: str, columns: tuple[str, ...], brief: Brief) -> Labels:
    """Read the target and settle task, classes and positive class.

    Parameters
    ----------
    table : Table
        The rows.
    sql : str
        The target over the relation ``rows``.
    columns : tuple of str
        Columns the target is made from.
    brief : Brief
        Stated task, positive class and values take precedence over what is inferred.

    Raises
    ------
    TableError
        No labelled row, too few, or one class only.
    BriefError
        The target does not fit the stated task or values.
    """
    read = table.frame.pandas(labelled(f"({sql}) AS target", sql))["target"]
    n_unlabelled = table.n_rows - len(read)
    if not len(read):
        raise TableError(
            f"no row of '{table.name}' has a value for the target '{brief.target}'", hint="label some rows"
        )
    if len(read) < FEWEST_ROWS:
        raise TableError(f"{len(read)} labelled rows are too few", hint=f"at least {FEWEST_ROWS} are needed")
    findings = [_unlabelled(n_unlabelled, len(read))] if n_unlabelled else []
    codes, levels = pd.factorize(read, sort=True)
    if len(levels) == 1:
        raise TableError(
            f"the target '{brief.target}' has one value only: {levels[0]}", hint="two classes are needed to learn from"
        )
    if np.asarray(levels).dtype.kind in "mM":
        raise BriefError(
            f"the target '{brief.target}' is a date: a date is not predicted itself",
            hint=f"ask for a number or a yes or no made of it, e.g. target=\"date_diff('day', opened, {columns[0]})\"",
        )
    task = task_of(levels, brief)
    if task == "regression":
        y = _numbers(read, brief)
        spoken = _task_finding(task, len(levels), brief, levels)
        return Labels(task, y, (), -1, np.ones(len(y), bool), n_unlabelled, (*findings, *spoken))
    classes = _named(levels, _kind(table, sql), table, columns)
    kept, codes, classes, dropped = _without_rare(codes.astype(np.int64), classes)
    task = "binary" if len(classes) == 2 else "multiclass"
    findings += [*_task_finding(task, len(classes), brief, levels), *dropped]
    positive = -1
    if task == "binary":
        positive, said = positive_of(classes, np.bincount(codes, minlength=2), brief.positive)
        findings.append(said)
    return Labels(task, codes, classes, positive, kept, n_unlabelled, tuple(findings))


def task_of(levels: Any, brief: Brief) -> Task:
    """Say which task distinct target values pose.

    Two values make a binary task; text makes classes; so do up to 30 whole numbers that run from 0 or 1 with few
    gaps, as codes do. Every other number is a quantity. What the brief states, or its values imply, takes precedence.

    Raises
    ------
    BriefError
        The stated task or values do not fit.

    Examples
    --------
    >>> task_of(np.array([0.0, 1.0, 2.0]), Brief()), task_of(np.array([3.0, 4.0, 7.0]), Brief())
    ('multiclass', 'regression')
    """
    numeric = np.asarray(levels).dtype.kind in "fiub"
    value = brief.value
    implied: Task | None = None
    if value is not None and brief.task != "ranking":
        implied = "regression" if value.over is not None or value.under is not None else None
        implied = "multiclass" if value.matrix is not None else implied
        implied = implied or "binary"
    asked = _answer(brief)
    if asked and implied and asked != implied and {asked, implied} != {"binary", "multiclass"}:
        raise BriefError(f"values for a {implied} target do not fit the task '{brief.task}'", hint="change one of them")
    wanted = asked or implied
    if wanted == "binary" and len(levels) != 2:
        raise BriefError(
            f"a binary target has 2 values; '{brief.target}' has {len(levels)}",
            hint='ask for one with an expression, e.g. target="quality >= 7"',
        )
    if wanted == "regression" and not numeric:
        raise BriefError(f"the target '{brief.target}' is text, not a number: it cannot be a {brief.task or wanted}")
    if wanted == "regression":
        return "regression"
    if not numeric and len(levels) > _MOST_CLASSES:
        raise BriefError(
            f"'{brief.target}' has {len(levels):,} different texts; at most {_MOST_CLASSES} classes make sense",
            hint="group them, or choose another target",
        )
    if len(levels) == 2:
        return "binary"
    if not numeric or wanted == "multiclass":
        return "multiclass"
    low, high = float(levels[0]), float(levels[-1])
    codes = len(levels) <= _MOST_CODES and low in (0.0, 1.0) and high - low < 1.5 * len(levels)
    return "multiclass" if codes and np.all(np.mod(levels, 1) == 0) else "regression"


def _answer(brief: Brief) -> Task | None:
    match brief.task:
        case "forecast" | "ranking":
            return "regression"
        case "anomaly":
            return "binary"
        case task:
            return task


def positive_of(classes: tuple[Label, ...], counts: npt.NDArray[Any], stated: Label | None) -> tuple[int, Finding]:
    """Say which of two classes is to be found: the one stated, the one that means yes, or the rarer.

    Raises
    ------
    BriefError
        The stated class does not exist.

    Examples
    --------
    >>> positive_of(("no", "yes"), np.array([10, 90]), None)[0]
    1
    >>> positive_of(("bream", "smelt"), np.array([10, 90]), None)[0]
    0
    """
    if stated is not None:
        names = [_spoken(label) for label in classes]
        if _spoken(stated) not in names:
            shown = [str(label) for label in classes]
            raise BriefError(f"the target has no class '{stated}'", hint=nearest(str(stated), shown))
        index, why = names.index(_spoken(stated)), "as stated"
    else:
        yes = [index for index, label in enumerate(classes) if _spoken(label) in _YES]
        index = yes[0] if len(yes) == 1 else int(np.argmin(counts))
        why = "because it means yes" if len(yes) == 1 else "because it is the rarer"
    share = counts[index] / counts.sum()
    return index, Finding(
        check="target.positive",
        verdict="note",
        means=f"the class to be found is '{classes[index]}' ({share:.1%} of the rows), {why}",
        todo="" if stated is not None else "state it with positive= if it is the other one",
        value=str(classes[index]),
    )


def _spoken(label: Label) -> str:
    if isinstance(label, bool | np.bool_):
        return "1" if label else "0"
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    text = str(label).strip().casefold()
    return {"true": "1", "false": "0"}.get(text, text)


def _kind(table: Table, sql: str) -> str:
    return str(table.frame.fetch(labelled(f"typeof(({sql}))", sql, tail="LIMIT 1"))[0][0])


def _named(levels: Any, kind: str, table: Table, columns: tuple[str, ...]) -> tuple[Label, ...]:
    """Give distinct values the names that the user knows them by."""
    if kind != "BOOLEAN":
        if np.asarray(levels).dtype.kind not in "fiu":
            return tuple(str(level) for level in levels)
        whole = bool(np.all(np.mod(levels, 1) == 0))
        return tuple(int(level) if whole else float(level) for level in levels)
    column = table.schema[columns[0]] if len(columns) == 1 else None
    if column is None or column.kind != "boolean" or not (column.true and column.false):
        return (False, True)
    pair: tuple[Label, Label] = (_plain(column.false[0]), _plain(column.true[0]))
    return pair


def _plain(text: str) -> Label:
    return int(text) if text.lstrip("-").isdigit() else text


def _numbers(read: pd.Series, brief: Brief) -> npt.NDArray[np.float64]:
    y = read.to_numpy(dtype=np.float64)
    if not np.isfinite(y).all():
        raise TableError(f"the target '{brief.target}' has infinite values", hint="drop those rows or bound the target")
    return y


def _without_rare(
    codes: npt.NDArray[np.int64], classes: tuple[Label, ...]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], tuple[Label, ...], list[Finding]]:
    """Leave out classes with too few rows to learn from and to test on; then sort the classes as estimators do."""
    counts = np.bincount(codes, minlength=len(classes))
    common = counts >= _FEWEST_OF_A_CLASS
    if common.sum() < 2:
        raise TableError(
            "only one class has rows enough to learn from", hint=f"{_FEWEST_OF_A_CLASS} rows a class at least"
        )
    names = np.array(classes)[common]
    order = np.argsort(names, kind="stable")
    place = np.full(len(classes), -1)
    place[np.flatnonzero(common)[order]] = np.arange(len(order))
    kept = common[codes]
    left_out = [classes[index] for index in np.flatnonzero(~common)]
    said = [
        Finding(
            check="target.rare_class",
            verdict="warn",
            means=f"class '{label}' has fewer than {_FEWEST_OF_A_CLASS} rows and is left out",
            todo="collect more rows of it, or merge it with another class",
        )
        for label in left_out
    ]
    return kept, place[codes[kept]].astype(np.int64), tuple(names[order].tolist()), said


def _unlabelled(count: int, labelled: int) -> Finding:
    return Finding(
        check="rows.unlabelled",
        verdict="note",
        means=f"{count:,} rows have no label and are left out; {labelled:,} rows remain",
        value=count,
    )


def _task_finding(task: Task, n_levels: int, brief: Brief, levels: Any) -> list[Finding]:
    if brief.task or brief.value or task == "binary" or np.asarray(levels).dtype.kind not in "fiu":
        return []
    seen = "classes, numbered as codes are" if task == "multiclass" else "a quantity"
    return [
        Finding(
            check="target.task",
            verdict="note",
            means=f"the {n_levels:,} different numbers of the target are taken as {seen}: {task}",
            todo="state task= if it is otherwise",
        )
    ]
