"""MXNet networks from their files: read without MXNet, written down as ONNX."""

from shiplap.adapters.frameworks.mxnet.export import to_onnx
from shiplap.adapters.frameworks.mxnet.files import MxnetModel, load
from shiplap.adapters.frameworks.mxnet.operators import known_operators

__all__ = ["MxnetModel", "known_operators", "load", "to_onnx"]
