"""Rows in the types and shapes that the inputs of a model read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frameworks.tensorflow.entry import Entry, Port
from shiplap.core.errors import RefusedError, TableError, nearest

__all__ = ["as_read", "by_name", "require_readable"]

Arrays = dict[str, NDArray[Any]]


def by_name(entry: Entry, X: Any) -> dict[str, Any]:
    """Return rows by the names of a model's inputs.

    Parameters
    ----------
    entry : Entry
        How the model is called.
    X : ndarray, DataFrame, or dict
        One array is the only input; a DataFrame has one column for each input of one value, or the features of the
        only input side by side.

    Raises
    ------
    TableError
        An input has no rows, or the array could be several inputs.
    """
    ports = entry.ports
    if isinstance(X, pd.DataFrame):
        if _is_matrix(ports, X):
            return {ports[0].name if ports else "x": _numbers(X)}
        X = {str(name): X[name].to_numpy() for name in X.columns}
    if not isinstance(X, dict):
        if len(ports) > 1:
            raise TableError(
                f"the model has {len(ports)} inputs, and the rows are one array",
                hint=f"pass a dict of arrays: {', '.join(port.name for port in ports)}",
            )
        return {ports[0].name if ports else "x": np.asarray(X)}
    if not ports:
        return {str(name): np.asarray(array) for name, array in X.items()}
    if len(ports) == len(X) == 1:
        return {ports[0].name: np.asarray(next(iter(X.values())))}
    for port in ports:
        if port.name not in X:
            raise TableError(
                f"the rows have nothing for the input '{port.name}'", hint=nearest(port.name, [str(name) for name in X])
            )
    return {port.name: np.asarray(X[port.name]) for port in ports}


def as_read(port: Port, given: Any) -> NDArray[Any]:
    """Return values as an input reads them; numbers that are no whole ones stay as they are where it reads those.

    Examples
    --------
    >>> as_read(Port("n", "int32", (1,)), np.array([1.0, 2.0])).tolist()
    [[1], [2]]
    """
    array = np.asarray(given)
    if port.dtype == "string":
        texts = np.array([_text(value) for value in array.ravel().tolist()], dtype=object)
        return _shaped(port, texts.reshape(array.shape))
    try:
        target = np.dtype(port.dtype)
    except TypeError:
        raise RefusedError(
            f"the input '{port.name}' reads {port.dtype}, which ONNX Runtime does not on a processor",
            hint="build the model with float32 inputs",
        ) from None
    numbers = _shaped(port, array if array.dtype.kind in "biuf" else array.astype(np.float64))
    if target.kind in "iu" and numbers.dtype.kind == "f" and not _whole(numbers, target):
        return numbers
    return numbers.astype(target)


def require_readable(entry: Entry, arrays: Arrays) -> None:
    """Raise ValueError where numbers are none that an input can read."""
    for port in entry.ports:
        kind = arrays[port.name].dtype.name
        if port.dtype not in {"string", kind}:
            raise ValueError(f"the input '{port.name}' reads {port.dtype}, and some values are no whole numbers of it")


def _is_matrix(ports: tuple[Port, ...], frame: pd.DataFrame) -> bool:
    if not ports:
        return True
    if len(ports) > 1 or ports[0].shape is None:
        return False
    return ports[0].dtype != "string" and ports[0].shape in {(frame.shape[1],), (None,)}


def _numbers(frame: pd.DataFrame) -> NDArray[np.float64]:
    try:
        return frame.to_numpy(np.float64)
    except (TypeError, ValueError) as error:
        raise TableError(
            f"the model reads numbers, and a column holds something else: {error}", hint="pass columns of numbers only"
        ) from error


def _shaped(port: Port, array: NDArray[Any]) -> NDArray[Any]:
    if port.shape == (1,) and array.ndim == 1:
        return array.reshape(-1, 1)
    if port.shape == () and array.ndim == 2 and array.shape[1] == 1:
        return array.reshape(-1)
    return array


def _whole(numbers: NDArray[Any], target: np.dtype[Any]) -> bool:
    limits = np.iinfo(target)
    inside = (numbers >= float(limits.min)) & (numbers < float(limits.max) + 1)
    return bool((inside & (numbers == np.floor(numbers))).all())


def _text(value: Any) -> str:
    """Return a value as Keras reads it: TensorFlow has no missing text, so a missing one is the empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
