"""Rows built to break a network: arrays that are missing, partly missing, flat, tiny, large, and sent as lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.core.schema import Column

__all__ = ["built_tensors", "made_up_tensors", "numbers_a_row"]

_LEVELS = (0.0, -0.0, 1.0, -1.0, 1e3, -1e3, 1e-3, 5e-324)
_MADE_UP = 24


def built_tensors(values: pd.Series[Any], column: Column) -> Iterator[tuple[str, list[NDArray[Any]], list[Any]]]:
    """Yield kinds of values of one column: as the original reads them, and as a client sends them.

    Parameters
    ----------
    values : Series of ndarray
        Values of the data.
    column : Column
        Its shape and dtype.

    Yields
    ------
    tuple of (str, list of ndarray, list)
        The kind of row, and the values on both sides.
    """
    first = np.asarray(values.iloc[0])
    lists = [np.asarray(value) for value in values.iloc[:4]]
    yield "tensors as lists", lists, [value.tolist() for value in lists]
    if first.dtype.kind != "f":
        low, high = _range(values)
        flat = [np.full(column.shape, level, first.dtype) for level in (low, high)]
        yield "extreme", flat, flat
        return
    flat = [np.full(column.shape, level, first.dtype) for level in _LEVELS]
    yield "extreme", flat, flat
    spoilt = [value.copy() for value in lists]
    for place, value in enumerate(spoilt):
        value.reshape(-1)[(place * 7) % value.size] = np.nan
    yield "a missing number", spoilt, spoilt
    gone = [np.full(column.shape, np.nan, first.dtype)] * 2
    yield "missing", gone, gone
    yield "None", gone, [None, None]


def made_up_tensors(values: pd.Series[Any], column: Column, generator: np.random.Generator) -> list[NDArray[Any]]:
    """Return arrays of the column's shape with chance numbers of its range, written with few digits."""
    first = np.asarray(values.iloc[0])
    if first.dtype.kind != "f":
        low, high = _range(values)
        drawn = generator.integers(int(low), int(high) + 1, (_MADE_UP, *column.shape))
        return list(drawn.astype(first.dtype))
    sample = np.stack([np.asarray(value, np.float64) for value in values.iloc[:64]])
    middle, spread = float(np.nanmean(sample)), float(np.nanstd(sample)) or 1.0
    return list(generator.normal(middle, spread, (_MADE_UP, *column.shape)).round(3).astype(first.dtype))


def numbers_a_row(frame: pd.DataFrame) -> int:
    """Return how many numbers a row of the frame holds.

    Examples
    --------
    >>> numbers_a_row(pd.DataFrame({"x": [np.zeros((2, 3))], "age": [41]}))
    7
    """
    if not len(frame):
        return len(frame.columns)
    return sum(np.size(value) if isinstance(value, np.ndarray) else 1 for value in frame.iloc[0])


def _range(values: pd.Series[Any]) -> tuple[float, float]:
    sample = [np.asarray(value) for value in values.iloc[:256]]
    return min(float(value.min()) for value in sample), max(float(value.max()) for value in sample)
