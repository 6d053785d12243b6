"""The sockets that are served: loopback unless told otherwise, and one line when one cannot be had."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from shiplap.core.errors import InputError

__all__ = ["address_of", "listen", "listen_many", "listen_unix", "remove_unix"]

_ONLY_ME = 0o600


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


def listen_many(host: str, port: int, count: int, *, backlog: int = 1_024) -> list[socket.socket]:
    """Bind `count` listening sockets to one port; the system shares new connections out among them.

    Raises
    ------
    InputError
        As `listen` does.
    """
    with listen(host, port, backlog=1) as alone:  # a port that somebody else shares already is not free
        chosen = alone.getsockname()[1]
    return [listen(host, chosen, backlog=backlog, reuse_port=True) for _ in range(count)]


def listen_unix(path: Path, *, backlog: int = 1_024, mode: int = _ONLY_ME) -> socket.socket:
    """Bind a listening Unix socket; one that was left behind there by a server that is gone is replaced.

    Parameters
    ----------
    path : Path
        Where it is found. `remove_unix` takes it away again.
    backlog : int
        Connections that may wait to be accepted.
    mode : int
        Who may connect; by default the user whose process this is.

    Raises
    ------
    InputError
        Somebody listens there, something else is there, or the path cannot be used.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise InputError("this system has no Unix sockets", hint="serve on --host and --port")
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(OSError):  # before anybody can find it; not every system knows how
            os.fchmod(listener.fileno(), mode)
        listener.bind(str(path))
        path.chmod(mode)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise InputError(f"cannot listen on the Unix socket {path}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


def remove_unix(path: Path) -> None:
    """Remove a Unix socket that nobody listens on any more; anything else that is there stays."""
    with suppress(InputError):
        _clear(path)


def address_of(listener: socket.socket, *, secure: bool = False) -> str:
    """Return the URL of a listening socket, or ``unix:`` and its path.

    Parameters
    ----------
    listener : socket
        The socket.
    secure : bool
        Whether it is served with TLS.
    """
    if _is_unix(listener):
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _refusal(error: OSError, host: str, port: int) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(f"port {port} on {host} is already in use", hint="choose another, or 0 for any that is free")
    if error.errno == errno.EADDRNOTAVAIL:
        return InputError(f"'{host}' is no address of this machine", hint="127.0.0.1 serves this machine alone")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return InputError(f"port {port} on {host} may not be opened by this user", hint="choose one above 1023")
    return InputError(f"cannot listen on {host}, port {port}: {error.strerror or error}")


def _is_unix(listener: socket.socket) -> bool:
    return listener.family == getattr(socket, "AF_UNIX", None)


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens on; raises ``InputError`` where somebody does, or it is something else."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"cannot listen on the Unix socket {path}: {error.strerror or error}") from error
    if not stat.S_ISSOCK(kind):
        raise InputError(f"{path} is no socket, and is not overwritten", hint="name a path that is free")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"the Unix socket {path} cannot be taken over: {error.strerror or error}") from error
        else:
            raise InputError(f"somebody listens on the Unix socket {path} already", hint="name another path")
