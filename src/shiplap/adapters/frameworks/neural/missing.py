"""NaN in a network: compiled kernels lose it on the way or keep it, by how they were put together.

What a framework answers layer by layer is taken as its word. Where the exported network makes the same of NaN, rows
with NaN are compared like others. Where it does not, no answer is right: the original counts as refusing such rows, and
the ship answers them with NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["reads_nan_alike", "with_nan"]

Arrays = dict[str, NDArray[Any]]


def with_nan(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return which rows have a NaN in an input of floats, shape (n_rows,).

    Examples
    --------
    >>> with_nan({"x": np.array([[1.0, 2.0], [3.0, np.nan]])}).tolist()
    [False, True]
    """
    count = len(next(iter(arrays.values())))
    spoilt = np.zeros(count, np.bool_)
    for array in arrays.values():
        if array.dtype.kind == "f":
            spoilt |= np.isnan(array).reshape(count, -1).any(axis=1)
    return spoilt


def reads_nan_alike(
    plain: Callable[[Arrays], tuple[NDArray[Any], ...]], exported: Callable[[Arrays], Any], arrays: Arrays
) -> bool:
    """Tell whether an original and its export make the same of rows whose first or last number is NaN.

    Parameters
    ----------
    plain : callable
        The original, run layer by layer; raises ValueError where it takes no NaN.
    exported : callable
        What it was exported to.
    arrays : dict of str to ndarray
        Rows as the original reads them.
    """
    if not any(array.dtype.kind == "f" for array in arrays.values()):
        return True
    for place in (0, -1):
        rows = {name: array[:2].copy() for name, array in arrays.items()}
        for array in rows.values():
            if array.dtype.kind == "f" and array.size:
                array.reshape(len(array), -1)[:, place] = np.nan
        try:
            theirs = plain(rows)
        except ValueError:
            return False
        pairs = zip(exported(rows), theirs, strict=True)
        if not all(np.allclose(ours, own, rtol=1e-3, atol=1e-5, equal_nan=True) for ours, own in pairs):
            return False
    return True
