"""Parts of dates, as plain numbers: the same rule as the encoder's ``date`` operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.core.encoding import DatePart

__all__ = ["date_parts"]

_ACCESSORS = {"weekday": "day_of_week"}


def date_parts(X: Any, parts: Sequence[DatePart]) -> NDArray[np.float64]:
    """Split columns of dates into numbers.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Columns of ``datetime64``; with a zone they are converted to UTC, without one they are taken as written.
    parts : sequence of DatePart
        What to write, in order: ``year``, ``month``, ``day``, ``weekday`` (0 is Monday), ``day_of_year``, ``hour``,
        ``minute``, ``second`` (whole seconds), ``epoch_s`` (seconds since 1970, fractions included).

    Returns
    -------
    ndarray of shape (n_rows, n_columns * len(parts)), float64
        All parts of the first column, then of the next; NaN for a missing date.

    Raises
    ------
    ValueError
        A part of that name does not exist.

    Examples
    --------
    >>> date_parts(pd.DataFrame({"at": pd.to_datetime(["2013-01-31 23:59"])}), ("month", "hour", "weekday"))
    array([[ 1., 23.,  3.]])
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
    written = [_part(_moments(frame.iloc[:, index]), part) for index in range(frame.shape[1]) for part in parts]
    if not written:
        return np.empty((len(frame), 0))
    return np.column_stack(written)


def _moments(column: pd.Series[Any]) -> pd.Series[Any]:
    moments = pd.to_datetime(column)
    return moments.dt.tz_convert("UTC").dt.tz_localize(None) if moments.dt.tz is not None else moments


def _part(moments: pd.Series[Any], part: str) -> NDArray[np.float64]:
    if part == "epoch_s":
        micros = moments.astype("datetime64[us]")
        whole = micros.to_numpy().astype("int64")
        return np.where(micros.isna().to_numpy(), np.nan, whole / 1e6)
    if part not in {"year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second"}:
        raise ValueError(f"date_parts has no part '{part}'")
    found = getattr(moments.dt, _ACCESSORS.get(part, part))
    values: NDArray[np.float64] = found.to_numpy(dtype=np.float64, na_value=np.nan)
    return values
