"""PyTorch among the networks: rows to tensors, the module's own answers, its ONNX model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from shiplap.adapters.frameworks.neural import Neural
from shiplap.adapters.frameworks.protocol import Ask
from shiplap.adapters.frameworks.torch.export import Entry, exported
from shiplap.adapters.frameworks.torch.modules import answering, input_names, real_dtype, require_plain
from shiplap.core.errors import RefusedError, TableError, nearest

__all__ = ["TORCH", "TorchNetwork"]

Arrays = dict[str, NDArray[Any]]
Preprocess = Callable[..., Any] | None

_NUMPY: dict[Any, np.dtype[Any]] = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
_REFUSALS = (RuntimeError, IndexError, TypeError, AssertionError)


class TorchNetwork:
    """Asks modules for their answers in evaluation mode, and exports them.

    A module does not say whether an input holds whole or real numbers. What it was given when it first answered is
    remembered, and later rows are turned to that: a client's ``3.0`` is the index 3.

    Examples
    --------
    >>> rows = TORCH.network.inputs(torch.nn.Linear(2, 1), np.zeros((4, 2)))
    >>> {name: (array.shape, str(array.dtype)) for name, array in rows.items()}
    {'input': ((4, 2), 'float32')}
    """

    name = "torch"

    def __init__(self) -> None:
        self._answered: WeakKeyDictionary[Any, dict[str, np.dtype[Any]]] = WeakKeyDictionary()

    def inputs(self, model: Any, X: Any) -> Arrays:
        """Return rows as arrays by the names of ``forward``'s parameters; see `Network.inputs`."""
        if model not in self._answered:
            require_plain(model)
        if isinstance(X, pd.DataFrame):
            arrays = self._of_frame(model, X)
        elif isinstance(X, Mapping):
            arrays = {str(name): _array(values) for name, values in X.items()}
        else:
            arrays = _in_order(model, X if isinstance(X, tuple) else (X,))
        known: dict[str, np.dtype[Any]] = self._answered.get(model, {})
        real = _NUMPY[real_dtype(model)]
        return {name: _cast(name, array, known.get(name), real) for name, array in arrays.items()}

    def export(self, model: Any, arrays: Arrays, ask: Ask) -> Any:
        """Return the module as an ONNX model; see `Network.export`."""
        names = _ordered(model, arrays, ask.preprocess)
        with answering(model, ask.preprocess):
            return exported(model, {name: _tensor(arrays[name]) for name in names}, ask.preprocess)

    def call(self, model: Any, arrays: Arrays, ask: Ask) -> tuple[NDArray[Any], ...]:
        """Return the module's own answers; see `Network.call`."""
        names = _ordered(model, arrays, ask.preprocess)
        entry = Entry(model, names, ask.preprocess)
        tensors = [_tensor(arrays[name]) for name in names]
        with answering(entry, model, ask.preprocess), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                answers = entry(*tensors)
            except _REFUSALS as error:
                raise ValueError(f"the model cannot answer these rows: {_first_line(error)}") from error
        self._answered[model] = {name: array.dtype for name, array in arrays.items()}
        return tuple(_numbers(index, answer, len(tensors[0])) for index, answer in enumerate(answers))

    def _of_frame(self, model: Any, frame: pd.DataFrame) -> Arrays:
        """Return a frame of plain columns: the features of the only input, or one input a column."""
        required, optional = input_names(model)
        for name in frame.columns:
            if frame[name].dtype.kind not in "fiub" and not _is_numbers(frame[name]):
                raise TableError(
                    f"column '{name}' holds no numbers, and the model computes with numbers",
                    hint="encode it as the model was trained on it",
                )
        if len(required) == 1 and list(frame.columns) != list(required):
            matrix = frame.to_numpy(dtype=np.float64, na_value=np.nan)
            whole = all(kind.kind in "iub" for kind in frame.dtypes)
            return {required[0]: matrix.astype(np.int64) if whole and self._takes_whole(model, matrix) else matrix}
        missing = [name for name in required if name not in frame.columns]
        if missing:
            raise TableError(
                f"the rows have no column '{missing[0]}', which the model's forward reads",
                hint=nearest(missing[0], map(str, frame.columns)),
            )
        names = [name for name in (*required, *optional) if name in frame.columns]
        return {name: frame[name].to_numpy(dtype=None if frame[name].dtype.kind in "fiub" else float) for name in names}

    def _takes_whole(self, model: Any, matrix: NDArray[np.float64]) -> bool:
        """Tell whether a module whose only input came as whole numbers reads them as such: it is asked."""
        if model in self._answered:
            return next(iter(self._answered[model].values())).kind in "iu"
        name = input_names(model)[0][0]
        try:
            self.call(model, {name: matrix[:2].astype(np.int64)}, Ask())
        except ValueError:
            return False
        return True


TORCH = Neural(TorchNetwork())


def _in_order(model: Any, given: tuple[Any, ...]) -> Arrays:
    """Return arrays by the names of the parameters that they are given to by position."""
    required, optional = input_names(model)
    if not len(required) <= len(given) <= len(required) + len(optional):
        raise TableError(
            f"the model's forward reads {', '.join(required)}, and one array is no dict of these"
            if len(given) == 1
            else f"the model's forward reads {', '.join(required)}, and {len(given)} arrays were given",
            hint="pass a dict of arrays by the names of forward's parameters",
        )
    return dict(zip((*required, *optional), map(_array, given), strict=False))


def _ordered(model: Any, arrays: Arrays, preprocess: Preprocess) -> tuple[str, ...]:
    """Return the names of the inputs in the order in which they are given to the preprocessing or the model."""
    required, optional = input_names(model, preprocess)
    if preprocess is not None and set(arrays) - {*required, *optional}:
        return tuple(arrays)  # a function of tensors takes them by position, whatever it calls them
    unknown = [name for name in arrays if name not in {*required, *optional}]
    missing = [name for name in required if name not in arrays]
    if unknown or missing:
        what = f"reads no '{unknown[0]}'" if unknown else f"also reads '{missing[0]}'"
        raise TableError(f"the model's forward {what}", hint=f"it reads: {', '.join((*required, *optional))}")
    return tuple(name for name in (*required, *optional) if name in arrays)


def _array(values: Any) -> NDArray[Any]:
    if isinstance(values, torch.Tensor):
        return np.asarray(values.detach().cpu().numpy())
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TableError(f"the model computes with numbers, not with {array.dtype}", hint="pass arrays of numbers")
    if not array.ndim:
        raise TableError("a single number is no batch of rows", hint="let the first axis be the rows")
    return array


def _cast(name: str, array: NDArray[Any], known: np.dtype[Any] | None, real: np.dtype[Any]) -> NDArray[Any]:
    """Return an array in the dtype that the model reads."""
    if known is None:
        known = real if array.dtype.kind == "f" else array.dtype
        if array.dtype.kind == "u" and array.dtype.itemsize > 1:
            known = np.dtype(np.int64)
    if array.dtype.kind == "f" and known.kind in "iub":
        whole = np.isfinite(array) & (array == np.trunc(array)) & (np.abs(array) < 2.0**53)
        if not whole.all():
            raise ValueError(f"the input '{name}' takes whole numbers")
    with np.errstate(over="ignore"):
        return array.astype(known)


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(array, order="C"))


def _numbers(index: int, answer: torch.Tensor, n_rows: int) -> NDArray[Any]:
    if not answer.dim() or len(answer) != n_rows:
        raise RefusedError(
            f"output {index} has the shape {list(answer.shape)} for {n_rows} rows: its first axis is not the batch",
            hint="let forward return only tensors with a row for each row it was given",
        )
    if answer.is_complex() or answer.dtype in {torch.float16, torch.bfloat16}:
        raise RefusedError(f"output {index} is of {answer.dtype}", hint="let forward return real numbers by .float()")
    return np.asarray(answer.numpy())


def _is_numbers(column: pd.Series[Any]) -> bool:
    return bool(
        pd.api.types.is_numeric_dtype(column) or pd.to_numeric(column, errors="coerce").notna().eq(column.notna()).all()
    )


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
