"""One column of two tables, counted in the same bins where the rows lie: only the counts come back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.schema import Column
from shiplap.core.table import Table

__all__ = ["Tally", "tally_numbers", "tally_values"]

Ints: TypeAlias = npt.NDArray[np.int64]
Edges: TypeAlias = npt.NDArray[Any]
_BINS, _FEW_VALUES, _MOST_VALUES = 16, 24, 10_000


@dataclass(frozen=True, eq=False)
class Tally:
    """Rows of two tables by the value of one column.

    Parameters
    ----------
    names : tuple of str
        What each bin holds.
    first, second : numpy.ndarray of int64, shape (n_bins,)
        Rows of each table in each bin.
    missing : tuple of int
        Rows of each table on which it is missing.
    ends : tuple of str
        Where the bins have an order, the upper ends of all but the last.
    """

    names: tuple[str, ...]
    first: Ints
    second: Ints
    missing: tuple[int, int]
    ends: tuple[str, ...] = ()


def tally_values(tables: tuple[Table, Table], sql: tuple[str, str]) -> Tally:
    """Count the rows of two tables by the values of a column of words, the most frequent first.

    Values beyond the 10,000 most frequent of a table share a bin.

    Parameters
    ----------
    tables : pair of Table
        Whose rows are counted.
    sql : pair of str
        The column in each, as SQL.

    Examples
    --------
    >>> from shiplap.adapters.frames import read
    >>> tables = read({"sort": ["a", "a", "b", "a"]}), read({"sort": ["b", "c", "b", None]})
    >>> found = tally_values(tables, ('"sort"', '"sort"'))
    >>> found.names, found.first.tolist(), found.second.tolist(), found.missing
    (('a', 'b', 'c'), [3, 1, 0], [0, 2, 1], (0, 1))
    """
    counted = [_values(table, value) for table, value in zip(tables, sql, strict=True)]
    missing = (counted[0].pop(None, 0), counted[1].pop(None, 0))
    known = {str(value) for counts in counted for value in counts}
    total = {value: sum(counts.get(value, 0) for counts in counted) for value in known}
    names = tuple(sorted(known, key=lambda value: (-total[value], value)))
    sides = [np.array([counts.get(value, 0) for value in names], np.int64) for counts in counted]
    rest = [table.n_rows - int(side.sum()) - gone for table, side, gone in zip(tables, sides, missing, strict=True)]
    if max(rest) > 0:
        names, sides = (*names, "all others"), [np.append(side, more) for side, more in zip(sides, rest, strict=True)]
    return Tally(names, sides[0], sides[1], missing)


def _values(table: Table, sql: str) -> dict[str | None, int]:
    query = f"SELECT {sql} AS value, count(*) AS n FROM rows GROUP BY {sql}"  # noqa: S608  (names are quoted)
    rows = table.frame.fetch(f"{query} ORDER BY n DESC, value LIMIT {_MOST_VALUES}")
    return {row[0]: int(row[1]) for row in rows}


def tally_numbers(
    tables: tuple[Table, Table],
    sql: tuple[str, str],
    samples: tuple[pd.Series, pd.Series],
    columns: tuple[Column, Column] | None = None,
) -> Tally:
    """Count the rows of two tables by bins of a column of numbers or dates.

    Parameters
    ----------
    tables : pair of Table
        Whose rows are counted.
    sql : pair of str
        The column in each, as SQL.
    samples : pair of pandas.Series
        Values (float64 or datetime64) that settle the bins: equal shares of both samples, or single values where
        there are few.
    columns : pair of Column, optional
        Where their ranges are known, what lies outside the range of the first has bins of its own.

    Examples
    --------
    >>> from shiplap.adapters.frames import read
    >>> tables = read({"size": [1.0, 2.5, 3.5, 2.5]}), read({"size": [2.5, 4.5, 4.5, None]})
    >>> samples = tuple(table.frame.pandas('SELECT "size" FROM rows')["size"] for table in tables)
    >>> found = tally_numbers(tables, ('"size"', '"size"'), samples)
    >>> found.names, found.first.tolist(), found.second.tolist(), found.missing
    (('1', '2.5', '3.5', '4.5'), [1, 2, 1, 0], [0, 1, 0, 2], (0, 1))
    """
    edges, names = _edges(samples, columns)
    first, second = (_in_bins(table, value, edges) for table, value in zip(tables, sql, strict=True))
    ends = tuple(_shown(edge) for edge in edges)
    return Tally(names, first[:-1], second[:-1], (int(first[-1]), int(second[-1])), ends)


def _in_bins(table: Table, sql: str, edges: Edges) -> Ints:
    """Count rows by bin; the last count is of the missing."""
    case = _case([_literal(edge) for edge in edges], 0, len(edges), sql)
    place = f"CASE WHEN {sql} IS NULL THEN {len(edges) + 1} ELSE {case} END AS place"
    counts = np.zeros(len(edges) + 2, np.int64)
    query = f"SELECT place, count(*) FROM (SELECT {place} FROM rows) AS cut GROUP BY place"  # noqa: S608  (quoted)
    for bin_, n in table.frame.fetch(query):
        counts[int(bin_)] = int(n)
    return counts


def _edges(
    samples: tuple[pd.Series, pd.Series], columns: tuple[Column, Column] | None
) -> tuple[Edges, tuple[str, ...]]:
    """Choose the upper ends of all bins but the last."""
    known = np.sort(np.concatenate([sample.dropna().to_numpy() for sample in samples]))
    known = known[np.isfinite(known)] if known.dtype.kind == "f" else known
    values = np.unique(known)
    if len(values) <= _FEW_VALUES:
        return values[:-1], tuple(_shown(value) for value in values) or ("any",)
    ranks = (np.arange(1, _BINS) * len(known)) // _BINS
    edges = np.unique(known[ranks])
    if columns and known.dtype.kind == "f":
        edges = np.unique([*edges, *_outside(columns)])
    names = [f"up to {_shown(edges[0])}"]
    names += [f"{_shown(low)} to {_shown(high)}" for low, high in pairwise(edges)]
    return edges, (*names, f"above {_shown(edges[-1])}")


def _outside(columns: tuple[Column, Column]) -> list[float]:
    """Edges just outside the range of the first table, where the second has rows there."""
    first, second = columns
    if not all(isinstance(end, float | int) for column in columns for end in (column.low, column.high)):
        return []
    low, high = (float(end) for end in (first.low, first.high))  # type: ignore[arg-type]
    edges = [np.nextafter(low, -np.inf)] if float(second.low) < low else []  # type: ignore[arg-type]
    return [*edges, high] if float(second.high) > high else edges  # type: ignore[arg-type]


def _case(edges: list[str], low: int, high: int, sql: str) -> str:
    """Find the bin by halving: as many comparisons a row as the bins have binary digits."""
    if low == high:
        return str(low)
    middle = (low + high) // 2
    lower, upper = _case(edges, low, middle, sql), _case(edges, middle + 1, high, sql)
    return f"CASE WHEN {sql} <= {edges[middle]} THEN {lower} ELSE {upper} END"


def _literal(edge: Any) -> str:
    if isinstance(edge, np.datetime64):
        return f"TIMESTAMP '{str(edge.astype('datetime64[us]')).replace('T', ' ')}'"
    text = f"{float(edge):.17g}"
    return text if "e" in text else f"{text}e0"  # with an exponent it is a double everywhere


def _shown(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[m]")).replace("T00:00", "").replace("T", " ")
    return f"{float(value):.6g}"
