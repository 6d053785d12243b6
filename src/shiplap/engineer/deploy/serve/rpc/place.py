"""`reserve`: a port for gRPC that the workers of a server share; done before they are forked, and without gRPC."""

from __future__ import annotations

import socket
from importlib.util import find_spec

from shiplap.core.errors import MissingExtraError
from shiplap.engineer.deploy.serve.http.listener import listen

__all__ = ["place_of", "reserve"]


def reserve(host: str, port: int) -> socket.socket:
    """Hold a port, without listening on it: each worker's gRPC server binds to it as well, and listens.

    Parameters
    ----------
    host : str
        Name or address; a name stands for its first address.
    port : int
        0 to 65535; 0 takes a free one.

    Raises
    ------
    MissingExtraError
        gRPC is not installed.
    InputError
        The port is taken, or the address is not one of this machine.

    Examples
    --------
    >>> with reserve("127.0.0.1", 0) as held:
    ...     place_of(held).startswith("127.0.0.1:")
    True
    """
    if find_spec("grpc") is None:
        raise MissingExtraError("gRPC", extra="grpc")
    with listen(host, port) as first:  # alone, so that a port which somebody listens on is refused
        family, address = first.family, first.getsockname()[:2]
    held = socket.socket(family)
    if hasattr(socket, "SO_REUSEPORT"):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(address)
        return held
    held.close()
    return listen(*address)


def place_of(held: socket.socket) -> str:
    """Return host and port of a socket as gRPC takes them: ``127.0.0.1:9000``, ``[::1]:9000``."""
    host, port = held.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
