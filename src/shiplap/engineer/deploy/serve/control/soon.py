"""`Soon`: handlers that answer when a coroutine has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec

from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.bodies import decode_error
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Handler
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Soon", "body_of", "model_of"]

T = TypeVar("T")


class Soon:
    """Makes handlers of coroutines, and keeps hold of those that run."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, act: Callable[[Exchange], Coroutine[Any, Any, object]]) -> Handler:
        """Return a handler that answers with what `act` returns, as JSON; with None, `act` has answered itself.

        What it raises is told as a problem.
        """

        def handler(exchange: Exchange) -> None:
            _refuse_pages(exchange)
            task = asyncio.get_running_loop().create_task(_answer(act, exchange))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return handler


def _refuse_pages(exchange: Exchange) -> None:
    """Refuse what a page in somebody's browser sends here: any page on the web could, to a listener on loopback."""
    head = exchange.head
    if head.method not in {"GET", "HEAD"} and {"origin", "sec-fetch-site"} & head.headers.keys():
        raise ProblemError(403, "changes are not taken from pages in a browser", field="Origin")


async def _answer(act: Callable[[Exchange], Coroutine[Any, Any, object]], exchange: Exchange) -> None:
    try:
        told = await act(exchange)
        if told is not None:
            exchange.answer(msgspec.json.encode(told))
    except ProblemError as error:
        exchange.refuse(error)
    except ShiplapError as error:
        exchange.refuse(ProblemError(409, error.message, hint=error.hint or None))
    except Exception as error:
        exchange.fail(error)


def model_of(exchange: Exchange) -> str:
    """Return the model that the path names."""
    return exchange.head.parameters["model"]


def body_of(exchange: Exchange, kind: type[T]) -> T:
    """Return the body, decoded from JSON; an empty one stands for an empty object. Raises ``ProblemError``."""
    try:
        return msgspec.json.decode(exchange.body or b"{}", type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error) from error
