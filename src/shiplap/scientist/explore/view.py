"""What exploring looks at: counts over all rows, taken where they lie, and a sample of rows for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.schema import Schema
from shiplap.core.table import Table
from shiplap.methods.query import labelled, quoted
from shiplap.methods.question import Problem

__all__ = ["Missing", "View", "count_duplicates", "count_missing", "view_of"]

_SAMPLE = 50_000


@dataclass(frozen=True)
class Missing:
    """On how many rows one column is missing.

    Parameters
    ----------
    labelled, unlabelled : int
        Of the rows with and without a label.
    """

    labelled: int
    unlabelled: int


Counts: TypeAlias = dict[str, Missing]


@dataclass(frozen=True, eq=False)
class View:
    """A sample of the rows, with the label where there is a target.

    Parameters
    ----------
    table : Table
        The whole.
    schema : Schema
        The columns in `X`.
    problem : Problem or None
        The question, on all labelled rows; None without a target.
    X : pandas.DataFrame
        Sampled rows, in the order of the source.
    y : numpy.ndarray or None
        Their labels as codes or numbers.
    sources : pandas.DataFrame
        Numbers that the target is made from, on the same rows; the target itself for regression.
    time : numpy.ndarray or None
        Their moments.
    """

    table: Table
    schema: Schema
    problem: Problem | None
    X: pd.DataFrame
    y: npt.NDArray[Any] | None
    sources: pd.DataFrame
    time: npt.NDArray[np.datetime64] | None


def view_of(table: Table, problem: Problem | None, *, private: tuple[str, ...], seed: int) -> View:
    """Sample at most 50,000 rows.

    Parameters
    ----------
    table : Table
        The rows.
    problem : Problem or None
        The question; its labelled rows are sampled.
    private : tuple of str
        Columns that are never looked at.
    seed : int
        Seed of the sample.
    """
    if problem is None:
        schema = Schema(tuple(column for column in table.schema if column.name not in private and not column.private))
        X = table.frame.pandas(_everything(schema, table.n_rows, seed))
        return View(table, schema, None, X, None, pd.DataFrame(index=X.index), None)
    rows = np.sort(np.random.default_rng(seed).permutation(problem.n_rows)[:_SAMPLE])
    sample = problem.rows(rows)
    return View(
        table=table,
        schema=problem.schema,
        problem=problem,
        X=sample.X.reset_index(drop=True),
        y=sample.y,
        sources=_sources(problem, rows),
        time=sample.time,
    )


def _everything(schema: Schema, n_rows: int, seed: int) -> str:
    columns = ", ".join(quoted(name) for name in schema.names)
    share = max(1, -(-n_rows // _SAMPLE))
    return " ".join(("SELECT", columns, "FROM rows WHERE", f"hash(rowid + {seed}) % {share} = 0 ORDER BY rowid"))


def _sources(problem: Problem, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    if problem.task == "regression":
        return pd.DataFrame({"the target": problem.y[rows].astype(np.float64)})
    numeric = [name for name in problem.target_columns if problem.table.schema[name].kind == "number"]
    if not numeric:
        return pd.DataFrame(index=range(len(rows)))
    columns = ", ".join(quoted(name) for name in numeric)
    frame: pd.DataFrame = problem.table.frame.pandas(labelled(columns, problem.target_sql))
    return frame.iloc[rows].reset_index(drop=True) if len(frame) == problem.n_rows else frame.iloc[:0]


def count_missing(table: Table, names: tuple[str, ...], target_sql: str) -> Counts:
    """Count, over all rows, where each column is missing: with a label and without.

    Parameters
    ----------
    table : Table
        The rows.
    names : tuple of str
        Columns to look at.
    target_sql : str
        SQL of the target; empty where there is none, so that every row counts as labelled.
    """
    known = f"({target_sql}) IS NOT NULL" if target_sql else "true"
    parts = [
        f"count(*) FILTER (WHERE {quoted(name)} IS NULL AND {side})"
        for name in names
        for side in (known, f"NOT ({known})")
    ]
    if not parts:
        return {}
    counts = table.frame.fetch(" ".join(("SELECT", ", ".join(parts), "FROM rows")))[0]
    return {name: Missing(int(counts[2 * index]), int(counts[2 * index + 1])) for index, name in enumerate(names)}


def count_duplicates(table: Table) -> int:
    """Count the rows that repeat an earlier one in every column."""
    columns = ", ".join(quoted(name) for name in table.schema.names)
    counted = f"count(*) - count(DISTINCT hash({columns}))"
    return int(table.frame.fetch(" ".join(("SELECT", counted, "FROM rows")))[0][0])
