"""The one place that imports gRPC and protobuf, and that says how to get them; and the messages that are spoken."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from shiplap.core.errors import MissingExtraError

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # else every handshake that fails is told on standard error

try:
    import grpc
    import grpc.aio
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from google.protobuf.message import DecodeError
except ImportError as error:
    raise MissingExtraError("gRPC", extra="grpc") from error

__all__ = ["DecodeError", "grpc", "message"]


def message(name: str) -> Any:
    """Return the class of a message, such as ``"inference.ModelInferRequest"``.

    Examples
    --------
    >>> message("inference.ServerLiveResponse")(live=True).SerializeToString()
    b'\\x08\\x01'
    """
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


def _read_pool() -> Any:
    described = descriptor_pb2.FileDescriptorSet()
    described.ParseFromString((Path(__file__).parent / "messages" / "messages.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()  # our own: a client in this process may know messages of the same names
    for file in described.file:
        pool.Add(file)
    return pool


_POOL = _read_pool()
