"""From facts to kinds: what each column of a source holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from shiplap.adapters.frames import facts
from shiplap.adapters.frames.facts import NumberFacts, Relation, TextFacts
from shiplap.adapters.frames.patterns import AMBIGUOUS, BOOLEANS, formats_of
from shiplap.adapters.frames.session import quoted
from shiplap.core.brief import ColumnBrief
from shiplap.core.errors import TableError
from shiplap.core.schema import Column, Kind

__all__ = ["Found", "infer", "is_number", "relations"]

_WHOLE = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)
_ENOUGH = 20
"""Rows below which no column is called an id for holding no value twice."""
_LARGEST = 9_007_199_254_740_992
"""Whole numbers above this are not exact as doubles."""


@dataclass(frozen=True)
class Found:
    """What was found of one column.

    Parameters
    ----------
    column : Column
        Name, kind, dtype, markers, words for yes and no, format; the counts follow once the values are canonical.
    raw : str
        Type of the raw column in DuckDB.
    zoned : bool
        Whether its texts carry an offset from UTC.
    """

    column: Column
    raw: str
    zoned: bool = False


def relations(session: Any, relation: str) -> list[tuple[Relation, str]]:
    """Return every column of a relation, counted, with its type in DuckDB."""
    columns = session.columns(relation)
    values = {name: _values(name, raw) for name, raw in columns}
    counts: list[int] = [session.one(f"SELECT count(*) FROM {relation}")[0]]
    asked = [f"count({value}), approx_count_distinct({value})" for value in values.values()]
    for start in range(0, len(asked), 200):
        counts.extend(session.one(f"SELECT {', '.join(asked[start : start + 200])} FROM {relation}"))
    return [
        (Relation(session, relation, name, values[name], counts[0], counts[1 + 2 * i], counts[2 + 2 * i]), raw)
        for i, (name, raw) in enumerate(columns)
    ]


def is_number(raw: str) -> bool:
    """Tell whether a DuckDB type is one of numbers."""
    return raw in _WHOLE or raw in ("FLOAT", "DOUBLE") or raw.startswith("DECIMAL")


def _values(name: str, raw: str) -> str:
    column = quoted(name)
    if raw in ("FLOAT", "DOUBLE"):
        return f"nullif({column}, 'nan')"
    if raw.endswith("]") or raw.startswith(("STRUCT", "MAP", "UNION")):
        return f"CAST(to_json({column}) AS VARCHAR)"
    if raw in _WHOLE or raw in ("VARCHAR", "BOOLEAN") or raw.startswith(("DECIMAL", "DATE", "TIMESTAMP")):
        return column
    return f"CAST({column} AS VARCHAR)"


def infer(column: Relation, raw: str, told: ColumnBrief) -> Found:
    """Find out what a column holds, or check that it is what the brief says.

    Parameters
    ----------
    column : Relation
        The column.
    raw : str
        Its type in DuckDB.
    told : ColumnBrief
        What the brief says of it.

    Raises
    ------
    TableError
        The brief states a kind that some value does not fit; the message names such a value.
    """
    if raw == "VARCHAR" or raw.startswith("ENUM"):
        found = _of_text(column, told)
    elif raw == "BOOLEAN":
        found = _of_typed(column, raw, "boolean", told)
    elif raw.startswith(("DATE", "TIMESTAMP")):
        found = _of_typed(column, raw, "date", told)
    elif is_number(raw):
        found = _of_typed(column, raw, _kind_of_number(column, raw), told)
    else:
        found = Found(_as_words(column, told, facts.text_facts(column, told.missing)), raw)
    stated = msgspec.structs.replace(found.column, known_at=told.known_at, private=told.private)
    return replace(found, column=stated, raw=raw)


def _of_typed(column: Relation, raw: str, kind: Kind, told: ColumnBrief) -> Found:
    """Judge a column whose type the source states."""
    natural: Kind = {"id": "number"}.get(kind, kind)  # type: ignore[assignment]
    if told.kind is None and _is_constant(column, ()):
        kind = "constant"
    made = Column(name=column.name, kind=told.kind or kind, dtype=raw, missing=told.missing)
    if told.kind in (None, natural, "category", "id", "text", "constant"):
        return Found(made, raw)
    if told.kind == "number" and natural == "boolean":
        return Found(made, raw)
    if told.kind == "boolean" and natural == "number":
        other = f"SELECT {column.expression} FROM {column.relation} WHERE {column.expression} NOT IN (0, 1) LIMIT 1"
        if not (odd := column.session.fetch(other)):
            return Found(msgspec.structs.replace(made, true=("1",), false=("0",)), raw)
        raise _unfit(column, "boolean", str(odd[0][0]), "only 0 and 1 are no and yes among numbers")
    example = f"SELECT {column.expression} FROM {column.relation} WHERE {column.expression} IS NOT NULL LIMIT 1"
    first = column.session.fetch(example)
    hint = "convert it in a query, such as SELECT to_timestamp(...)" if told.kind == "date" else f"it holds {raw}"
    raise _unfit(column, str(told.kind), str(first[0][0]) if first else "nothing", hint)


def _kind_of_number(column: Relation, raw: str) -> Kind:
    if raw not in _WHOLE or column.n_present == 0:
        return "number"
    unique = column.n_present == column.n_rows and column.n_about > 0.9 * column.n_rows
    if unique and _is_key(facts.number_facts(column, column.expression), column.n_rows):
        return "id"
    if raw.endswith(("BIGINT", "HUGEINT")):
        largest = column.session.one(f"SELECT max(abs({column.expression}::DOUBLE)) FROM {column.relation}")[0]
        if largest > _LARGEST:
            return "id" if _names_rows(column, column.n_present) else "category"
    return "number"


def _of_text(column: Relation, told: ColumnBrief) -> Found:
    """Judge a column of texts."""
    found = facts.text_facts(column, told.missing)
    kind = told.kind
    if kind in ("category", "id", "text", "constant"):
        return Found(_as_words(column, told, found), "VARCHAR")
    if kind == "number" and found.n_odd:
        raise _unfit(column, kind, str(found.odd), "name further texts that mean missing, or leave the kind out")
    if kind == "number" or (kind is None and _is_numeric(found)):
        return Found(_as_number(column, told, found), "VARCHAR")
    if kind is None and _is_constant(column, found.missing_of_text):
        return Found(_as_words(column, told, found), "VARCHAR")
    if kind in (None, "boolean") and (made := _as_boolean(column, told, found)):
        return Found(made, "VARCHAR")
    if kind in (None, "date") and (dated := _as_date(column, told, found)):
        return dated
    if kind == "boolean":
        words = "yes/no, true/false, t/f, y/n or 1/0"
        raise _unfit(column, kind, str(found.first), f"it takes {words}; make another pair one in a query")
    return Found(_as_words(column, told, found), "VARCHAR")


def _is_numeric(found: TextFacts) -> bool:
    return found.n_values > 0 and not (found.n_odd or found.n_padded or found.n_huge)


def _as_number(column: Relation, told: ColumnBrief, found: TextFacts) -> Column:
    whole = not found.n_fractions
    made = Column(
        name=column.name,
        kind="number",
        dtype="BIGINT" if whole else "DOUBLE",
        missing=_markers(column, found.missing, told),
    )
    if told.kind is not None:
        return made
    if _is_constant(column, made.missing):
        return msgspec.structs.replace(made, kind="constant")
    unique = found.n_values == column.n_rows and column.n_about > 0.9 * column.n_rows
    if (
        whole
        and unique
        and _is_key(facts.number_facts(column, f"try_cast({column.expression} AS BIGINT)"), column.n_rows)
    ):
        return msgspec.structs.replace(made, kind="id")
    return made


def _as_boolean(column: Relation, told: ColumnBrief, found: TextFacts) -> Column | None:
    pairs = (*BOOLEANS, ("1", "0")) if told.kind else BOOLEANS
    for yes, no in pairs:
        plain = told.kind is not None or yes == "true"
        if set(found.few) == {yes, no} or (plain and found.few and set(found.few) < {yes, no}):
            return Column(
                name=column.name,
                kind="boolean",
                dtype="VARCHAR",
                missing=_markers(column, found.missing, told),
                true=facts.spelled(column, (yes,), told.missing),
                false=facts.spelled(column, (no,), told.missing),
            )
    return None


def _as_date(column: Relation, told: ColumnBrief, found: TextFacts) -> Found | None:
    """Judge whether texts are moments; ones that read two ways are not, unless the brief says so (day first then)."""
    if found.first is None or found.last is None:
        return None
    made = Column(name=column.name, kind="date", dtype="DATE", missing=_markers(column, found.missing, told))
    odd: str | None = found.first
    if any(character.isdigit() for character in found.first):
        iso = facts.date_facts(column, told.missing)
        if not iso.n_odd:
            dtype = "TIMESTAMP WITH TIME ZONE" if iso.n_zoned else "TIMESTAMP" if iso.n_timed else "DATE"
            return Found(msgspec.structs.replace(made, dtype=dtype), "VARCHAR", zoned=iso.n_zoned > 0)
        odd = iso.odd
    fitting = []
    for form in (form for form in formats_of(found.first) if form in formats_of(found.last)):
        count, wrong = facts.misfits(column, form, told.missing)
        if count == 0:
            fitting.append(form)
        odd = wrong or odd
    if form := _settled(column, fitting, told):
        dtype = "TIMESTAMP" if "%M" in form else "DATE"
        return Found(msgspec.structs.replace(made, dtype=dtype, format=form), "VARCHAR")
    if fitting:
        return Found(_as_words(column, msgspec.structs.replace(told, kind="category"), found), "VARCHAR")
    if told.kind == "date":
        raise _unfit(column, "date", str(odd), "write dates as 2013-12-31, or convert them in a query with strptime")
    return None


def _settled(column: Relation, fitting: list[str], told: ColumnBrief) -> str:
    """Choose between day first and month first: by a day that is always the same, or else by the brief's word alone."""
    if not fitting or AMBIGUOUS.get(fitting[0]) not in fitting:
        return fitting[0] if fitting else ""
    first, second = fitting[0], AMBIGUOUS[fitting[0]]
    days = [facts.distinct_days(column, form, told.missing) for form in (first, second)]
    if min(days) == 1 < max(days):
        return (first, second)[days.index(1)]
    return first if told.kind == "date" else ""


def _as_words(column: Relation, told: ColumnBrief, found: TextFacts) -> Column:
    missing = _markers(column, found.missing_of_text, told)
    made = Column(name=column.name, kind=told.kind or "category", dtype="VARCHAR", missing=missing)
    if told.kind is not None:
        return made
    if found.n_words == 0 or _is_constant(column, missing):
        return msgspec.structs.replace(made, kind="constant")
    if found.words > 4 and column.n_about > 0.5 * found.n_words:
        return msgspec.structs.replace(made, kind="text")
    if _names_rows(column, found.n_words, len(missing)):
        return msgspec.structs.replace(made, kind="id")
    return made


def _names_rows(column: Relation, n_values: int, markers: int = 0) -> bool:
    """Almost no value twice, in a table that is not tiny."""
    many = n_values >= _ENOUGH and column.n_about > 0.9 * n_values
    return many and column.distinct() - markers >= 0.95 * n_values


def _is_constant(column: Relation, missing: tuple[str, ...]) -> bool:
    """One value in every row, or none in any; one value with gaps still tells something."""
    if column.n_present == 0:
        return True
    return not missing and column.n_present == column.n_rows and column.n_about <= 2 and column.distinct() == 1


def _is_key(lie: NumberFacts, n_rows: int) -> bool:
    """Tell whole numbers that number the rows, or name them, from ones that measure something.

    Evidence: no value twice, and either they fill their range, or they grow from row to row within ten times it, or
    they all have the same six or more digits. Years, compact dates (20131231) and Unix times are measurements.
    """
    if n_rows < _ENOUGH or lie.n_distinct != n_rows:
        return False
    spans = [(1_000, 3_000), (19_000_101, 21_001_231)]
    spans += [(315_532_800 * unit, 4_102_444_800 * unit) for unit in (1, 10**3, 10**6, 10**9)]
    if any(low <= lie.low and lie.high <= high for low, high in spans):
        return False
    span = lie.high - lie.low + 1
    dense = span == n_rows or (lie.increasing and span <= 10 * n_rows)
    return dense or (lie.low > 0 and len(str(lie.low)) == len(str(lie.high)) >= 6)


def _markers(column: Relation, found: tuple[str, ...], told: ColumnBrief) -> tuple[str, ...]:
    if not told.missing:
        return found
    return tuple(dict.fromkeys((*found, *told.missing, *facts.padded(column, told.missing))))


def _unfit(column: Relation, kind: str, value: str, hint: str) -> TableError:
    shown = value if len(value) <= 40 else value[:37] + "..."
    return TableError(f"column '{column.name}' cannot be a {kind}: it holds '{shown}'", hint=hint)
