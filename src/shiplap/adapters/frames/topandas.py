"""Arrow into pandas, with the types that rooms rely on. A module of its own: pandas takes a second to import."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["to_pandas"]


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a data frame.

    Numbers and booleans become float64 with NaN for missing, moments datetime64[us] with NaT, everything else object
    with ``str`` values and ``None`` (which scikit-learn's encoders take as a category of its own).

    Examples
    --------
    >>> to_pandas(pa.table({"x": [1, None], "plan": ["a", None]})).to_dict("list")
    {'x': [1.0, nan], 'plan': ['a', None]}
    """
    columns = {i: _series(column) for i, column in enumerate(table.columns)}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)
    frame.columns = pd.Index(table.column_names, dtype=object)
    return frame


def _series(column: pa.ChunkedArray) -> pd.Series[Any]:
    kind = column.type
    if pa.types.is_boolean(kind):
        column = pc.cast(column, pa.int8())
        kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pd.Series(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype="float64")
    if pa.types.is_temporal(kind) and not (pa.types.is_time(kind) or pa.types.is_duration(kind)):
        return pd.Series(pc.cast(column, pa.timestamp("us"), safe=False).to_numpy(), dtype="datetime64[us]")
    return pd.Series(_texts(column), dtype=object)


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """Return texts as one Python object per distinct value, None where missing: a repeated value costs a pointer."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = pc.cast(column, pa.string())
    coded = column.dictionary_encode().combine_chunks()
    values = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    positions = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    texts: npt.NDArray[np.object_] = values[positions]
    return texts
