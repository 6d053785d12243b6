"""From raw values to canonical ones, and the counts of a schema over them."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import msgspec

from shiplap.adapters.frames.facts import Asked
from shiplap.adapters.frames.infer import Found, is_number
from shiplap.adapters.frames.session import literal, quoted
from shiplap.core.schema import Column, Schema

__all__ = ["MANY", "canonical", "counted", "natural"]

MANY = 10_000
"""Categories beyond which a column's vocabulary is not listed, and its distinct values are counted roughly."""

_TYPES = {"number": "DOUBLE", "boolean": "BOOLEAN", "date": "TIMESTAMP"}


def canonical(found: Found) -> str:
    """Return SQL for the canonical values of a column, of the type that belongs to its kind."""
    column, name = found.column, quoted(found.column.name)
    if found.raw == "VARCHAR" or found.raw.startswith("ENUM"):
        return _of_text(found, _without(f"CAST({name} AS VARCHAR)" if found.raw != "VARCHAR" else name, column.missing))
    value = _without_typed(name, found)
    if column.kind == "boolean" and found.raw != "BOOLEAN":
        return f"({value} = 1)"
    if column.kind == "date" and found.raw.endswith("WITH TIME ZONE"):
        return f"CAST({value} AT TIME ZONE 'UTC' AS TIMESTAMP)"
    if column.kind in _TYPES:
        return f"CAST({value} AS {_TYPES[column.kind]})"
    if found.raw.endswith("]") or found.raw.startswith(("STRUCT", "MAP", "UNION")):
        return f"CAST(to_json({value}) AS VARCHAR)"
    if found.raw in ("FLOAT", "DOUBLE") or found.raw.startswith("DECIMAL"):
        whole = f"try_cast({value} AS HUGEINT)"
        return f"CASE WHEN {whole} = {value} THEN CAST({whole} AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"
    return f"CAST({value} AS VARCHAR)"


def natural(found: Found) -> str:
    """Return SQL for the values of a column in the type a person would give it in a query: whole numbers stay whole."""
    column, name = found.column, quoted(found.column.name)
    if found.raw != "VARCHAR":
        return _without_typed(name, found)
    if column.dtype in ("BIGINT", "DOUBLE"):
        return f"CAST({_without(name, column.missing)} AS {column.dtype})"
    if column.kind == "date" and column.dtype == "DATE":
        return f"CAST({canonical(found)} AS DATE)"
    return canonical(found)


def counted(session: Asked, found: list[Found], n_rows: int) -> Schema:
    """Complete the schema with counts over the canonical ``rows``: missing, distinct, categories, range."""
    columns = []
    for start in range(0, len(found), 200):
        part = [one.column for one in found[start : start + 200]]
        asked = [
            f"count({name}), approx_count_distinct({name}), "
            + (f"min({name}), max({name})" if column.kind in ("number", "date") else "NULL, NULL")
            for column in part
            for name in [quoted(column.name)]
        ]
        row = session.one(f"SELECT {', '.join(asked)} FROM rows")
        told = [row[4 * i : 4 * i + 4] for i in range(len(part))]
        few = [column.name for column, one in zip(part, told, strict=True) if _is_few(column, one[1])]
        asked = [f"count(DISTINCT {quoted(name)})" for name in few]
        exact = dict(zip(few, session.one(f"SELECT {', '.join(asked)} FROM rows"), strict=True)) if few else {}
        columns += [
            _counted(session, column, n_rows, one, exact.get(column.name))
            for column, one in zip(part, told, strict=True)
        ]
    return Schema(tuple(columns))


def _is_few(column: Column, about: int) -> bool:
    """Tell whether the distinct values of a column are counted exactly by a query, not by listing them."""
    return column.kind != "category" and about <= 1.2 * MANY


def _counted(session: Asked, column: Column, n_rows: int, row: tuple[Any, ...], exact: int | None) -> Column:
    present, distinct, low, high = row
    name = quoted(column.name)
    categories: tuple[str, ...] = ()
    if column.kind == "category" and distinct <= 1.2 * MANY:
        listed = session.fetch(
            f"SELECT {name} FROM rows WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {MANY + 1}"
        )
        categories = tuple(value for (value,) in listed) if len(listed) <= MANY else ()
        distinct = len(categories) or distinct
    elif exact is not None:
        distinct = exact
    return msgspec.structs.replace(
        column,
        nullable=present < n_rows,
        n_missing=n_rows - present,
        n_distinct=min(distinct, present),
        categories=categories,
        low=_bound(low),
        high=_bound(high),
    )


def _bound(value: Any) -> float | str | None:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None:
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def _of_text(found: Found, value: str) -> str:
    column = found.column
    if column.kind == "number":
        return f"CAST({value} AS DOUBLE)"
    if column.kind == "boolean":
        yes, no = literal(column.true), literal(column.false)
        return f"CASE WHEN list_contains({yes}, {value}) THEN true WHEN list_contains({no}, {value}) THEN false END"
    if column.kind != "date":
        return value
    trimmed = f"trim({value}, E' \\t\\r\\n')"
    if column.format:
        return f"strptime({trimmed}, {literal(column.format)})"
    if found.zoned:
        return f"CAST(CAST({trimmed} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP)"
    return f"CAST({trimmed} AS TIMESTAMP)"


def _without(value: str, missing: tuple[str, ...]) -> str:
    if not missing:
        return value
    listed = f"({', '.join(literal(text) for text in missing)})"
    return f"CASE WHEN {value} NOT IN {listed} THEN {value} END"


def _without_typed(name: str, found: Found) -> str:
    value = f"nullif({name}, 'nan')" if found.raw in ("FLOAT", "DOUBLE") else name
    numbers = [number for text in found.column.missing if (number := _number(text)) is not None]
    if numbers and is_number(found.raw):
        return f"CASE WHEN {value} NOT IN ({', '.join(map(repr, numbers))}) THEN {value} END"
    return value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
