"""From a table to its profile: three passes over all rows; a sample says where to cut."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from shiplap.core.schema import Column, Schema
from shiplap.core.table import Table
from shiplap.methods.query import quoted
from shiplap.scientist.explore.profile import queries
from shiplap.scientist.explore.profile.records import ColumnProfile, Dates, Lengths, Numbers, Profile, Value
from shiplap.scientist.explore.profile.tally import Scale, Tally, scale_of

__all__ = ["profile_of"]

_FEW = 2_000
"""Distinct values up to which all of them are counted."""
_FREQUENT = 20
_OFTEN = 3
_MOST_DAYS = 40_000
_FACTS_AT_ONCE, _KEYS_AT_ONCE = 700, 8
"""Groups that are counted in one pass: each takes memory of its own."""


def profile_of(table: Table, schema: Schema, sample: pd.DataFrame) -> Profile:
    """Measure what columns hold over all rows.

    Parameters
    ----------
    table : Table
        The rows.
    schema : Schema
        The columns to look at.
    sample : pandas.DataFrame
        Some rows of these columns: they tell how wide bins are and which values are frequent; nothing is counted on
        them.

    Returns
    -------
    Profile
        Counts are exact. Quantiles of columns with more than 2,000 values are off by a hundredth of a quarter of the
        range between the quartiles, or of their distance to the median where that is more, at most.
    """
    facts = [queries.facts(column) for column in schema]
    told = _facts(table, [expression for expressions in facts for expression in expressions])
    counters = [_Counter.of(column, sample[column.name]) for column in schema]
    counts = _tallies(table, [key for counter in counters for key in counter.keys])
    columns = []
    for column, asked, counter in zip(schema, facts, counters, strict=True):
        row = [told.pop(0) for _ in asked]
        columns.append(_profiled(column, table.n_rows, row, counter, [counts.pop(0) for _ in counter.keys]))
    duplicates = int(table.frame.fetch(queries.duplicates_query(table.schema.names))[0][0])
    return Profile(table.n_rows, duplicates, tuple(columns))


def _facts(table: Table, expressions: list[str]) -> list[Any]:
    told: list[Any] = []
    for start in range(0, len(expressions), _FACTS_AT_ONCE):
        told += table.frame.fetch(queries.facts_query(expressions[start : start + _FACTS_AT_ONCE]))[0]
    return told


@dataclass(frozen=True)
class _Counter:
    """How one column is counted: the keys of its groups."""

    keys: list[str] = field(default_factory=list)
    complete: bool = False
    scale: Scale | None = None
    unit: str = ""

    @classmethod
    def of(cls, column: Column, sample: pd.Series) -> _Counter:
        name = quoted(column.name)
        if column.kind == "date":
            unit = "day" if min(_days(column), column.n_distinct) <= _MOST_DAYS else "month"
            return cls([queries.piece(name, unit), queries.hour_of_week(name)], unit=unit)
        if column.kind not in ("number", "boolean", "category", "constant"):
            return cls()
        if column.n_distinct <= _FEW:
            return cls([name], complete=True)
        frequent = _frequent(column, sample)
        keys = [queries.among(name, frequent)] if frequent else ["NULL"]
        if column.kind == "number":
            scale = scale_of(sample.dropna().to_numpy(np.float64))
            return cls([*keys, scale.sql(name)], scale=scale)
        return cls(keys)


def _days(column: Column) -> float:
    low, high = (np.datetime64(str(bound), "D") for bound in (column.low or "NaT", column.high or "NaT"))
    return 0.0 if np.isnat(low) else float((high - low).astype(np.int64))


def _frequent(column: Column, sample: pd.Series) -> list[str]:
    """Return the values that a sample holds repeatedly, as SQL literals."""
    counts = sample.value_counts()
    values = [value for value, rows in counts.iloc[:_FREQUENT].items() if rows >= _OFTEN]
    if column.kind == "number":
        return [f"{number:.17e}" for number in map(float, map(str, values)) if math.isfinite(number)]
    return ["'" + str(value).replace("'", "''") + "'" for value in values]


def _tallies(table: Table, keys: list[str]) -> list[list[tuple[Any, int]]]:
    """Count by every key: for each, pairs of value and rows, missing left out."""
    counts: list[list[tuple[Any, int]]] = []
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        found: list[list[tuple[Any, int]]] = [[] for _ in some]
        for *values, rows in table.frame.fetch(queries.tallies_query(some)):
            for place, value in enumerate(values):
                if value is not None:
                    found[place].append((value, int(rows)))
        counts += found
    return counts


def _profiled(
    column: Column, n_rows: int, told: list[Any], counter: _Counter, counts: list[list[tuple[Any, int]]]
) -> ColumnProfile:
    numbers = lengths = None
    if column.kind == "number":
        numbers = _numbers(n_rows - column.n_missing, told, counter, counts)
    elif told and told[0] is not None:
        lengths = Lengths(int(told[0]), float(told[1]), int(told[2]))
    return ColumnProfile(
        column=column,
        n_rows=n_rows,
        values=_values(counts[0]) if counts and not counter.unit else (),
        complete=counter.complete,
        numbers=numbers,
        dates=_dates(counter.unit, *counts) if counter.unit else None,
        lengths=lengths,
    )


def _values(counts: list[tuple[Any, int]]) -> tuple[Value, ...]:
    ranked = sorted(((_shown(value), rows) for value, rows in counts), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Value(shown, rows) for shown, rows in ranked)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _numbers(n_present: int, told: list[Any], counter: _Counter, counts: list[list[tuple[Any, int]]]) -> Numbers:
    n_finite, low, high, mean, sd = told
    low, high, mean, sd = (math.nan if value is None else float(value) for value in (low, high, mean, sd))
    finite = [(value, rows) for value, rows in counts[-1] if math.isfinite(value)]
    bins, rows = [float(value) for value, _ in finite], [rows for _, rows in finite]
    tally = Tally.of_bins(bins, rows, counter.scale, low, high) if counter.scale else Tally.of_values(bins, rows)
    return Numbers(mean, sd, low, high, n_present - int(n_finite), tally)


def _dates(unit: str, pieces: list[tuple[Any, int]], hours: list[tuple[Any, int]]) -> Dates:
    ordered = sorted(pieces)
    by_hour = Counter({int(hour) - 24: rows for hour, rows in hours})
    return Dates(
        unit=unit,
        starts=np.array([np.datetime64(start, "s") for start, _ in ordered], "datetime64[s]"),
        rows=np.array([rows for _, rows in ordered], np.int64),
        week=np.array([by_hour[hour] for hour in range(7 * 24)], np.int64).reshape(7, 24),
    )
