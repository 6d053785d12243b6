"""Whether errors are shared fairly between groups of people.

The rates are those of equalized odds: Hardt, Price and Srebro (2016), "Equality of opportunity in supervised
learning", NeurIPS. Which difference is unfair is for people to say; here it is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from shiplap.core.finding import Finding, Grade
from shiplap.core.report import DataTable, Figure
from shiplap.methods.bins import binned
from shiplap.methods.intervals import Interval
from shiplap.methods.part import Part
from shiplap.methods.policies import acted_on
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split

__all__ = ["fairness"]

Floats: TypeAlias = npt.NDArray[np.float64]
_FEWEST = 30
_MOST_GROUPS = 20
_LARGE = 0.05


@dataclass(frozen=True, eq=False)
class Rate:
    """One kind of error.

    Parameters
    ----------
    name : str
        In words.
    errors : numpy.ndarray of shape (n_test,)
        What each test row adds; NaN where the rate does not speak of the row.
    """

    name: str
    errors: Floats


@dataclass(frozen=True)
class Share:
    """The rate of one group, with the number of rows it rests on."""

    group: str
    n: int
    mean: float
    variance: float

    @property
    def interval(self) -> Interval:
        """95 % interval of the rate."""
        reach = float(norm.ppf(0.975)) * self.variance**0.5
        return Interval(self.mean, self.mean - reach, self.mean + reach)


def fairness(problem: Problem, split: Split, learned: Entrant) -> Part:
    """Compare error rates between the groups of each sensitive column."""
    rates = _rates(problem, split, learned)
    findings, rows, figures = [], [], []
    for column in problem.brief.sensitive:
        groups = _groups(problem.beside[column].iloc[split.test])
        for rate in rates:
            shares = _shares(rate, groups)
            findings.append(_judged(column, rate, shares))
            rows += [(column, one.group, rate.name, one.n, *_rounded(one.interval)) for one in shares]
            if len(shares) > 1:
                figures.append(_figure(column, rate, shares))
    if not rows:
        return Part(findings=tuple(findings))
    table = DataTable(
        name="fairness",
        title="Error rates by group on the test rows, with 95 % intervals",
        columns=("column", "group", "rate", "rows", "value", "low", "high"),
        rows=tuple(rows),
    )
    return Part(findings=tuple(findings), tables=(table,), figures=tuple(figures))


def _rates(problem: Problem, split: Split, learned: Entrant) -> tuple[Rate, ...]:
    if not problem.brief.sensitive or learned.output is None:
        return ()
    y = problem.y[split.test]
    if problem.ranks and learned.decisions is not None:
        acted = acted_on(problem, learned.output, np.asarray(learned.decisions) == 1, split.test)
        return (Rate("acted on, of all", acted),)
    if problem.task == "regression":
        error = np.abs(y - learned.output)
        return (Rate("absolute error, to the mean of all", error / max(float(error.mean()), np.finfo(float).tiny)),)
    if problem.task == "multiclass" or learned.decisions is None:
        return (Rate("wrong", (np.argmax(learned.output, axis=1) != y).astype(np.float64)),)
    hit, acted = y == problem.positive, learned.decisions == 1
    return (
        Rate("missed, of the positive", np.where(hit, ~acted, np.nan)),
        Rate("acted on, of the negative", np.where(hit, np.nan, acted)),
    )


def _groups(values: pd.Series) -> npt.NDArray[Any]:
    """Name the group of each row; numbers and dates are cut into quarters."""
    codes, names = binned(values.reset_index(drop=True), bins=4 if values.nunique() > _MOST_GROUPS else _MOST_GROUPS)
    return np.array(names)[codes]


def _shares(rate: Rate, groups: npt.NDArray[Any]) -> list[Share]:
    """Return the rates of the groups with at least 30 rows, the highest first."""
    known = ~np.isnan(rate.errors)
    errors = pd.Series(rate.errors[known]).groupby(groups[known])
    found = [
        _share(str(name), np.asarray(values, dtype=np.float64)) for name, values in errors if len(values) >= _FEWEST
    ]
    return sorted(found, key=lambda one: -one.mean)


def _share(name: str, errors: Floats) -> Share:
    """Let a share's variance count two more rows of each outcome: it holds near 0 and 1 (Agresti and Coull 1998)."""
    n = len(errors)
    if set(np.unique(errors)) <= {0.0, 1.0}:
        middle = (errors.sum() + 2) / (n + 4)
        return Share(name, n, float(errors.mean()), float(middle * (1 - middle) / (n + 4)))
    return Share(name, n, float(errors.mean()), float(errors.var(ddof=1) / n))


def _judged(column: str, rate: Rate, shares: list[Share]) -> Finding:
    check = f"hurdle.fairness.{column}"
    if len(shares) < 2:
        means = f"too few rows to compare '{rate.name}' between the groups of '{column}' ({_FEWEST} a group are needed)"
        return Finding(check=check, verdict="note", means=means, columns=(column,))
    most, least, gap = _widest(shares)
    verdict: Grade = "warn" if gap.low > _LARGE else "note" if gap.low > 0 else "good"
    means = (
        f"{rate.name}: {most.mean:.1%} of '{most.group}' against {least.mean:.1%} of '{least.group}' in '{column}', "
        f"{100 * gap.value:.1f} points apart ({100 * gap.low:.1f} to {100 * gap.high:.1f})"
    )
    todo = (
        "decide whether this is fair before acting; find what the model knows less well of them" if gap.low > 0 else ""
    )
    return Finding(
        check=check, verdict=verdict, means=means, todo=todo, columns=(column,), value=gap.value, limit=_LARGE
    )


def _widest(shares: list[Share]) -> tuple[Share, Share, Interval]:
    """Return the two groups that surely lie furthest apart; the intervals hold for all pairs at once (Bonferroni)."""
    pairs = list(combinations(shares, 2))
    reach = float(norm.ppf(1 - 0.025 / len(pairs)))

    def gap(one: Share, other: Share) -> Interval:
        value, half = one.mean - other.mean, reach * (one.variance + other.variance) ** 0.5
        return Interval(value, value - half, value + half)

    one, other = max(pairs, key=lambda pair: gap(*pair).low)
    return one, other, gap(one, other)


def _rounded(interval: Interval) -> tuple[float, float, float]:
    return round(interval.value, 4), round(max(0.0, interval.low), 4), round(interval.high, 4)


def _figure(column: str, rate: Rate, shares: list[Share]) -> Figure:
    return Figure(
        name=f"fairness.{column}.{rate.name.split(',')[0].replace(' ', '_')}",
        title=f"{rate.name[0].upper()}{rate.name[1:]}, by '{column}'",
        kind="interval",
        data={
            "group": [one.group for one in shares],
            "rate": [one.mean for one in shares],
            "low": [max(0.0, one.interval.low) for one in shares],
            "high": [one.interval.high for one in shares],
        },
        x="group",
        y=("rate",),
        low="low",
        high="high",
        labels={"group": column, "rate": rate.name},
    )
