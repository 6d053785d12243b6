"""`Head`, `Exchange`, `Route`: one request, what it asks for, and the one answer it gets."""

from __future__ import annotations

import sys
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from shiplap.engineer.deploy.serve.problem import ProblemError, phrase

__all__ = ["JSON", "Desk", "Exchange", "Handler", "Head", "Line", "Route"]

JSON = "application/json"


class Route(NamedTuple):
    """Where a protocol listens.

    Parameters
    ----------
    method : str
        ``GET`` (which answers ``HEAD`` too) or ``POST``.
    path : str
        Path with ``{name}`` for a segment that varies.
    handler : callable
        ``handler(exchange)``: answers now or later, or raises `ProblemError`.
    error_member : str
        Member of a problem's body that repeats the detail, for protocols whose clients look there.
    """

    method: str
    path: str
    handler: Handler
    error_member: str = ""


class Head(NamedTuple):
    """Everything that stands before a body; equal bytes make equal heads, so one can be used again.

    Parameters
    ----------
    method, path, query : str
        The request line; `path` is percent-decoded.
    headers : mapping of str to str
        Names in lower case; repeated ones joined by a comma.
    raw : tuple of (bytes, bytes)
        Headers as they came.
    version : str
        ``"1.0"`` or ``"1.1"``.
    keep : bool
        Whether the connection stays open afterwards.
    length : int
        Bytes of body that follow; -1 when it comes in chunks.
    media_type : str
        Content type without its parameters, in lower case; empty when there is none.
    route : Route
        Who answers.
    parameters : mapping of str to str
        The segments of the path that vary.
    plain : bool
        Whether an answer needs no other headers than the usual: HTTP/1.1, kept open, with a body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw: tuple[tuple[bytes, bytes], ...]
    version: str
    keep: bool
    length: int
    media_type: str
    route: Route
    parameters: Mapping[str, str]
    plain: bool


class Desk(Protocol):
    """What an answer needs of the server: the time of day, ready to be sent, and whether it is closing."""

    opening: bytes
    date: str
    draining: bool


class Line(Protocol):
    """What an answer needs of its connection: to know when it may go out, and whether anybody listens."""

    lost: bool

    @property
    def desk(self) -> Desk:
        """The server."""
        ...

    def flush(self) -> None:
        """Send every answer whose turn has come."""
        ...

    def keeps(self, head: Head) -> bool:
        """Say whether the connection stays open after the answer to `head`."""
        ...


class Exchange:
    """One request and its answer, in its place in the line of its connection.

    Parameters
    ----------
    line : Line
        Where it came from.
    head : Head
        What is asked for.
    body : bytes
        The whole body.
    """

    __slots__ = ("body", "data", "head", "line")

    def __init__(self, line: Line, head: Head, body: bytes) -> None:
        self.line = line
        self.head = head
        self.body = body
        self.data: bytes | None = None

    @property
    def gone(self) -> bool:
        """Whether nobody is left to read the answer."""
        return self.line.lost

    def answer_json(self, body: bytes) -> None:
        """Answer 200 with JSON: what the hot path does."""
        line = self.line
        desk = line.desk
        if self.head.plain and not desk.draining:
            self.data = b"%b%d\r\n\r\n%b" % (desk.opening, len(body), body)
            line.flush()
        else:
            self.answer(body)

    def answer(
        self, body: bytes, *, status: int = 200, media_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer once; what comes later is dropped.

        Parameters
        ----------
        body : bytes
            Whole body; left out where the method or the status has none.
        status : int
            HTTP status.
        media_type : str
            Content type; empty for none.
        headers : mapping of str to str
            Further headers.
        """
        if self.data is not None:
            return
        head = self.head
        lines = [f"HTTP/1.1 {status} {phrase(status)}", f"Date: {self.line.desk.date}", "Server: shiplap"]
        if media_type:
            lines.append(f"Content-Type: {media_type}")
        lines.extend(f"{name}: {value}" for name, value in (headers or {}).items())
        if status != 204:
            lines.append(f"Content-Length: {len(body)}")
        if not self.line.keeps(head):
            lines.append("Connection: close")
        elif head.version == "1.0":
            lines.append("Connection: keep-alive")
        start = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        self.data = start if head.method == "HEAD" or status == 204 else start + body
        self.line.flush()

    def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem."""
        member = self.head.route.error_member
        body = problem.body(**{member: problem.message}) if member else problem.body()
        self.answer(body, status=problem.status, media_type="application/problem+json", headers=problem.headers)

    def fail(self, error: BaseException) -> None:
        """Answer 500 with an id; what happened is written to standard error under it, and not told to the client."""
        identity = uuid.uuid4().hex[:12]
        trace = "".join(traceback.format_exception(error))
        sys.stderr.write(f"error {identity} in {self.head.method} {self.head.path!r}\n{trace}")
        self.refuse(ProblemError(500, "an unexpected error; it is logged under its id", id=identity))

    def settle(self, error: BaseException) -> None:
        """Answer with whatever `error` means to a client."""
        if isinstance(error, ProblemError):
            self.refuse(error)
        else:
            self.fail(error)


Handler = Callable[[Exchange], None]
