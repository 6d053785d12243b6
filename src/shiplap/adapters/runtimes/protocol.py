"""What a runtime offers, and the registry that finds one by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiplap.core.registry import Registry

__all__ = ["Bound", "MakeRuntime", "Runtime", "runtimes"]


class Bound(Protocol):
    """Buffers for one row that the graph reads from and writes to; one thread at a time may use it."""

    input: NDArray[np.float64]
    """Shape (1, width); what `run` reads."""

    output: NDArray[np.float64]
    """Shape (1, n_outputs); what `run` writes."""

    def run(self) -> None:
        """Compute `output` from `input`."""
        ...


class Runtime(Protocol):
    """A graph that is ready to run.

    Attributes
    ----------
    width : int
        Columns of the input matrix.
    n_outputs : int
        Columns of the output matrix.
    """

    width: int
    n_outputs: int

    def run(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the outputs of a matrix of shape (n_rows, width), shape (n_rows, n_outputs); safe among threads."""
        ...

    def bound(self) -> Bound:
        """Return fresh buffers for the fastest path of a single row."""
        ...


class MakeRuntime(Protocol):
    """Makes a runtime of the bytes of an ONNX model, and of constants by name that lie outside of it."""

    def __call__(self, graph: bytes, *, threads: int = 1, weights: Mapping[str, NDArray[Any]] = ...) -> Runtime:
        """Load the graph; at most `threads` threads compute one call."""
        ...


runtimes: Registry[MakeRuntime] = Registry("runtime", group="shiplap.runtimes")
"""Runtimes by name."""
runtimes.add_lazy("onnxruntime", "shiplap.adapters.runtimes.ort:OnnxRuntime", extra="")
