"""Which columns make a row odd: those that make it ordinary when they take the value that rows like it have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.methods.anomalies.detector import Detector
from shiplap.methods.mixed import Mixed, numbers_of

__all__ = ["Reason", "reasons"]

Ints: TypeAlias = npt.NDArray[np.int64]
_ALIKE = 15
_LOOKED_AT = 5_000


@dataclass(frozen=True)
class Reason:
    """One column of one row.

    Parameters
    ----------
    column : str
        The column.
    value : Any
        What the row holds: a number, a date or a text; None for missing.
    usual : Any
        What rows hold that are most like it in all other columns: their median or commonest value; None for missing.
    share : float
        Its part of what makes the row odd, from 0 to 1.
    """

    column: str
    value: Any
    usual: Any
    share: float


def reasons(X: pd.DataFrame, encoded: Mixed, detector: Detector, rows: Ints, *, seed: int) -> list[list[Reason]]:
    """Name the columns that make rows odd.

    Each column of a row is given the value that the ordinary rows nearest to it in all other columns have; what the
    row's oddness loses by it is the column's part.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        The rows as they are.
    encoded : Mixed
        The same rows, encoded.
    detector : Detector
        What says how odd they are.
    rows : numpy.ndarray of int64
        Positions of the rows to explain.
    seed : int
        Seed of the choice of rows to compare with.

    Returns
    -------
    list of list of Reason
        A list a row, the largest part first; columns without a part are left out.
    """
    ordinary = _ordinary(encoded, detector, seed)
    return [_explained(X, encoded, detector, int(row), ordinary) for row in rows]


def _ordinary(encoded: Mixed, detector: Detector, seed: int) -> Ints:
    chosen = np.sort(np.random.default_rng(seed).permutation(len(encoded.matrix))[:_LOOKED_AT])
    odd = detector.oddness(encoded.matrix[chosen])
    return np.asarray(chosen[odd <= np.quantile(odd, 0.9)])


def _explained(X: pd.DataFrame, encoded: Mixed, detector: Detector, row: int, ordinary: Ints) -> list[Reason]:
    changed = np.tile(encoded.matrix[row], (len(encoded.names) + 1, 1))
    apart = (encoded.matrix[ordinary] - encoded.matrix[row]) ** 2
    whole = apart.sum(axis=1)
    usual = []
    for index, (name, block) in enumerate(zip(encoded.names, encoded.blocks, strict=True)):
        nearest = ordinary[np.argsort(whole - apart[:, block].sum(axis=1), kind="stable")[:_ALIKE]]
        typical = _typical(X[name], nearest)
        changed[index, block] = encoded.matrix[typical, block]
        usual.append(typical)
    odd = detector.oddness(changed)
    lost = np.maximum(odd[-1] - odd[:-1], 0.0)
    parts = lost / max(float(lost.sum()), 1e-12)
    return [
        Reason(
            encoded.names[index],
            _plain(X[encoded.names[index]].iloc[row]),
            _plain(X[encoded.names[index]].iloc[usual[index]]),
            float(parts[index]),
        )
        for index in np.argsort(-parts, kind="stable")
        if parts[index] > 0
    ]


def _typical(column: pd.Series, rows: Ints) -> int:
    """Return the row among `rows` that has their median or commonest value."""
    if column.dtype.kind in "fiubM":
        numbers = numbers_of(column.iloc[rows])
        if np.isfinite(numbers).mean() > 0.5:
            return int(rows[np.nanargmin(np.abs(numbers - np.nanmedian(numbers)))])
        return int(rows[np.flatnonzero(np.isnan(numbers))[0]])
    codes = pd.factorize(column.iloc[rows], use_na_sentinel=False)[0]
    return int(rows[np.flatnonzero(codes == np.bincount(codes).argmax())[0]])


def _plain(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
