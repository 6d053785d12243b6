"""Columns of whatever a caller holds: pandas, polars, Arrow, dictionaries, lists of rows. None of them is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import InputError, RowError, nearest

__all__ = ["Coded", "Column", "Columns", "columns_of", "is_row", "single", "stray_row"]

_ARRAYS = "fiubM"


@dataclass(frozen=True)
class Coded:
    """A column of few distinct values: which one each row holds, -1 where it is missing."""

    codes: NDArray[np.integer[Any]]
    values: Sequence[object]


Column = NDArray[Any] | Sequence[object] | Coded


@dataclass(frozen=True)
class Columns:
    """Rows seen as columns.

    Parameters
    ----------
    n_rows : int
        How many rows there are.
    get : callable
        Returns a column by name: an array of numbers, booleans or moments, a sequence of Python values, or `Coded`;
        raises ``InputError`` when there is none.
    """

    n_rows: int
    get: Callable[[str], Column]


def is_row(X: object) -> bool:
    """Tell whether `X` is one row: a mapping from names to single values.

    Examples
    --------
    >>> is_row({"age": 41}), is_row({"age": [41]}), is_row([{"age": 41}])
    (True, False, False)
    """
    return isinstance(X, Mapping) and not any(_is_column(value) for value in X.values())


def columns_of(X: Any, names: Iterable[str]) -> Columns:
    """See `X` as columns.

    Parameters
    ----------
    X : pandas, polars or Arrow table, mapping of columns, sequence of mappings, or one mapping
        The rows.
    names : iterable of str
        The columns that will be asked for, to check that rows hold any of them.

    Raises
    ------
    InputError
        It is none of these, or its columns have different lengths.
    RowError
        A row is no mapping, or holds none of the columns.

    Examples
    --------
    >>> columns = columns_of([{"age": 41}, {"age": None}], ["age"])
    >>> columns.n_rows, columns.get("age")
    (2, [41, None])
    """
    if isinstance(X, Mapping):
        return _of_rows([X], names) if is_row(X) else _of_mapping(X)
    if hasattr(X, "get_column"):
        return Columns(len(X), lambda name: _polars(X, name))
    if hasattr(X, "collect_schema"):
        raise InputError("a lazy frame holds no rows yet", hint="call .collect() first")
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        labels = {str(label): label for label in X.columns}  # a frame made of an array has numbers for names
        return Columns(len(X), lambda name: _pandas(X, name, labels))
    if hasattr(X, "schema") and hasattr(X, "num_rows") and hasattr(X, "column"):
        return Columns(X.num_rows, lambda name: _arrow(X, name))
    if isinstance(X, Sequence) and not isinstance(X, str | bytes):
        return _of_rows(X, names)
    raise InputError(
        f"rows cannot be read from an object of type {type(X).__name__}",
        hint="give a pandas, polars or Arrow table, a dict of columns, or a list of dicts",
    )


def single(column: Column) -> Sequence[object]:
    """Return the values of a column one by one.

    Examples
    --------
    >>> single(Coded(np.array([1, -1]), ["red", "blue"]))
    ['blue', None]
    """
    if isinstance(column, Coded):
        return [None if code < 0 else column.values[code] for code in column.codes.tolist()]
    if isinstance(column, np.ndarray):
        return list(column) if column.dtype.kind == "M" else list(column.tolist())
    return column


def _is_column(value: object) -> bool:
    return isinstance(value, list | tuple) or (hasattr(value, "__array__") and bool(getattr(value, "ndim", 1)))


def _of_rows(rows: Sequence[Mapping[str, object]], names: Iterable[str]) -> Columns:
    wanted = frozenset(names)
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise RowError(
                f"row {index}: expected a mapping of columns, got one of type {type(row).__name__}", row=index
            )
        if wanted.isdisjoint(row):
            raise stray_row(row, wanted, index)
    return Columns(len(rows), lambda name: [row.get(name) for row in rows])


def stray_row(row: Mapping[str, object], names: Iterable[str], index: int) -> RowError:
    """Return the error of a row that holds none of the columns."""
    first = str(next(iter(row), ""))
    hint = nearest(first, sorted(names))
    return RowError(f"row {index}: it holds none of the model's columns", row=index, hint=hint)


def _of_mapping(X: Mapping[str, Any]) -> Columns:
    lengths = {name: len(value) for name, value in X.items() if _is_column(value)}
    n_rows = next(iter(lengths.values()))
    for name, value in X.items():
        if lengths.get(name) != n_rows:
            held = f"{lengths[name]} rows" if name in lengths else f"one of type {type(value).__name__}"
            raise InputError(f"column '{name}' holds {held} where {n_rows} rows are expected")

    def get(name: str) -> Column:
        value = X[_known(name, X)]
        return list(value) if isinstance(value, list | tuple) else _series(value)

    return Columns(n_rows, get)


def _series(value: Any) -> Column:
    if isinstance(value, np.ndarray):
        return _plain(value)
    if hasattr(value, "iloc"):
        return _pandas_series(value)
    if hasattr(value, "get_chunks"):
        return _polars_series(value)
    if hasattr(value, "to_pylist"):
        return _arrow_array(value)
    return _plain(np.asarray(value))


def _plain(array: NDArray[Any]) -> Column:
    if array.ndim < 1:
        raise InputError("a column has one value a row, not one in all")
    if array.ndim > 1 or array.dtype.kind in _ARRAYS:
        return array
    return list(array) if array.dtype.kind in "mcVS" else array.tolist()


def _pandas(X: Any, name: str, labels: Mapping[str, Any]) -> Column:
    series = X[labels[_known(name, labels)]]
    if getattr(series, "ndim", 1) != 1:
        raise InputError(f"column '{name}' is there more than once")
    return _pandas_series(series)


def _pandas_series(series: Any) -> Column:
    kind = series.dtype
    if isinstance(kind, np.dtype):
        return _plain(series.to_numpy())
    if hasattr(series, "cat"):
        return Coded(series.cat.codes.to_numpy(), series.cat.categories.tolist())
    if getattr(kind, "tz", None) is not None:
        return _plain(series.to_numpy(dtype="M8[us]"))
    if getattr(kind, "kind", "O") in "fiub" and not series.hasnans:
        return _plain(series.to_numpy(dtype=kind.numpy_dtype))
    return list(series.tolist())


def _polars(X: Any, name: str) -> Column:
    return _polars_series(X.get_column(_known(name, X.columns)))


def _polars_series(series: Any) -> Column:
    kind = series.dtype
    if kind.is_temporal() or (kind.is_numeric() and not kind.is_decimal()):
        if kind.is_integer() and series.null_count():
            return list(series.to_list())
        return _plain(series.to_numpy())
    return list(series.to_list())


def _arrow(X: Any, name: str) -> Column:
    names = X.schema.names
    if names.count(name) > 1:
        raise InputError(f"column '{name}' is there more than once")
    return _arrow_array(X.column(_known(name, names)))


def _arrow_array(array: Any) -> Column:
    kind = str(array.type)
    if kind in {"double", "float", "halffloat"} or kind.startswith(("timestamp", "date")):
        return _plain(np.asarray(array))
    if kind.startswith(("int", "uint")) and not array.null_count:
        return _plain(np.asarray(array))
    if kind in {"string", "large_string"} and hasattr(array, "dictionary_encode"):
        return _arrow_codes(array.dictionary_encode())
    if kind.startswith("dictionary"):
        texts = "values=string" in kind or "values=large_string" in kind
        return _arrow_codes(array) if texts else _arrow_array(_whole(array).dictionary_decode())
    return list(array.to_pylist())


def _arrow_codes(array: Any) -> Column:
    """Return texts, each of which stands once in a dictionary; only those that are used are read."""
    array = _whole(array)
    indices = np.asarray(array.indices.cast("int64").fill_null(-1))
    used, codes = np.unique(indices, return_inverse=True)
    missing = int(used.size > 0 and used[0] < 0)
    return Coded(codes - missing, array.dictionary.take(used[missing:]).to_pylist())


def _whole(array: Any) -> Any:
    return array.combine_chunks() if hasattr(array, "combine_chunks") else array


def _known(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise InputError(f"the rows have no column '{name}'", hint=nearest(name, map(str, names)))
    return name
