"""Forecasts: each row is answered from what its series held some steps before, and judged against naive forecasts.

The last value and the value one season ago are what every forecast must beat (Hyndman and Koehler 2006, "Another look
at measures of forecast accuracy", International Journal of Forecasting 22). A model learns what is left of the better
of them, so that it follows a trend beyond what it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.errors import BriefError, TableError
from shiplap.core.finding import Finding
from shiplap.core.schema import Column, Schema
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split
from shiplap.methods.steps import Steps, steps_of
from shiplap.scientist.assess.entrants import entered, fitted

__all__ = ["Forecast", "forecast_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
_LAGS = 3
_MEAN_OVER = 4
_FEWEST = 60


@dataclass(frozen=True, eq=False)
class Forecast:
    """A question about the future of series, as rows.

    Parameters
    ----------
    problem : Problem
        The rows that have a past, with that past as columns. No series is kept out: each is answered from its own.
    naive : dict of str to numpy.ndarray of shape (n_rows,)
        Forecasts that need no learning, by name.
    """

    problem: Problem
    naive: dict[str, Floats]

    def simple(self, split: Split) -> list[Entrant]:
        """Let the naive forecasts compete."""
        return [
            replace(
                entered(self.problem, split, name, values[split.tune], values[split.test]), learned=False, output=None
            )
            for name, values in self.naive.items()
        ]

    def learned(self, problem: Problem, split: Split) -> list[Entrant]:
        """Let models compete that learn what the naive forecast with the least error on the train rows errs by."""
        errors = {name: float(np.abs(problem.y - values)[split.train].mean()) for name, values in self.naive.items()}
        base = self.naive[min(errors, key=lambda name: errors[name])]
        return [
            entered(problem, split, name, base[split.tune] + rest(split.tune), base[split.test] + rest(split.test))
            for name, rest in fitted(replace(problem, y=problem.y - base), split)
        ]


def forecast_of(problem: Problem) -> Forecast:
    """Lay the past of every row beside it: what the series held `horizon` steps before and earlier.

    Parameters
    ----------
    problem : Problem
        A regression with a time column; ``brief.group`` names the series where there are several.

    Returns
    -------
    Forecast
        Columns of the row itself are used only where the brief says that they are known at the decision; all others as
        they stood `horizon` steps before.

    Raises
    ------
    BriefError
        No time column, several rows of one series at one moment, or a horizon below one.
    TableError
        Too few rows have a past.
    """
    if problem.time is None:
        raise BriefError("a forecast needs a time column", hint="name it with time=...")
    horizon = problem.brief.horizon
    steps = steps_of(problem.time, problem.group)
    if steps.n_repeated:
        named = f"of '{problem.brief.group}' " if problem.brief.group else ""
        hint = "aggregate them with a query" if problem.brief.group else "name the series with group=..."
        raise BriefError(f"{steps.n_repeated:,} moments {named}hold several rows", hint=hint)
    naive = {f"the value {_spoken(steps, horizon)} before": steps.lagged(problem.y, horizon)}
    for season, name in steps.seasons:
        count = -(-horizon // season)
        if season * count != horizon and 2 * season * count < steps.span:
            spoken = f"one {name}" if count == 1 else f"{count} {name}s"
            naive[f"the value {spoken} before"] = steps.lagged(problem.y, season * count)
    kept = np.flatnonzero(np.all([np.isfinite(values) for values in naive.values()], axis=0))
    if len(kept) < _FEWEST:
        raise TableError(f"{len(kept)} rows have a past of {steps.span} steps; a forecast needs {_FEWEST}")
    X = _features(problem, steps, horizon, naive)
    schema = Schema(tuple(_column(str(name), X[name]) for name in X.columns))
    said = Finding(
        check="forecast.rows",
        verdict="note",
        means=f"rows are forecast {_spoken(steps, horizon)} ahead; {len(kept):,} of {problem.n_rows:,} have a past",
        value=len(kept),
    )
    whole_problem = replace(problem, X=X, schema=schema, group=None, findings=(*problem.findings, said))
    return Forecast(whole_problem.rows(kept), {name: values[kept] for name, values in naive.items()})


def _features(problem: Problem, steps: Steps, horizon: int, naive: dict[str, Floats]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    columns |= dict(naive)
    for lag in range(horizon + 1, horizon + _LAGS):
        columns[f"the value {_spoken(steps, lag)} before"] = steps.lagged(problem.y, lag)
    past = np.column_stack([steps.lagged(problem.y, horizon + lag) for lag in range(_MEAN_OVER)])
    columns[f"the mean of {_MEAN_OVER} values before"] = past.mean(axis=1)
    columns |= steps.calendar
    known = {name for name, column in problem.brief.columns.items() if column.known_at == "decision"}
    for name in problem.X.columns:
        if name == problem.brief.time:
            continue
        if name in known:
            columns[str(name)] = problem.X[name].to_numpy()
        elif problem.X[name].dtype.kind == "f":
            columns[f"{name}, {_spoken(steps, horizon)} before"] = steps.lagged(problem.X[name].to_numpy(), horizon)
    if problem.group is not None:
        columns["series"] = problem.group.astype(np.float64)
    return pd.DataFrame(columns)


def _column(name: str, values: pd.Series) -> Column:
    numeric = values.dtype.kind == "f"
    return Column(
        name=name,
        kind="number" if numeric else "category",
        dtype="DOUBLE" if numeric else "VARCHAR",
        nullable=True,
        n_missing=int(values.isna().sum()),
        n_distinct=int(values.nunique()),
    )


def _spoken(steps: Steps, count: int) -> str:
    return f"{count} {steps.unit}" if count == 1 else f"{count} {steps.unit}s"
