"""Rows in which one number stands out, for all columns of numbers at once: missing, extreme, infinite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["built_numbers", "records"]

_EXTREMES = (1e308, -1e308, 5e-324, -5e-324, 0.0, -0.0, 1e-35, -1e-35, 3.4e38, -3.4e38, 1e15, 2.0**53 + 2, -1.0)
_MOST_NUMBERS = 8_000_000


def built_numbers(
    base: pd.DataFrame, names: Sequence[str], largest: float
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame | list[dict[str, Any]]]]:
    """Yield kinds of rows: as the original reads them, and as a client sends them.

    Parameters
    ----------
    base : DataFrame
        Rows to be altered.
    names : sequence of str
        The columns of numbers.
    largest : float
        Numbers beyond it are not tried.

    Yields
    ------
    tuple of (str, DataFrame, DataFrame or list of dict)
        The kind of row, and the rows on both sides.
    """
    tried = [value for value in _EXTREMES if abs(value) <= largest]
    share = max(1, _MOST_NUMBERS // max(1, len(names) * base.shape[1]))
    missing = _altered(base, names, [np.nan] * min(4, share))
    yield "missing", missing, missing
    extreme = _altered(base, names, tried[:share])
    yield "extreme", extreme, extreme
    if largest == np.inf:
        infinite = _altered(base, names, [np.inf, -np.inf][:share])
        yield "infinite", infinite, infinite
    gone = _altered(base, names, [np.nan])
    rows = records(gone)
    for row, name in zip(rows, names, strict=True):
        row[name] = None
    yield "None", gone, rows


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries, as a client of one row sends them.

    Examples
    --------
    >>> records(pd.DataFrame({"age": [41, 7], "color": ["red", "blue"]}))
    [{'age': 41, 'color': 'red'}, {'age': 7, 'color': 'blue'}]
    """
    columns = [_values(frame[name]) for name in frame.columns]
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pd.Series[Any]) -> list[Any]:
    kind = column.dtype
    return list(column.to_numpy().tolist()) if isinstance(kind, np.dtype) and kind.kind in "iufb" else list(column)


def _altered(base: pd.DataFrame, names: Sequence[str], values: Sequence[float]) -> pd.DataFrame:
    """Return one row for each column and value, in which that column has that value."""
    count = len(names) * len(values)
    rows = base.iloc[np.arange(count) % len(base)].reset_index(drop=True)
    matrix = rows[list(names)].to_numpy(dtype=np.float64, copy=True)
    matrix[np.arange(count), np.repeat(np.arange(len(names)), len(values))] = np.tile(values, len(names))
    return rows.assign(**dict(zip(names, matrix.T, strict=True)))
