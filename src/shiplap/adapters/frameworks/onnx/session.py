"""Run an ONNX model as it is, with its own types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from shiplap.core.errors import RefusedError

__all__ = ["Session"]

_LOADING = (states.Fail, states.NotImplemented, states.InvalidGraph, states.InvalidArgument, states.InvalidProtobuf)
_RUNNING = (states.Fail, states.InvalidArgument, states.RuntimeException, RuntimeError)

_PLACE = re.compile(r"^/\S+:\d+ .*?\) (?=[A-Z])")
"""Where in its own source ONNX Runtime stumbled."""


class Session:
    """A model in ONNX Runtime.

    Parameters
    ----------
    model : onnx.ModelProto or Path
        The model, or its file.
    batch : int
        How many rows it takes at once; 0 for any number.

    Raises
    ------
    RefusedError
        ONNX Runtime cannot run it.
    """

    def __init__(self, model: onnx.ModelProto | Path, *, batch: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._batch = batch
        try:
            source = model if isinstance(model, Path) else model.SerializeToString()
            self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except _LOADING as error:
            reason = _PLACE.sub("", str(error).strip().splitlines()[0].rpartition(" : ")[2])[:300]
            raise RefusedError(f"ONNX Runtime cannot run the model: {reason}", hint="export it again") from error
        self.outputs = tuple(output.name for output in self._session.get_outputs())

    def run(self, names: Sequence[str], arrays: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return outputs by name, all rows at once or as many as the model takes.

        Raises
        ------
        ValueError
            The model cannot take these numbers.
        """
        n_rows = len(next(iter(arrays.values())))
        step = self._batch or max(n_rows, 1)
        parts = []
        for start in range(0, max(n_rows, 1), step):
            part = {name: array[start : start + step] for name, array in arrays.items()}
            try:
                parts.append(self._session.run(list(names), part))
            except _RUNNING as error:
                raise ValueError(str(error)) from error
        return [np.concatenate(found) for found in zip(*parts, strict=True)]
