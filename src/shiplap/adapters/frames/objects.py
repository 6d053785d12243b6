"""Rows that are in memory already: pandas, polars, Arrow, dict of columns, list of dicts, all as one Arrow table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from shiplap.adapters.frames.names import check_names
from shiplap.core.errors import TableError

__all__ = ["arrow_of"]


def arrow_of(rows: Any) -> tuple[pa.Table, str]:
    """Return rows as an Arrow table, and in words what they came as.

    Parameters
    ----------
    rows : DataFrame, Arrow table, mapping of str to sequence, or list of mappings
        pandas, polars (lazy too), pyarrow, or anything else that speaks the Arrow C stream interface.

    Raises
    ------
    TableError
        It is none of these, its columns differ in length, or a column holds what no table can.

    Examples
    --------
    >>> table, source = arrow_of({"age": [31, None], "plan": ["a", "b"]})
    >>> table.num_rows, source
    (2, 'dict')
    """
    source = f"{type(rows).__module__.partition('.')[0]}.{type(rows).__name__}"
    if any(base.__name__ == "DataFrame" and base.__module__.startswith("pandas") for base in type(rows).__mro__):
        return _from_columns({str(name): rows.iloc[:, i] for i, name in enumerate(rows.columns)}, rows.columns), source
    if isinstance(rows, Mapping):
        return _from_columns({str(name): values for name, values in rows.items()}, list(rows)), "dict"
    if isinstance(rows, list) and rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return _from_columns({str(name): [row.get(name) for row in rows] for name in names}, names), "list"
    if hasattr(rows, "collect_schema") and hasattr(rows, "collect"):
        rows = rows.collect()
    if not hasattr(rows, "__arrow_c_stream__"):
        if isinstance(rows, pa.RecordBatch):
            return _checked(pa.Table.from_batches([rows])), source
        raise TableError(
            f"a table cannot be made of {source}",
            hint="give a path, an SQL query, a pandas or polars DataFrame, an Arrow table or a dict of columns",
        )
    return _checked(pa.table(rows)), source


def _checked(table: pa.Table) -> pa.Table:
    check_names(table.column_names, "the table")
    return table


def _from_columns(columns: dict[str, Any], given: Any) -> pa.Table:
    check_names([str(name) for name in given], "the table")
    arrays = {name: _array(name, values) for name, values in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        first, other = (
            next(iter(lengths)),
            next(name for name in lengths if lengths[name] != next(iter(lengths.values()))),
        )
        raise TableError(f"column '{first}' has {lengths[first]} values and '{other}' has {lengths[other]}")
    return pa.table(arrays)


def _array(name: str, values: Any) -> pa.Array:
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise TableError(f"column '{name}' is one {type(values).__name__}, not a sequence of values")
    if getattr(values, "ndim", 1) != 1:
        raise TableError(f"column '{name}' has {values.ndim} dimensions", hint="give every column by itself")
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        # values of several types in one column: as texts, which is how their schema is inferred
        return pa.array([None if _is_missing(value) else str(value) for value in values], type=pa.string())


def _is_missing(value: Any) -> bool:
    """None, NaN, and what pandas calls NA and NaT, told by name: pandas may not be loaded."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")
