"""From a table and a brief to a posed problem: canonical inputs, labels, and what each decision is worth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.adapters.frames import Target, read, resolve_target, within_reach
from shiplap.core.brief import Brief, Label, Task
from shiplap.core.errors import BriefError
from shiplap.core.finding import Finding, Grade
from shiplap.core.schema import Schema
from shiplap.core.table import Table
from shiplap.methods.columns import chosen_columns
from shiplap.methods.labels import labels_of
from shiplap.methods.query import labelled, quoted
from shiplap.methods.worth import worth_of

__all__ = ["Floats", "Ints", "Problem", "asked", "opened", "pose"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_FIRST_SECOND, _LAST_SECOND = 3e8, 9e9
_NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)


@dataclass(frozen=True, eq=False)
class Problem:
    """A question that can be computed: labelled rows only, in the order of the source.

    Parameters
    ----------
    table : Table
        Where the rows come from.
    brief : Brief
        What was asked, with the question's own words merged in.
    task : {"binary", "multiclass", "regression"}
        Kind of answer.
    X : pandas.DataFrame of shape (n_rows, n_features)
        Numbers and booleans float64 (NaN missing), dates datetime64, everything else text.
    y : numpy.ndarray of shape (n_rows,)
        Codes into `classes` (int64), or numbers (float64) for regression.
    schema : Schema
        The feature columns, in the order of `X`.
    target_sql : str
        The target as SQL over the relation ``rows``.
    target_columns : tuple of str
        Columns the target is made from; never features.
    classes : tuple
        Labels in sorted order; empty for regression.
    positive : int
        Index of the class to be found; -1 where there is none.
    time : numpy.ndarray of datetime64[ns] or None
        Moment of each row.
    group : numpy.ndarray of int64 or None
        Group of each row.
    worth : numpy.ndarray of shape (n_rows, n_decisions) or None
        Money that each decision would bring on each row, given its label. None without values, and for regression
        unless it ranks.
    beside : pandas.DataFrame of shape (n_rows, n)
        Columns that the brief names and that need not be features: time, group, `label_time`, `acted`, `sensitive`.
    places : numpy.ndarray of int64, shape (n_rows,), or None
        Where each row stands among all rows with a label; None where these are all.
    n_unlabelled : int
        Rows left out because they carry no label.
    findings : tuple of Finding
        What was settled on the way.
    """

    table: Table
    brief: Brief
    task: Task
    X: pd.DataFrame
    y: npt.NDArray[Any]
    schema: Schema
    target_sql: str
    target_columns: tuple[str, ...]
    classes: tuple[Label, ...] = ()
    positive: int = -1
    time: npt.NDArray[np.datetime64] | None = None
    group: Ints | None = None
    worth: Floats | None = None
    beside: pd.DataFrame = field(default_factory=pd.DataFrame)
    places: Ints | None = None
    n_unlabelled: int = 0
    findings: tuple[Finding, ...] = field(default=())

    @property
    def n_rows(self) -> int:
        """Number of labelled rows."""
        return len(self.y)

    @property
    def labels(self) -> npt.NDArray[Any]:
        """What an estimator is fitted on: the labels themselves, or the numbers; shape (n_rows,)."""
        return self.y if self.task == "regression" else np.array(self.classes)[self.y]

    @property
    def base_rate(self) -> float | None:
        """Share of the positive class; None where there is none."""
        return float(np.mean(self.y == self.positive)) if self.task == "binary" else None

    @property
    def ranks(self) -> bool:
        """Whether the rows that bring most are to be acted on, as many as can be; the target is what each brings."""
        return self.brief.task == "ranking"

    @property
    def acts(self) -> bool:
        """Whether on each row one acts or does not, and both have values: columns 0 (not) and 1 (act) of `worth`."""
        return self.worth is not None and (self.task == "binary" or self.ranks)

    @property
    def unit(self) -> str:
        """Unit of money; empty without values. What is ranked by a column is told in that column."""
        stated = self.brief.value.unit if self.brief.value else ""
        if self.ranks and self.brief.target in self.target_columns:
            return stated or self.brief.target
        return stated or ("money" if self.brief.value or self.ranks else "")

    def rows(self, keep: npt.NDArray[Any]) -> Problem:
        """Return the same problem on some of its rows (positions or a mask)."""
        places = np.arange(self.n_rows) if self.places is None else self.places
        return replace(
            self,
            places=places[keep],
            X=self.X.iloc[np.flatnonzero(keep) if keep.dtype == bool else keep],
            y=self.y[keep],
            time=None if self.time is None else self.time[keep],
            group=None if self.group is None else self.group[keep],
            beside=self.beside.iloc[keep] if len(self.beside) else self.beside,
            worth=None if self.worth is None else self.worth[keep],
        )


def asked(brief: Brief | None, question: dict[str, Any]) -> Brief:
    """Merge the words of a question over a brief.

    Raises
    ------
    BriefError
        An unknown word, or a value that does not fit.

    Examples
    --------
    >>> asked(Brief(target="a", seed=3), {"target": "b"}).target
    'b'
    """
    return (brief or Brief()).replaced(**question)


def opened(source: Any, brief: Brief) -> Table:
    """Read the table that is meant: the object given, or the one the brief names.

    Raises
    ------
    BriefError
        Neither gives a table.
    """
    if source is None and not brief.table:
        raise BriefError("no table was given", hint="pass one, or name it as `table` in shiplap.toml")
    given = brief.table if source is None else source
    return read(given, name=brief.name, columns=brief.columns, memory_mb=brief.budget.table_mb)


def pose(source: Any, brief: Brief | None = None, question: dict[str, Any] | None = None) -> Problem:
    """Turn a table and a question into numbers that can be worked with.

    Parameters
    ----------
    source : Table, path, DataFrame ...
        Anything that can be read as a table.
    brief : Brief, optional
        What is asked.
    question : dict, optional
        Fields of `Brief` that take precedence.

    Returns
    -------
    Problem
        Labelled rows only; the target's own columns are never among the features.

    Raises
    ------
    BriefError
        The target is missing, unknown or does not fit the task or the values.
    TableError
        No labelled row, one class only, or no usable column.

    Examples
    --------
    >>> rows = {"age": [21.0, 35.0, 47.0, 58.0] * 20, "left": ["no", "no", "no", "yes"] * 20}
    >>> problem = pose(rows, question={"target": "left"})
    >>> problem.task, problem.classes, problem.classes[problem.positive], problem.base_rate
    ('binary', ('no', 'yes'), 'yes', 0.25)
    """
    brief = asked(brief, question or {})
    table = opened(source, brief)
    if not brief.target:
        raise BriefError("no target was given", hint="say what is to be predicted, e.g. target='churned'")
    _check_ranking(brief)
    target = resolve_target(table, brief.target)
    roles = (("time", brief.time), ("group", brief.group), ("label_time", brief.label_time), ("acted", brief.acted))
    for role, name in roles:
        if name and target.name == name:
            raise BriefError(
                f"'{name}' is both the target and the {role} column", hint=f"name another target, or leave {role} out"
            )
    sql = _as_number(table, target)
    table, left_out = within_reach(table, sql, brief.seed, memory_mb=brief.budget.table_mb)
    labels = labels_of(table, sql, target.columns, brief)
    schema, findings = chosen_columns(table.schema, brief, target.columns)
    X, extra = _inputs(table, schema, sql, brief)
    places = None
    if len(X) != len(labels.y):
        places = np.flatnonzero(labels.kept)
        X, extra = X[labels.kept].reset_index(drop=True), extra[labels.kept].reset_index(drop=True)
    infinite = _without_infinity(X)
    worth, worth_findings = worth_of(table, sql, brief, labels)
    return Problem(
        table=table,
        brief=brief,
        task=labels.task,
        X=X,
        y=labels.y,
        schema=schema,
        target_sql=sql,
        target_columns=tuple(target.columns),
        classes=labels.classes,
        positive=labels.positive,
        time=_moments(extra, brief),
        group=_groups(extra, brief),
        worth=worth,
        beside=extra,
        places=places,
        n_unlabelled=labels.n_unlabelled,
        findings=(
            *_sampled(left_out, len(labels.y)),
            *labels.findings,
            *findings,
            *infinite,
            *_number_time(table, extra, brief),
            *worth_findings,
        ),
    )


def _check_ranking(brief: Brief) -> None:
    if brief.task == "ranking" and brief.capacity is None:
        raise BriefError(
            "a ranking needs a capacity: how many rows can be acted on",
            hint="say it, e.g. capacity={'per_day': 200} or {'share': 0.05}; --capacity per_day=200",
        )
    if brief.task != "ranking" and brief.value is not None and brief.value.cost is not None:
        raise BriefError("value.cost is what acting costs in a ranking", hint="say task='ranking' and a capacity")


def _sampled(left_out: int, n_rows: int) -> list[Finding]:
    if not left_out:
        return []
    means = (
        f"{n_rows:,} of {n_rows + left_out:,} labelled rows, chosen by the seed, were brought into memory, "
        "as many as it may take"
    )
    todo = (
        "intervals are as wide as these rows make them; to learn from more, raise budget.table_mb, "
        "and export what lies in a database to Parquet"
    )
    return [Finding(check="rows.sampled", verdict="note", means=means, todo=todo, value=n_rows)]


def _as_number(table: Table, target: Target) -> str:
    """Take a target column that the source holds as numbers as numbers, also where it looks like an identifier."""
    column = table.schema[target.columns[0]]
    if target.name != column.name or column.kind not in ("id", "category", "text"):
        return target.sql
    return f"CAST({target.sql} AS DOUBLE)" if column.dtype.startswith(_NUMERIC) else target.sql


def _inputs(table: Table, schema: Schema, sql: str, brief: Brief) -> tuple[pd.DataFrame, pd.DataFrame]:
    beside = [name for name in (brief.time, brief.group, brief.label_time, brief.acted, *brief.sensitive) if name]
    beside = list(dict.fromkeys(beside))
    for name in beside:
        table.schema[name]
    if brief.time and table.schema[brief.time].kind not in ("date", "number"):
        kind = table.schema[brief.time].kind
        raise BriefError(f"time column '{brief.time}' holds dates or numbers, not {kind}", hint="name another column")
    if brief.label_time and table.schema[brief.label_time].kind != "date":
        kind = table.schema[brief.label_time].kind
        raise BriefError(f"label_time column '{brief.label_time}' holds dates, not {kind}", hint="name another column")
    if brief.acted and table.schema[brief.acted].kind != "boolean":
        kind = table.schema[brief.acted].kind
        hint = "name another column, or write it as true and false"
        raise BriefError(f"acted column '{brief.acted}' says yes or no, not {kind}", hint=hint)
    names = list(dict.fromkeys([*schema.names, *beside]))
    columns = ", ".join(quoted(name) for name in names)
    frame = table.frame.pandas(labelled(columns, sql))
    return frame[list(schema.names)], frame[beside]


def _without_infinity(X: pd.DataFrame) -> list[Finding]:
    findings = []
    for name in X.select_dtypes("float64").columns:
        infinite = np.isinf(X[name].to_numpy())
        if infinite.any():
            X.loc[infinite, name] = np.nan
            findings.append(
                Finding(
                    check="column.infinite",
                    verdict="warn",
                    means=f"{int(infinite.sum()):,} infinite numbers in '{name}' are treated as missing",
                    todo="see where they come from",
                    columns=(name,),
                    value=int(infinite.sum()),
                )
            )
    return findings


def _moments(extra: pd.DataFrame, brief: Brief) -> npt.NDArray[np.datetime64] | None:
    if not brief.time:
        return None
    column = extra[brief.time]
    if column.dtype == np.float64:
        if column.abs().max() > _LAST_SECOND:
            raise BriefError(
                f"the numbers of '{brief.time}' are too large for seconds since 1970: {column.abs().max():,.6g}",
                hint="give the moments as dates",
            )
        return column.to_numpy().astype("datetime64[s]").astype("datetime64[ns]")
    return column.to_numpy().astype("datetime64[ns]")


def _number_time(table: Table, extra: pd.DataFrame, brief: Brief) -> list[Finding]:
    """Say what a number that stands for time is taken as."""
    if not brief.time or table.schema[brief.time].kind != "number":
        return []
    low, high = float(extra[brief.time].min()), float(extra[brief.time].max())
    if low >= _FIRST_SECOND:
        days = " to ".join(str(np.datetime64(int(edge), "s"))[:10] for edge in (low, high))
        means, todo = f"the numbers of '{brief.time}' are taken as seconds since 1970: {days}", ""
    else:
        means = (
            f"time is the number '{brief.time}', from {low:,.6g} to {high:,.6g}: "
            "the model is tested on the rows where it is largest"
        )
        todo = f"leave time out if '{brief.time}' does not say in what order the rows came"
    verdict: Grade = "warn" if todo else "note"
    return [Finding(check="time.number", verdict=verdict, means=means, todo=todo, columns=(brief.time,))]


def _groups(extra: pd.DataFrame, brief: Brief) -> Ints | None:
    return None if not brief.group else pd.factorize(extra[brief.group], use_na_sentinel=False)[0].astype(np.int64)
