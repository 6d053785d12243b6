"""`Handling`: what all rpcs have in common: who may ask, how long it may take, how it is refused, who looks on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.rpc.call import Call, Desk, RpcLine, head_of
from shiplap.engineer.deploy.serve.rpc.library import grpc

__all__ = ["PROTOCOL", "Handler", "Handling"]

PROTOCOL = "grpc"
"""What metrics call it."""

Handler = Callable[[Call, bytes], Awaitable[bytes]]
"""``handler(call, message)`` returns the answer, or raises `ProblemError`."""

_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    405: grpc.StatusCode.UNIMPLEMENTED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_GONE = 499  # the client went away
_LONGEST, _LARGEST = 1_000, 3_000  # a client takes 8 KiB of metadata


class Handling:
    """Makes the handlers that gRPC calls.

    Bytes are handed on as they came: a message that is none is refused like any other that does not fit. Requests of
    one message are read as streams are, which are the same on the wire, so that a client that sends slowly is cut off.

    Parameters
    ----------
    desk : Desk
        The server.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def unary(self, path: str, handler: Handler) -> Any:
        """Return a handler for one message and one answer."""
        route = _route(path)

        async def respond(_: object, context: Any) -> bytes:
            call = self._begin(route, context)
            told = b""
            problem: ProblemError | None = ProblemError(_GONE, "the client is gone")
            try:
                self._admit(call)
                call.body = await self._read(context)
                call.arrived = perf_counter()
                self._spend(call)
                told = await handler(call, call.body)
                problem = None
            except Exception as error:
                problem = call.problem(error)
            finally:
                self._tell(call, problem, len(told))
            if problem is not None:
                await _abort(context, call, problem)
            context.set_trailing_metadata((("x-request-id", call.id),))
            return told

        return grpc.stream_unary_rpc_method_handler(respond)

    def stream(self, path: str, handler: Handler, refusal: Callable[[ProblemError], bytes]) -> Any:
        """Return a handler for a stream of messages: each is answered before the next is read, with its own refusal."""
        route = _route(path)

        async def respond(_: object, context: Any) -> None:
            call = self._begin(route, context)
            try:
                self._admit(call)
                while (message := await self._next(context)) is not grpc.aio.EOF:
                    one = Call(RpcLine(self.desk, context), call.head, message)
                    await context.write(await self._one(one, handler, refusal))
                return
            except ProblemError as error:
                problem = error
            self._tell(call, problem, 0)
            await _abort(context, call, problem)

        return grpc.stream_stream_rpc_method_handler(respond)

    def end(self) -> None:
        """Let streams end, now that the server is to stop."""
        if not self.ending.done():
            self.ending.set_result(None)

    async def _one(self, call: Call, handler: Handler, refusal: Callable[[ProblemError], bytes]) -> bytes:
        told = b""
        problem: ProblemError | None = ProblemError(_GONE, "the client is gone")
        try:
            self._spend(call)
            told = await handler(call, call.body)
            problem = None
        except Exception as error:
            problem = call.problem(error)
            told = refusal(problem)
        finally:
            self._tell(call, problem, len(told))
        return told

    async def _next(self, context: Any) -> Any:
        reading = asyncio.ensure_future(context.read())
        await asyncio.wait((reading, self.ending), return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            return reading.result()
        reading.cancel()
        raise ProblemError(503, "the server is stopping", headers={"Retry-After": "1"}, reason="stopping")

    async def _read(self, context: Any) -> bytes:
        seconds = self.desk.limits.read_s
        try:
            async with asyncio.timeout(seconds):
                message = await context.read()
        except TimeoutError:
            raise ProblemError(408, f"the message did not come within {seconds:g} seconds") from None
        if message is grpc.aio.EOF:
            raise ProblemError(400, "a message is expected")
        return bytes(message)

    def _begin(self, route: Route, context: Any) -> Call:
        line = RpcLine(self.desk, context)
        return Call(line, head_of(route, line.headers), b"")

    def _admit(self, call: Call) -> None:
        guard = self.desk.guard
        if guard is not None:
            names = call.line.names
            guard = guard.showing(names) if names else guard
            call.head = call.head._replace(key=guard.authorize(call.head.headers, call.head.path))

    def _spend(self, call: Call) -> None:
        if call.head.key is not None and self.desk.guard is not None:
            self.desk.guard.spend(call.head.key)

    def _tell(self, call: Call, problem: ProblemError | None, size_bytes: int) -> None:
        if problem is not None:
            call.reason = problem.reason
        if self.desk.observer is not None:
            self.desk.observer.answered(call, 200 if problem is None else problem.status, size_bytes)


async def _abort(context: Any, call: Call, problem: ProblemError) -> None:
    """End an rpc with a problem: its code, its detail, and all of it as JSON in ``problem-bin``."""
    other = grpc.StatusCode.INVALID_ARGUMENT if problem.status < 500 else grpc.StatusCode.INTERNAL
    trailing: list[tuple[str, str | bytes]] = [("x-request-id", call.id)]
    body = problem.body()
    if len(body) <= _LARGEST:
        trailing.append(("problem-bin", body))
    seconds = problem.headers.get("Retry-After", "")
    if seconds.isdigit():
        trailing += [("retry-after", seconds), ("grpc-retry-pushback-ms", f"{seconds}000")]
    await context.abort(_CODES.get(problem.status, other), problem.message[:_LONGEST], tuple(trailing))


def _refuse(exchange: Exchange) -> None:
    raise ProblemError(404, f"{exchange.head.path} is asked over gRPC")


def _route(path: str) -> Route:
    return Route("POST", path, _refuse, "", PROTOCOL)
