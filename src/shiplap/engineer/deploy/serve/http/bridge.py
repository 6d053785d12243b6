"""`Bridge`: an ASGI application beside the predict routes, on the same port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from shiplap.engineer.deploy.serve.http.exchange import Exchange
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Application", "Bridge"]

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Bridge:
    """A handler that asks an ASGI application (ASGI 3.0, HTTP) and answers when its response is whole.

    Parameters
    ----------
    application : ASGI application
        Starlette's, or any other.
    tasks : int
        How many requests may be in progress.
    """

    def __init__(self, application: Application, *, tasks: int) -> None:
        self._application = application
        self._most = tasks
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, exchange: Exchange) -> None:
        """Answer `exchange` by the application."""
        if len(self._tasks) >= self._most:
            raise ProblemError(503, "too many requests are in progress", headers={"Retry-After": "1"}, reason="tasks")
        task = asyncio.get_running_loop().create_task(self._run(exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, exchange: Exchange) -> None:
        try:
            await _Call(exchange).run(self._application)
        except Exception as error:
            exchange.settle(error)


class _Call:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._sent = False
        self._status = 500
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    async def run(self, application: Application) -> None:
        head = self._exchange.head
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": head.version,
            "method": head.method,
            "scheme": "http" if self._exchange.line.desk.tls is None else "https",
            "path": head.path,
            "raw_path": head.path.encode(),
            "query_string": head.query.encode("ascii"),
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in head.raw],
            "client": None,
            "server": None,
        }
        await application(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._sent:
            return {"type": "http.disconnect"}
        self._sent = True
        return {"type": "http.request", "body": self._exchange.body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message.get("headers", ()))
            return
        self._body.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._answer(_folded(self._headers), b"".join(self._body))

    def _answer(self, headers: dict[str, str], body: bytes) -> None:
        headers.pop("content-length", None)
        media_type = headers.pop("content-type", "")
        if self._status == 405 and self._exchange.head.method == "OPTIONS" and "allow" in headers:
            allowed = ", ".join(sorted({*headers["allow"].split(", "), "OPTIONS"}))
            self._exchange.answer(b"", status=204, media_type="", headers={"Allow": allowed})
        else:
            self._exchange.answer(body, status=self._status, media_type=media_type, headers=headers)


def _folded(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
