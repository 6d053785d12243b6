"""The queries of a profile: aggregates over the relation ``rows`` that DuckDB, PostgreSQL and Spark answer alike."""

from __future__ import annotations

from collections.abc import Sequence

from shiplap.core.schema import Column
from shiplap.methods.query import quoted

__all__ = ["among", "duplicates_query", "facts", "facts_query", "hour_of_week", "piece", "tallies_query"]

_FINITE = "abs({0}) <= 1.7976931348623157e308"
_SUMMED = "abs({0}) <= 1e150"


def facts(column: Column) -> tuple[str, ...]:
    """Return the aggregates that belong to a column's kind: count, range and moments of finite numbers, lengths."""
    name = quoted(column.name)
    if column.kind == "number":
        finite, summed = (f"CASE WHEN {test.format(name)} THEN {name} END" for test in (_FINITE, _SUMMED))
        return (f"count({finite})", f"min({finite})", f"max({finite})", f"avg({summed})", f"stddev_samp({summed})")
    if column.kind in ("category", "text", "id"):
        return (f"min(length({name}))", f"avg(length({name}))", f"max(length({name}))")
    return ()


def facts_query(expressions: Sequence[str]) -> str:
    """Ask for aggregates over all rows, in one pass."""
    return " ".join(("SELECT", ", ".join(expressions), "FROM rows"))


def tallies_query(keys: Sequence[str]) -> str:
    """Count the rows by each of several keys, in one pass.

    Every row of the answer holds one value of one key, NULL for the other keys, and the count at the end. A key that
    is NULL gives a row without any.

    Examples
    --------
    >>> tallies_query(['"plan"'])
    'SELECT k0, count(*) AS n FROM (SELECT "plan" AS k0 FROM rows) AS keyed GROUP BY GROUPING SETS ((k0))'
    """
    names = [f"k{place}" for place in range(len(keys))]
    named = ", ".join(f"{key} AS {name}" for key, name in zip(keys, names, strict=True))
    sets = ", ".join(f"({name})" for name in names)
    counted = ("SELECT", ", ".join(names) + ", count(*) AS n FROM (SELECT", named, "FROM rows) AS keyed")
    return " ".join((*counted, f"GROUP BY GROUPING SETS ({sets})"))


def among(value: str, candidates: Sequence[str]) -> str:
    """Return a key that counts some values of a column, given as SQL literals."""
    return f"CASE WHEN {value} IN ({', '.join(candidates)}) THEN {value} END"


def piece(value: str, unit: str) -> str:
    """Return a key that counts moments by ``day`` or ``month``."""
    return f"date_trunc('{unit}', {value})"


def hour_of_week(value: str) -> str:
    """Return a key that counts moments by weekday and hour: 24 on Monday from 0 to 1, 191 on Sunday from 23 to 24."""
    return f"isodow({value}) * 24 + extract(hour FROM {value})"


def duplicates_query(names: Sequence[str]) -> str:
    """Ask how many rows repeat an earlier one in every column."""
    columns = ", ".join(quoted(name) for name in names)
    return " ".join(("SELECT", f"count(*) - count(DISTINCT hash({columns}))", "FROM rows"))
