"""ONNX Runtime on the processor: the default runtime."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from shiplap.core.errors import InputError, ShipError

__all__ = ["OnnxRuntime"]

_FATAL = 4  # what goes wrong with a row is raised, and said once
_ORT_ERRORS: tuple[type[Exception], ...] = (
    ort_state.Fail,
    ort_state.InvalidArgument,
    ort_state.InvalidGraph,
    ort_state.InvalidProtobuf,
    ort_state.NoSuchFile,
    ort_state.NotImplemented,
    ort_state.RuntimeException,
    RuntimeError,
)


class OnnxRuntime:
    """A graph in ONNX Runtime, numbers computed on the processor.

    Parameters
    ----------
    graph : bytes
        ONNX model: one double matrix in, one out.
    threads : int
        Threads that one call may use.
    weights : mapping of str to ndarray
        Constants of the graph that lie outside of it, by name.

    Raises
    ------
    ShipError
        ONNX Runtime cannot load the graph, or it does not take one double matrix and give one.

    References
    ----------
    ONNX Runtime, https://onnxruntime.ai/docs/api/python/api_summary.html
    """

    def __init__(
        self, graph: bytes, *, threads: int = 1, weights: Mapping[str, NDArray[Any]] = MappingProxyType({})
    ) -> None:
        if threads < 1:
            raise InputError(f"threads must be 1 or more, not {threads}")
        options = _options(threads)
        # Kept for as long as the session is: some runtimes copy them, others look into them.
        self._weights = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
        if self._weights:
            options.add_external_initializers(list(weights), self._weights)
            options.add_session_config_entry("session.disable_prepacking", "1")  # or they are in memory twice
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except _ORT_ERRORS as error:
            raise ShipError(f"graph.onnx cannot be loaded: {_first_line(error)}", hint="pack it again") from error
        ports = [*self._session.get_inputs(), *self._session.get_outputs()]
        if len(ports) != 2 or any(port.type != "tensor(double)" or len(port.shape) != 2 for port in ports):
            raise ShipError("graph.onnx does not take one double matrix and give one", hint="pack it again")
        self._names = (ports[0].name, ports[1].name)
        width = ports[0].shape[1]
        if not isinstance(width, int):
            raise ShipError("graph.onnx leaves the width of its input open", hint="pack it again")
        self.width: int = width
        self.n_outputs: int = self._run(np.zeros((1, width))).shape[1]

    def run(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the outputs of a matrix.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, width)
            Encoded rows; none at all is fine.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_outputs)

        Raises
        ------
        ShipError
            The graph fails on these rows.
        """
        if not len(matrix):
            return np.empty((0, self.n_outputs))
        return self._run(matrix)

    def _run(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        try:
            out: NDArray[np.float64] = self._session.run([self._names[1]], {self._names[0]: matrix})[0]
        except _ORT_ERRORS as error:
            raise _failed(error) from error
        if out.ndim != 2 or len(out) != len(matrix):
            raise ShipError(f"graph.onnx gives an array of shape {out.shape} for {len(matrix)} rows")
        return out

    def bound(self) -> OrtRow:
        """Return fresh buffers for single rows; one thread at a time may use them."""
        return OrtRow(self._session, self._names, (self.width, self.n_outputs))


class OrtRow:
    """Input and output of one row, bound once: a call copies nothing and looks nothing up.

    Parameters
    ----------
    session : InferenceSession
        The loaded graph.
    names : tuple of str
        Name of the input and of the output.
    widths : tuple of int
        Columns of the input and of the output.
    """

    def __init__(self, session: Any, names: tuple[str, str], widths: tuple[int, int]) -> None:
        self.input = np.zeros((1, widths[0]))
        self.output = np.zeros((1, widths[1]))
        self._session_run = session.run_with_iobinding
        self._binding = session.io_binding()
        self._binding.bind_input(names[0], "cpu", 0, np.float64, self.input.shape, self.input.ctypes.data)
        self._binding.bind_output(names[1], "cpu", 0, np.float64, self.output.shape, self.output.ctypes.data)

    def run(self) -> None:
        """Compute `output` from `input`; raises ``ShipError`` where the graph fails on this row."""
        try:
            self._session_run(self._binding)
        except _ORT_ERRORS as error:
            raise _failed(error) from error


def _failed(error: Exception) -> ShipError:
    said = f"graph.onnx fails on these rows: {_first_line(error)}"
    return ShipError(said, hint="look for a number outside what the model knows, such as an index that is too large")


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    options.enable_cpu_mem_arena = False  # an arena keeps the memory of the largest batch for ever
    options.add_session_config_entry("session.load_model_format", "ONNX")  # what was audited is what is loaded
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
