"""`Call`: one rpc, or one message of a stream, as an exchange: models and onlookers see no difference to HTTP."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any
from typing import Protocol as Shape
from urllib.parse import unquote

from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Head, Route
from shiplap.engineer.deploy.serve.http.exchange import Desk as HttpDesk
from shiplap.engineer.deploy.serve.http.hooks import Guard
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Call", "Desk", "RpcLine", "head_of"]


class Desk(HttpDesk, Shape):
    """What gRPC shares with the HTTP server of its process: limits, numbers, who may ask, and who looks on."""

    limits: Limits
    guard: Guard | None


class RpcLine:
    """Where an rpc came from.

    Parameters
    ----------
    desk : Desk
        The server.
    context : grpc.aio.ServicerContext
        The rpc, as gRPC knows it.
    """

    __slots__ = ("_context", "arrived", "desk", "lost")

    def __init__(self, desk: Desk, context: Any) -> None:
        self.desk = desk
        self.lost = False
        self.arrived = perf_counter()
        self._context = context

    @property
    def client(self) -> str:
        """The address of the client; empty where it has none."""
        kind, _, place = unquote(self._context.peer()).partition(":")
        return place.rpartition(":")[0].strip("[]") if kind in {"ipv4", "ipv6"} else ""

    @property
    def headers(self) -> Mapping[str, str]:
        """The metadata: repeated names are joined by a comma, and bytes left out."""
        headers: dict[str, str] = {}
        for name, value in self._context.invocation_metadata() or ():
            if isinstance(value, str):
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    @property
    def names(self) -> Sequence[str]:
        """The names in the certificate that the client has shown; those that anybody vouches for are the first."""
        shown = self._context.auth_context()
        marks = [*shown.get("x509_common_name", ()), *shown.get("x509_subject_alternative_name", ())]
        return list(dict.fromkeys(mark.decode() for mark in marks))

    def flush(self) -> None:
        """Do nothing: answers go their own way."""

    def keeps(self, _: object) -> bool:
        """Say that the connection stays open: it is none of an answer's business."""
        return True


class Call(Exchange):
    """One request and its one answer, which goes to `outcome`.

    Parameters
    ----------
    line : RpcLine
        Where it came from.
    head : Head
        What is asked for.
    body : bytes
        The message.

    Attributes
    ----------
    outcome : Future
        The answer, or why there is none.
    """

    __slots__ = ("outcome",)

    line: RpcLine

    def __init__(self, line: RpcLine, head: Head, body: bytes) -> None:
        super().__init__(line, head, body)
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def gone(self) -> bool:
        """Whether nobody is left to read the answer."""
        return self.outcome.done()

    def name(self, model: str, version: str) -> None:
        """Say which ship is asked; either text may be empty, and then nothing is said."""
        told = {"model": model, "version": version}
        self.head = self.head._replace(parameters={name: text for name, text in told.items() if text})

    def answer(
        self, body: Any, *, status: int = 200, media_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with what a model gave; the rest is HTTP's."""
        if not self.outcome.done():
            self.outcome.set_result(body)

    def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem."""
        self.settle(problem)

    def problem(self, error: Exception) -> ProblemError:
        """Return what an error means to a client; one of our own is written to standard error, and not told."""
        if isinstance(error, ProblemError):
            return error
        sys.stderr.write(f"error {self.id} in {self.head.path!r}\n{''.join(traceback.format_exception(error))}")
        return ProblemError(500, "an unexpected error; it is logged under its id", id=self.id)

    def settle(self, error: BaseException) -> None:
        """Answer with whatever `error` means to a client."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


def head_of(route: Route, headers: Mapping[str, str]) -> Head:
    """Return the head of an rpc as HTTP would have it."""
    return Head(
        method="POST",
        path=route.path,
        query="",
        headers=headers,
        raw=(),
        version="2",
        keep=True,
        length=-1,
        media_type="application/grpc",
        route=route,
        parameters={},
        plain=False,
    )
