"""Rows as they were given, in a form that can be written down and read elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frameworks import frameworks
from shiplap.core.schema import Column
from shiplap.core.table import Table

__all__ = ["GivenRows", "canonical_frame", "given_rows"]

SAMPLE_ROWS = 20_000
"""Rows of the data that are compared at most."""


@dataclass(frozen=True)
class GivenRows:
    """Some rows, and what is known of their columns.

    Parameters
    ----------
    frame : DataFrame
        The rows; empty where they are arrays.
    columns : tuple of Column
        What a table knows of its columns; empty for rows that came from memory.
    canonical : bool
        Whether the rows are a table's, in canonical types.
    arrays : dict of str to ndarray, optional
        Arrays by name; one without a name is called ``""``.
    """

    frame: pd.DataFrame = field(repr=False)
    columns: tuple[Column, ...] = ()
    canonical: bool = False
    arrays: dict[str, NDArray[Any]] | None = None


def given_rows(X: Any) -> GivenRows:
    """Return rows of any kind so that they can be sent to another process.

    Parameters
    ----------
    X : GivenRows, Table, DataFrame, polars or Arrow table, array, or dict of columns or arrays
        The rows; of a table an evenly spread sample.

    Examples
    --------
    >>> sorted(given_rows({"x": np.zeros((2, 3)), "n": np.arange(2)}).arrays)
    ['n', 'x']
    """
    if isinstance(X, GivenRows):
        return X
    if isinstance(X, Table):
        return GivenRows(canonical_frame(X, X.schema.names), tuple(X.schema), canonical=True)
    if isinstance(X, np.ndarray):
        return GivenRows(pd.DataFrame(), arrays={"": X})
    if isinstance(X, Mapping) and all(isinstance(value, np.ndarray) for value in X.values()):
        return GivenRows(pd.DataFrame(), arrays=dict(X))
    if isinstance(X, pd.DataFrame):
        return GivenRows(X)
    return GivenRows(frameworks.get("sklearn").sample(X)[0])


def canonical_frame(table: Table, names: tuple[str, ...]) -> pd.DataFrame:
    """Return a sample of a table's rows, evenly spread, in canonical types.

    Raises
    ------
    TableError
        A column is missing, or there are no rows.
    """
    missing = [name for name in names if name not in table.schema]
    if missing:
        table.schema[missing[0]]  # raises, naming the nearest
    step = max(1, -(-table.n_rows // SAMPLE_ROWS))
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    frame: pd.DataFrame = table.frame.pandas(f"SELECT {quoted} FROM rows WHERE rowid % {step} = 0 ORDER BY rowid")  # noqa: S608
    return frame
