"""The socket that is served: loopback unless told otherwise, and one line when it cannot be had."""

from __future__ import annotations

import errno
import socket

from shiplap.core.errors import InputError

__all__ = ["address_of", "listen", "listen_many"]


def listen(host: str, port: int, *, backlog: int = 1_024, reuse_port: bool = False) -> socket.socket:
    """Bind a listening TCP socket.

    Parameters
    ----------
    host : str
        Name or address; a name stands for its first address.
    port : int
        0 to 65535; 0 takes a free one.
    backlog : int
        Connections that may wait to be accepted.
    reuse_port : bool
        Whether other sockets may listen on the port too.

    Raises
    ------
    InputError
        The port is taken, or the address is not one of this machine.

    Examples
    --------
    >>> with listen("127.0.0.1", 0) as listener:
    ...     address_of(listener).startswith("http://127.0.0.1:")
    True
    """
    if not 0 <= port <= 65_535:
        raise InputError(f"a port is a number from 0 to 65535, not {port}")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(f"the host '{host}' is not known", hint="127.0.0.1 serves this machine alone") from error
    try:
        listener = socket.create_server(address[:2], family=family, backlog=backlog, reuse_port=reuse_port)
    except OSError as error:
        raise _refusal(error, host, port) from error
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refusal(error: OSError, host: str, port: int) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(f"port {port} on {host} is already in use", hint="choose another, or 0 for any that is free")
    if error.errno == errno.EADDRNOTAVAIL:
        return InputError(f"'{host}' is no address of this machine", hint="127.0.0.1 serves this machine alone")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return InputError(f"port {port} on {host} may not be opened by this user", hint="choose one above 1023")
    return InputError(f"cannot listen on {host}, port {port}: {error.strerror or error}")


def listen_many(host: str, port: int, count: int, *, backlog: int = 1_024) -> list[socket.socket]:
    """Bind `count` listening sockets to one port; the system shares new connections out among them.

    Raises
    ------
    InputError
        As `listen` does.
    """
    first = listen(host, port, backlog=backlog, reuse_port=True)
    chosen = first.getsockname()[1]
    return [first, *(listen(host, chosen, backlog=backlog, reuse_port=True) for _ in range(count - 1))]
