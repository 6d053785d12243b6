"""The adapter of MXNet files: their operators are written down as ONNX once, and that is what answers.

MXNet itself is not asked: it is retired and runs on no current Python. That each operator answers as MXNet 1.9.1 did
is proven by golden answers in the tests; the certificate of a ship shows that nothing was lost on the way from there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frameworks.mxnet.export import to_onnx
from shiplap.adapters.frameworks.mxnet.files import MxnetModel
from shiplap.adapters.frameworks.neural import Neural, require_runnable
from shiplap.adapters.frameworks.onnx.session import Session
from shiplap.adapters.frameworks.protocol import Ask
from shiplap.core.errors import RefusedError, TableError

__all__ = ["MXNET", "Mxnet"]

Arrays = dict[str, NDArray[Any]]


class Mxnet:
    """Networks of MXNet, as `load` reads them."""

    name = "mxnet"

    def __init__(self) -> None:
        self._last: tuple[MxnetModel, tuple[tuple[int, ...], ...], Session] | None = None

    def inputs(self, model: MxnetModel, X: Any) -> Arrays:
        """Return rows as arrays by the names of the network's inputs."""
        names = model.inputs
        if isinstance(X, dict):
            missing = [name for name in names if name not in X]
            if missing:
                raise TableError(
                    f"the rows lack the network's input '{missing[0]}'", hint=f"it takes {', '.join(names)}"
                )
            return {name: np.asarray(X[name]).astype(model.dtype(name)) for name in names}
        if isinstance(X, pd.DataFrame) and len(names) > 1 and set(names) <= set(map(str, X.columns)):
            return {name: X[name].to_numpy().astype(model.dtype(name)) for name in names}
        if len(names) != 1:
            raise TableError(f"the network has {len(names)} inputs", hint=f"pass a dict of {', '.join(names)}")
        array = X.to_numpy(np.float64) if isinstance(X, pd.DataFrame) else np.asarray(X)
        return {names[0]: array.astype(model.dtype(names[0]))}

    def export(self, model: MxnetModel, arrays: Arrays, ask: Ask) -> Any:
        """Write the network down as ONNX."""
        if ask.preprocess is not None:
            raise RefusedError("a function cannot be put before an MXNet file", hint="compute its rows beforehand")
        written = to_onnx(model, {name: array.shape[1:] for name, array in arrays.items()})
        require_runnable(written)
        return written

    def call(self, model: MxnetModel, arrays: Arrays, ask: Ask) -> tuple[NDArray[Any], ...]:
        """Return what the network answers."""
        shapes = tuple(array.shape[1:] for array in arrays.values())
        if self._last is None or self._last[0] is not model or self._last[1] != shapes:
            self._last = (model, shapes, Session(self.export(model, arrays, ask)))
        session = self._last[2]
        return tuple(session.run(session.outputs, arrays))


MXNET = Neural(Mxnet())
