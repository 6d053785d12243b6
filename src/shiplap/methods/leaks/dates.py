"""Dates that lie after the moment of the decision."""

from __future__ import annotations

import numpy as np

from shiplap.core.finding import Finding
from shiplap.methods.leaks.found import suspect
from shiplap.methods.leaks.sample import Sample

__all__ = ["later_dates"]

_SHARE = 0.01
_FEWEST = 20


def later_dates(sample: Sample) -> list[Finding]:
    """Ask of dates that lie after the time column whether they were planned or written down later.

    Parameters
    ----------
    sample : Sample
        The rows; without a time column there is nothing to compare with.

    Returns
    -------
    list of Finding
        ``leak.later``, ``warn``: a contract's end lies in the future too, and is known.
    """
    problem = sample.problem
    if problem.time is None:
        return []
    moment = problem.time[sample.rows]
    found = []
    for name in sample.tried:
        if problem.schema[name].kind != "date" or name == problem.brief.time:
            continue
        values = sample.X[name].to_numpy().astype("datetime64[ns]")
        known = ~np.isnat(values) & ~np.isnat(moment)
        share = float(np.mean(values[known] > moment[known])) if known.sum() >= _FEWEST else 0.0
        if share <= _SHARE:
            continue
        after = np.median((values - moment)[known & (values > moment)].astype("timedelta64[m]").astype(np.float64))
        span = f"{after / 1440:,.0f} days" if after >= 1440 else f"{after:,.0f} minutes"
        means = f"'{name}' lies after '{problem.brief.time}' on {share:.0%} of the rows, by {span} in the middle"
        settle = f"columns.{name}.known_at"
        todo = f'if it is written down afterwards, say {settle} = "later"; if it was planned before, "decision"'
        found.append(suspect("leak.later", "warn", name, means, todo=todo, value=share, limit=_SHARE))
    return found
