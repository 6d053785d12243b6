"""What exploring looks at: counts over all rows, taken where they lie, and a sample of rows for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.adapters.frames import one_in
from shiplap.core.schema import Schema
from shiplap.core.table import Table
from shiplap.methods.query import labelled, quoted
from shiplap.methods.question import Problem
from shiplap.scientist.explore.profile import Profile, profile_of

__all__ = ["View", "view_of"]

_SAMPLE = 50_000


@dataclass(frozen=True, eq=False)
class View:
    """What all rows hold, and a sample of them, with the label where there is a target.

    Parameters
    ----------
    table : Table
        The whole.
    profile : Profile
        What every column that is not private holds, over all rows.
    sample : pandas.DataFrame
        Some rows of these columns, with and without a label, in the order of the source.
    schema : Schema
        The columns in `X`.
    problem : Problem or None
        The question, on all labelled rows; None without a target.
    X : pandas.DataFrame
        Sampled rows, in the order of the source; labelled ones where there is a target.
    y : numpy.ndarray or None
        Their labels as codes or numbers.
    sources : pandas.DataFrame
        Numbers that the target is made from, on the same rows; the target itself for regression.
    time : numpy.ndarray or None
        Their moments.
    """

    table: Table
    profile: Profile
    sample: pd.DataFrame
    schema: Schema
    problem: Problem | None
    X: pd.DataFrame
    y: npt.NDArray[Any] | None
    sources: pd.DataFrame
    time: npt.NDArray[np.datetime64] | None


def view_of(table: Table, problem: Problem | None, *, private: tuple[str, ...], seed: int) -> View:
    """Count over all rows, and sample about 50,000 of them at most.

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
    public = Schema(tuple(column for column in table.schema if column.name not in private and not column.private))
    sample: pd.DataFrame = table.frame.pandas(_everything(public, table.n_rows, seed))
    profile = profile_of(table, public, sample)
    if problem is None:
        return View(table, profile, sample, public, None, sample, None, pd.DataFrame(index=sample.index), None)
    rows = np.sort(np.random.default_rng(seed).permutation(problem.n_rows)[:_SAMPLE])
    chosen = problem.rows(rows)
    return View(
        table=table,
        profile=profile,
        sample=sample,
        schema=problem.schema,
        problem=problem,
        X=chosen.X.reset_index(drop=True),
        y=chosen.y,
        sources=_sources(problem, rows),
        time=chosen.time,
    )


def _everything(schema: Schema, n_rows: int, seed: int) -> str:
    columns = ", ".join(quoted(name) for name in schema.names)
    share = max(1, -(-n_rows // _SAMPLE))
    return " ".join(("SELECT", columns, "FROM rows WHERE", one_in(share, seed), "ORDER BY rowid"))


def _sources(problem: Problem, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    if problem.task == "regression":
        return pd.DataFrame({"the target": problem.y[rows].astype(np.float64)})
    numeric = [name for name in problem.target_columns if problem.table.schema[name].kind == "number"]
    if not numeric:
        return pd.DataFrame(index=range(len(rows)))
    columns = ", ".join(quoted(name) for name in numeric)
    frame: pd.DataFrame = problem.table.frame.pandas(labelled(columns, problem.target_sql))
    return frame.iloc[rows].reset_index(drop=True) if len(frame) == problem.n_rows else frame.iloc[:0]
