"""Whether ONNX Runtime takes an exported network at all."""

from __future__ import annotations

import re
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as states

from shiplap.core.errors import RefusedError

__all__ = ["require_runnable"]


def require_runnable(model: Any) -> Any:
    """Load an exported network once, so that what the runtime lacks is told by name.

    Parameters
    ----------
    model : onnx.ModelProto
        The network.

    Returns
    -------
    onnxruntime.InferenceSession
        It runs the network on one thread, as it is written.

    Raises
    ------
    RefusedError
        An operator is unknown to ONNX Runtime, or not there for the type it computes in.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except (states.Fail, states.NotImplemented, states.InvalidGraph, states.InvalidArgument) as error:
        raise RefusedError(
            f"ONNX Runtime cannot run the network: {_reason(str(error))}",
            hint="compute in float32, with the framework's usual layers",
        ) from error


def _reason(message: str) -> str:
    """Return what is missing, without the addresses of the runtime's own code.

    Examples
    --------
    >>> _reason("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find Erf(13) node with name ''")
    'Could not find Erf(13)'
    """
    told = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", message.strip())
    return re.sub(r" node with name '[^']*'.*", "", told).split("\n")[0][:300]
