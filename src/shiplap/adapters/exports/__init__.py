"""Ships in other forms: one plain ONNX file with named inputs."""

from shiplap.adapters.exports.onnx_file import PlainModel, compose
from shiplap.adapters.exports.plan import Flat, Lookup, Moment, Part, Plain, Plan, Port

__all__ = ["Flat", "Lookup", "Moment", "Part", "Plain", "PlainModel", "Plan", "Port", "compose"]
