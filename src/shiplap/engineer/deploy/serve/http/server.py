"""`Server`: the connections, the clock they are held to, and an orderly end."""

from __future__ import annotations

import asyncio
import secrets
import socket
from email.utils import formatdate

from shiplap.engineer.deploy.serve.http.codings import Press
from shiplap.engineer.deploy.serve.http.connection import Connection
from shiplap.engineer.deploy.serve.http.descriptors import room_for
from shiplap.engineer.deploy.serve.http.door import Door, Guest
from shiplap.engineer.deploy.serve.http.exchange import Head
from shiplap.engineer.deploy.serve.http.hooks import Guard, Observer
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.tls import Tls
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import FULL, FULL_BODY, phrase

__all__ = ["Server"]

_LEAST_BACKLOG = 128


class Server:
    """Accepts connections on one socket until it is drained.

    Parameters
    ----------
    routes : Routes
        Who answers what.
    limits : Limits
        What is accepted.
    guard : Guard, optional
        Who may ask; without one, everybody.
    observer : Observer, optional
        Who hears of every answer.
    tls : Tls, optional
        Certificate and key; without them, nothing is encrypted.
    """

    def __init__(
        self,
        routes: Routes,
        limits: Limits,
        *,
        guard: Guard | None = None,
        observer: Observer | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.routes = routes
        self.limits = limits
        self.known: dict[bytes, Head] = {}
        self.connections: set[Connection] = set()
        self.leaving: set[Connection] = set()
        self.guests: set[Guest] = set()
        self.tls = tls
        self.receiving = 0
        self.draining = False
        self.now = 0.0
        self.date = ""
        self.opening = self.full = b""
        self.gzip_bytes = limits.gzip_bytes
        self.press = Press(limits)
        self.guard = guard
        self.observer = observer
        self.count = 0
        self.origin = f"{secrets.token_hex(5)}-"

    async def start(self, listener: socket.socket) -> None:
        """Begin to accept connections on `listener`."""
        self.loop = asyncio.get_running_loop()
        self._period = min(1.0, min(self.limits.read_s, self.limits.idle_s, self.limits.write_s) / 4)
        self._most, self.most_leaving = room_for(self.limits.connections)
        self._tick()
        self._door = None
        self._listening = None
        backlog = max(_LEAST_BACKLOG, self.limits.connections)  # or a client past the limit would wait to be told so
        if self.tls is not None:
            self._door = Door(self, self.tls, listener)
        elif listener.family == getattr(socket, "AF_UNIX", None):
            self._listening = await self.loop.create_unix_server(self._welcome, sock=listener, backlog=backlog)
        else:
            self._listening = await self.loop.create_server(self._welcome, sock=listener, backlog=backlog)

    def _welcome(self) -> Connection:
        return Connection(self)

    def route(self, routes: Routes) -> None:
        """Answer by other routes from the next request on; those in progress are answered as they began."""
        self.routes = routes
        self.forget()

    def admits(self) -> bool:
        """Say whether there is room for one more connection."""
        return not self.draining and len(self.connections) + len(self.guests) < self._most

    def forget(self) -> None:
        """Look again at heads that are known: who answers them, and who may ask."""
        self.known.clear()

    async def drain(self) -> None:
        """Accept nothing new, let requests in progress finish, and close; cut off what takes longer than `drain_s`."""
        self.draining = True
        if self._listening is not None:
            self._listening.close()
        if self._door is not None:
            self._door.close()
        for connection in self._all():
            connection.drain()
        deadline = self.loop.time() + self.limits.drain_s
        while self._all() and self.loop.time() < deadline:
            await asyncio.sleep(0.01)
        for connection in self._all():
            connection.cut()
        await asyncio.sleep(0)
        self._timer.cancel()
        self.press.close()

    def _all(self) -> tuple[Connection, ...]:
        return (*self.connections, *self.leaving)

    def _tick(self) -> None:
        self._timer = self.loop.call_later(self._period, self._tick)
        self.now = self.loop.time()
        self.date = formatdate(usegmt=True)
        self.opening = (
            f"HTTP/1.1 200 OK\r\nDate: {self.date}\r\nServer: shiplap\r\n"
            f"Content-Type: application/json\r\nX-Request-Id: {self.origin}"
        ).encode("ascii")
        self.full = (
            f"HTTP/1.1 {FULL.status} {phrase(FULL.status)}\r\nDate: {self.date}\r\nServer: shiplap\r\n"
            f"Content-Type: application/problem+json\r\nRetry-After: {FULL.headers['Retry-After']}\r\n"
            f"Content-Length: {len(FULL_BODY)}\r\nX-Request-Id: {self.origin}"
        ).encode("ascii")
        for connection in self._all():
            connection.check_time()
