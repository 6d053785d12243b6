"""What HTTP adds: the same rows, one at a time, over one kept connection to a server in a process of its own."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shiplap.core.errors import DoesNotHoldError
from shiplap.proof import Timing, time_calls

__all__ = ["over_http"]

_SERVE = "from shiplap.cli.main import main; main()"


def over_http(path: Path, rows: Sequence[dict[str, Any]], *, seconds: float = 1.0) -> Timing:
    """Time one row over HTTP: from the bytes of a request to the bytes of the answer, on loopback.

    Parameters
    ----------
    path : Path
        The ship file; it is served as ``shiplap serve`` serves it.
    rows : sequence of dict
        Rows to answer, in turn.
    seconds : float
        How long to measure.

    Returns
    -------
    Timing
        The machine's network and a client that does next to nothing included.

    Raises
    ------
    DoesNotHoldError
        The server does not start, or refuses a row.
    """
    requests = [_request(json.dumps(row).encode()) for row in rows]
    with _serving(path) as address, socket.create_connection(address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask(request: bytes) -> None:
            connection.sendall(request)
            answer = _answer(connection)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise DoesNotHoldError(f"'{path}' refuses a row over HTTP: {answer.decode(errors='replace')[-300:]}")

        return time_calls(ask, requests, seconds=seconds)


def _request(body: bytes) -> bytes:
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _answer(connection: socket.socket) -> bytes:
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0 or len(received) < end + 4 + _length(received[:end]):
        piece = connection.recv(65_536)
        if not piece:
            raise DoesNotHoldError("the server closed the connection before it had answered")
        received += piece
    return received


def _length(head: bytes) -> int:
    found = re.search(rb"(?im)^content-length: *(\d+)", head)
    return int(found[1]) if found else 0


@contextmanager
def _serving(path: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-P", "-c", _SERVE, "serve", str(path), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout is not None  # noqa: S101
    try:
        said = process.stdout.readline()
        if not said:
            raise DoesNotHoldError(f"'{path}' cannot be served: {process.communicate()[1].strip()[-200:]}")
        address = urlsplit(json.loads(said)["listening"])
        yield str(address.hostname), int(address.port or 0)
    finally:
        process.terminate()
        process.communicate(timeout=30)
