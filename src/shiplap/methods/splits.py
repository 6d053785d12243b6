"""Honest splits: what the verdict is computed on was used for nothing else.

Time-ordered with a time column (test on the future), by group with a group column (no group on two sides), both with
both, stratified otherwise. Three parts: *train* fits, *tune* stops, calibrates and sets thresholds, *test* judges.
Why random splits flatter where rows depend on each other: Roberts et al. (2017), "Cross-validation strategies for
data with temporal, spatial, hierarchical, or phylogenetic structure", Ecography 40.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.errors import BriefError, TableError
from shiplap.core.finding import Finding
from shiplap.methods.question import Problem

__all__ = ["Split", "by_group", "by_stratum", "by_time", "honest_split"]

Positions: TypeAlias = npt.NDArray[np.int64]
_SHARES = (0.6, 0.2, 0.2)
_SIXTH = 1 / 6
_LEAST = 5
_COUNTS = np.datetime64("1979-07-05", "ns")
"""Numbers of seconds before this moment count something else than seconds since 1970."""


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the rows of each part, each sorted; no row is in two.

    Parameters
    ----------
    train, tune, test : numpy.ndarray of int64
        Positions.
    kind : {"time", "group", "stratified"}
        How it was made.
    finding : Finding
        The same in words.
    """

    train: Positions
    tune: Positions
    test: Positions
    kind: Literal["time", "group", "stratified"]
    finding: Finding


def by_time(time: npt.NDArray[np.datetime64], test_from: str = "") -> tuple[Positions, Positions, Positions]:
    """Split by moments: every train row lies before every tune row, and every tune row before every test row.

    Parameters
    ----------
    time : numpy.ndarray of datetime64[ns], shape (n_rows,)
        Rows without a moment (NaT) come into no part.
    test_from : str
        First moment of the test rows, ISO 8601. The last sixth of the span when empty, or of the rows where a sixth
        of the span holds under 5 % or over half of them.

    Raises
    ------
    BriefError
        `test_from` is no moment, or leaves a side empty.

    Examples
    --------
    >>> train, tune, test = by_time(np.arange("2024-01-01", "2024-01-13", dtype="datetime64[D]"))
    >>> len(train), len(tune), test.tolist()
    (8, 2, [10, 11])
    """
    known = np.flatnonzero(~np.isnat(time))
    if not len(known):
        raise BriefError("the time column has no value", hint="name another time column")
    moments = time[known].astype("datetime64[ns]")
    if test_from:
        cut = _moment(test_from)
        if not (moments < cut).any() or not (moments >= cut).any():
            low, high = (str(edge)[:10] for edge in (moments.min(), moments.max()))
            raise BriefError(f"test_from {test_from} leaves a side empty", hint=f"the rows run from {low} to {high}")
    else:
        cut = _last_sixth(moments)
    early = moments[moments < cut]
    if not len(early):
        raise BriefError("all rows carry the same moment", hint="leave time out, or name a finer time column")
    middle = _last_sixth(early)
    return known[moments < middle], known[(moments >= middle) & (moments < cut)], known[moments >= cut]


def by_group(group: npt.NDArray[np.int64], *, seed: int = 0) -> tuple[Positions, Positions, Positions]:
    """Split by whole groups, about 60 / 20 / 20 by rows: no group lies in two parts.

    Raises
    ------
    BriefError
        There are fewer than three groups.

    Examples
    --------
    >>> parts = by_group(np.repeat(np.arange(10), 5))
    >>> sorted(len(part) for part in parts)
    [10, 10, 30]
    """
    sizes = np.bincount(group)
    groups = np.flatnonzero(sizes)
    if len(groups) < 3:
        raise BriefError(f"{len(groups)} groups cannot be split three ways", hint="name another group column")
    shuffled = np.random.default_rng(seed).permutation(groups)
    reached = (np.cumsum(sizes[shuffled]) - sizes[shuffled] / 2) / sizes.sum()
    part = np.searchsorted(np.cumsum(_SHARES)[:2], reached, side="right")
    part[0], part[-1] = 0, 2
    if not (part == 1).any():
        part[-2] = 1
    side = np.zeros(len(sizes), np.int64)
    side[shuffled] = part
    return tuple(np.flatnonzero(side[group] == which) for which in range(3))  # type: ignore[return-value]


def by_stratum(stratum: npt.NDArray[np.int64], *, seed: int = 0) -> tuple[Positions, Positions, Positions]:
    """Split at random, 60 / 20 / 20 within every stratum.

    Examples
    --------
    >>> parts = by_stratum(np.repeat([0, 1], [40, 10]))
    >>> [np.bincount(np.repeat([0, 1], [40, 10])[part]).tolist() for part in parts]
    [[24, 6], [8, 2], [8, 2]]
    """
    order = np.random.default_rng(seed).permutation(len(stratum))
    grouped = order[np.argsort(stratum[order], kind="stable")]
    sizes = np.bincount(stratum)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = (np.arange(len(stratum)) - start + 0.5) / np.repeat(sizes, sizes)
    part = np.searchsorted(np.cumsum(_SHARES)[:2], place, side="right")
    return tuple(np.sort(grouped[part == which]) for which in range(3))  # type: ignore[return-value]


def honest_split(problem: Problem) -> Split:
    """Split a problem the way its rows depend on each other.

    Raises
    ------
    BriefError
        The time or group column cannot split it.
    TableError
        A part would hold too few rows, or the train part one class only.

    Examples
    --------
    >>> from shiplap.methods.question import pose
    >>> problem = pose({"age": [21.0, 35.0, 47.0, 58.0] * 20, "left": ["no", "no", "no", "yes"] * 20},
    ...                question={"target": "left"})
    >>> split = honest_split(problem)
    >>> split.kind, len(split.train), len(split.tune), len(split.test)
    ('stratified', 48, 16, 16)
    """
    brief = problem.brief
    if problem.time is not None:
        train, tune, test = by_time(problem.time, brief.test_from)
        if problem.group is not None:
            tune = tune[~np.isin(problem.group[tune], problem.group[train])]
            test = test[~np.isin(problem.group[test], problem.group[np.concatenate([train, tune])])]
            if not len(tune) or not len(test):
                raise BriefError(
                    f"no '{brief.group}' is new in the later rows: none is left to test on",
                    hint="leave time or group out, whichever the model will not meet",
                )
        said = _time_finding(problem, train, tune, test)
        return _checked(problem, Split(train, tune, test, "time", said))
    if problem.group is not None:
        parts = by_group(problem.group, seed=brief.seed)
        means = f"no '{brief.group}' is on two sides: {_sizes(parts)}"
        return _checked(problem, Split(*parts, "group", Finding(check="split", verdict="good", means=means)))
    parts = by_stratum(_strata(problem), seed=brief.seed)
    means = f"rows are split at random, equal in the target: {_sizes(parts)}"
    dated = [column.name for column in problem.schema if column.kind == "date"]
    todo = f"state time='{dated[0]}' if the model will answer about the future" if dated else ""
    finding = Finding(check="split", verdict="warn" if dated else "good", means=means, todo=todo)
    return _checked(problem, Split(*parts, "stratified", finding))


def _moment(text: str) -> np.datetime64:
    try:
        stamp = pd.Timestamp(text)
    except ValueError as error:
        raise BriefError(f"test_from '{text}' is not a moment", hint="write it as 2013-11-01") from error
    return (stamp.tz_convert("UTC").tz_localize(None) if stamp.tzinfo else stamp).to_datetime64()


def _last_sixth(moments: npt.NDArray[np.datetime64]) -> np.datetime64:
    first, last = moments.min(), moments.max()
    cut: np.datetime64 = last - (last - first) // 6
    if not 0.05 <= np.mean(moments >= cut) <= 0.5:
        cut = np.sort(moments)[int(len(moments) * (1 - _SIXTH))]
    return cut


def _strata(problem: Problem) -> Positions:
    if problem.task != "regression":
        return problem.y.astype(np.int64)
    ranks = np.argsort(np.argsort(problem.y, kind="stable"), kind="stable")
    return (ranks * min(20, max(1, len(ranks) // 10)) // len(ranks)).astype(np.int64)


def _checked(problem: Problem, split: Split) -> Split:
    y, task = problem.y, problem.task
    if task != "regression":
        learned = np.unique(y[split.train])
        if len(learned) < 2:
            raise TableError("the train part holds one class only", hint="collect more rows, or split otherwise")
        known = [part[np.isin(y[part], learned)] for part in (split.tune, split.test)]
        split = Split(split.train, known[0], known[1], split.kind, split.finding)
    for name, part in (("train", split.train), ("tune", split.tune), ("test", split.test)):
        if len(part) < _LEAST:
            raise TableError(
                f"the {name} part would hold {len(part)} of {problem.n_rows:,} rows; {_LEAST} are needed",
                hint="collect more rows, or move test_from" if split.kind == "time" else "collect more rows",
            )
    return split


def _time_finding(problem: Problem, train: Positions, tune: Positions, test: Positions) -> Finding:
    since = [_since(problem, part) if len(part) else "never" for part in (tune, test)]
    nowhere = problem.n_rows - len(train) - len(tune) - len(test)
    lost = f"; {nowhere:,} rows without a moment, or of a group seen before, are in no part" if nowhere else ""
    means = f"tested on the future: tune from {since[0]}, test from {since[1]}: {_sizes((train, tune, test))}{lost}"
    return Finding(check="split", verdict="good", means=means, value=since[1])


def _since(problem: Problem, part: Positions) -> str:
    """Name the first moment of a part the way the time column writes it."""
    name, time = problem.brief.time, problem.time
    if name is None or time is None:
        return ""
    first = time[part].min()
    if problem.table.schema[name].kind == "number" and first < _COUNTS:
        return f"{name} {int(first.astype('datetime64[s]').astype(np.int64)):,}"
    return str(first)[:16].replace("T", " ")


def _sizes(parts: Any) -> str:
    return " / ".join(f"{len(part):,}" for part in parts) + " rows to train / tune / test"
