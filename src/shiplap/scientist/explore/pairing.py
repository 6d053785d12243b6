"""Two tables side by side: which columns both have, how each can be compared, and a sample of both in one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.adapters.frames import one_in, resolve_target
from shiplap.core.brief import Brief
from shiplap.core.errors import TableError
from shiplap.core.schema import Column
from shiplap.core.table import Table
from shiplap.methods.query import quoted

__all__ = ["Both", "Paired", "both_of", "sample_of"]

Form: TypeAlias = Literal["number", "date", "words", "length"]
_SAMPLE = 20_000
_TARGET = "shiplap target"
_NUMERIC = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    *("FLOAT", "REAL", "DOUBLE", "DECIMAL"),
)


@dataclass(frozen=True)
class Paired:
    """A column that both tables have, in a form in which they can be compared.

    Parameters
    ----------
    name : str
        Its name.
    form : {"number", "date", "words", "length"}
        As what it is compared; of free text the length.
    columns : pair of Column
        What is known of it in each table.
    sql : pair of str
        Its values in each table, as SQL.
    """

    name: str
    form: Form
    columns: tuple[Column, Column]
    sql: tuple[str, str]


@dataclass(frozen=True)
class Both:
    """Two tables and what they share.

    Parameters
    ----------
    tables : pair of Table
        The tables.
    labels : pair of str
        What to call them.
    paired : tuple of Paired
        Columns that can be compared.
    gone, new : tuple of str
        Columns that only the first or only the second has.
    turned : tuple of pair of Column
        Columns that hold something else in the second table.
    """

    tables: tuple[Table, Table]
    labels: tuple[str, str]
    paired: tuple[Paired, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    turned: tuple[tuple[Column, Column], ...]


def both_of(first: Table, second: Table, *, hidden: frozenset[str]) -> Both:
    """Put the columns of two tables side by side.

    Parameters
    ----------
    first, second : Table
        The tables.
    hidden : frozenset of str
        Columns that are never looked at.

    Raises
    ------
    TableError
        They share no column that can be compared.

    Examples
    --------
    >>> from shiplap.adapters.frames import read
    >>> found = both_of(read({"a": [1, 2], "b": [1, 1]}), read({"a": [3, 5], "c": [1, 2]}), hidden=frozenset())
    >>> [one.name for one in found.paired], found.gone, found.new
    (['a'], ('b',), ('c',))
    """
    ours, theirs = ([one for one in table.schema if _is_open(one, hidden)] for table in (first, second))
    names = ({one.name for one in ours}, {one.name for one in theirs})
    paired, turned = [], []
    for column in ours:
        if column.name not in names[1]:
            continue
        other = second.schema[column.name]
        form = _form(column, other)
        if form is not None:
            paired.append(Paired(column.name, form, (column, other), (_sql(column, form), _sql(other, form))))
        elif not {"id", "tensor", "image"} & {column.kind, other.kind}:
            turned.append((column, other))
    if not paired:
        raise TableError(
            f"'{first.name}' and '{second.name}' share no column that can be compared",
            hint=f"the second has: {', '.join(sorted(names[1])[:12])}",
        )
    labels = (first.name, second.name) if first.name != second.name else ("first", "second")
    gone = tuple(one.name for one in ours if one.name not in names[1])
    new = tuple(one.name for one in theirs if one.name not in names[0])
    return Both((first, second), labels, tuple(paired), gone, new, tuple(turned))


def sample_of(both: Both, brief: Brief) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], npt.NDArray[Any] | None]:
    """Sample about 20,000 rows of each table at most.

    Returns
    -------
    X : pandas.DataFrame
        The paired columns: float64, datetime64 and text.
    second : numpy.ndarray of bool
        Whether a row is of the second table.
    y : numpy.ndarray or None
        The target where one is asked about: numbers, or words as text; None and NaN where it is missing.
    """
    frames = []
    for side, table in enumerate(both.tables):
        wanted = [f"{one.sql[side]} AS {quoted(one.name)}" for one in both.paired]
        if brief.target:
            wanted.append(f"({resolve_target(table, brief.target).sql}) AS {quoted(_TARGET)}")
        share = -(-table.n_rows // _SAMPLE)
        some = f"WHERE {one_in(share, brief.seed)} " if share > 1 else ""
        frames.append(table.frame.pandas(" ".join(("SELECT", ", ".join(wanted), f"FROM rows {some}ORDER BY rowid"))))
    rows = pd.concat(frames, ignore_index=True)
    y = rows.pop(_TARGET).to_numpy() if brief.target else None
    return rows, np.repeat([False, True], [len(frame) for frame in frames]), y


def _is_open(column: Column, hidden: frozenset[str]) -> bool:
    return not column.private and column.name not in hidden


def _form(first: Column, second: Column) -> Form | None:
    """Say how two columns of one name can be compared; None where they cannot."""
    both = (first, second)
    kinds = {one.kind for one in both if not _is_empty(one)}
    if not kinds or kinds & {"id", "tensor", "image"}:
        return None
    if "text" in kinds and kinds <= {"text", "category", "constant"}:
        return "length"
    if "date" in kinds:
        return "date" if kinds == {"date"} else None
    if "number" in kinds:
        return "number" if all(_is_empty(one) or _is_numeric(one) for one in both) else None
    if "boolean" in kinds and kinds - {"boolean", "constant"}:
        return None
    return "words"


def _is_empty(column: Column) -> bool:
    return column.kind == "constant" and column.n_distinct == 0


def _is_numeric(column: Column) -> bool:
    return column.kind == "number" or (
        column.kind in ("constant", "category") and column.dtype.upper().startswith(_NUMERIC)
    )


def _sql(column: Column, form: Form) -> str:
    name = quoted(column.name)
    if form == "number":
        return name if column.kind == "number" else f"CAST({name} AS DOUBLE)"
    if form == "date":
        return name if column.kind == "date" else f"CAST({name} AS TIMESTAMP)"
    if form == "length":
        return f"CAST(length({name}) AS DOUBLE)"
    if column.kind == "boolean" and column.true and column.false:
        yes, no = (words[0].replace("'", "''") for words in (column.true, column.false))
        return f"CASE WHEN {name} THEN '{yes}' WHEN NOT {name} THEN '{no}' END"
    return f"CAST({name} AS VARCHAR)"
