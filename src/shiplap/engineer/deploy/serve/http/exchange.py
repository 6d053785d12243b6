"""`Head`, `Exchange`, `Route`: one request, what it asks for, and the one answer it gets."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from shiplap.engineer.deploy.serve.http.trace import TraceParent, parse_traceparent
from shiplap.engineer.deploy.serve.problem import FULL, FULL_BODY, ProblemError, phrase

if TYPE_CHECKING:
    from shiplap.engineer.deploy.serve.http.codings import Press
    from shiplap.engineer.deploy.serve.http.hooks import Key, Observer
    from shiplap.engineer.deploy.serve.http.tls import Tls

__all__ = ["JSON", "Desk", "Exchange", "Handler", "Head", "Line", "Route"]

JSON = "application/json"
_LEFT = 499  # as nginx calls it; it is never sent
_WITHOUT_BODY = frozenset({204, 304})
_CODED = frozenset({"content-encoding", "vary"})
_NO_HEADERS: Mapping[str, str] = {}
_BREAK = re.compile(r"[\r\n\0]")
_OWN_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)


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
    protocol : str
        Whose route it is, in one word.
    """

    method: str
    path: str
    handler: Handler
    error_member: str = ""
    protocol: str = ""


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
    key : Key, optional
        Whose request it is, where that matters.
    gzip : bool
        Whether the client takes compressed answers.
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
    key: Key | None = None
    gzip: bool = False


class Desk(Protocol):
    """What an answer needs of the server: the time of day, ready to be sent, a number, and whether it is closing."""

    opening: bytes
    full: bytes
    date: str
    draining: bool
    count: int
    origin: str
    observer: Observer | None
    gzip_bytes: int
    press: Press
    tls: Tls | None


class Line(Protocol):
    """What an answer needs of its connection: to know when it may go out, and whether anybody listens."""

    lost: bool
    arrived: float

    @property
    def client(self) -> str:
        """The address of the client; empty where it has none."""
        ...

    @property
    def desk(self) -> Desk:
        """The server."""
        ...

    def flush(self) -> None:
        """Send every answer whose turn has come."""
        ...

    def keeps(self, exchange: Exchange) -> bool:
        """Say whether the connection stays open after the answer to `exchange`."""
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

    Attributes
    ----------
    number : int
        Which request of this process it is.
    arrived : float
        When its last byte was read, in seconds of ``time.perf_counter``.
    hosted : Hosted or None
        The ship that answers, once it is known.
    rows : int
        How many rows it holds.
    first : int
        Which of them is the first that is worked on now.
    reason : str
        Why it was refused, where that is counted by reason; else empty.
    """

    __slots__ = ("arrived", "body", "data", "first", "head", "hosted", "line", "number", "reason", "rows")

    def __init__(self, line: Line, head: Head, body: bytes) -> None:
        self.line = line
        self.head = head
        self.body = body
        self.data: bytes | None = None
        self.arrived = line.arrived
        self.hosted: Any = None
        self.rows = 1
        self.first = 0
        self.reason = ""
        desk = line.desk
        desk.count = self.number = desk.count + 1

    @property
    def id(self) -> str:
        """The id that the answer carries: the client's own, or one that no other request has."""
        own = self.head.headers.get("x-request-id", "")
        return own if own and _OWN_ID.fullmatch(own) else f"{self.line.desk.origin}{self.number:x}"

    @property
    def trace(self) -> TraceParent | None:
        """The trace of its client that it belongs to."""
        text = self.head.headers.get("traceparent")
        return None if text is None else parse_traceparent(text)

    @property
    def gone(self) -> bool:
        """Whether nobody is left to read the answer."""
        return self.line.lost

    def answer_json(self, body: bytes) -> None:
        """Answer 200 with JSON: what the hot path does."""
        line = self.line
        desk = line.desk
        if len(body) <= desk.gzip_bytes and self.head.plain and not desk.draining:
            self.data = b"%b%x\r\nContent-Length: %d\r\n\r\n%b" % (desk.opening, self.number, len(body), body)
            line.flush()
            if desk.observer is not None:
                desk.observer.answered(self, 200, len(body))
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
        desk = self.line.desk
        press = desk.press
        if self.data is not None or self in press.packing:
            return
        headers = headers or _NO_HEADERS
        if len(body) > desk.gzip_bytes and not any(name.lower() in _CODED for name in headers):
            offered = press.offers(self, media_type, len(body))
            headers = {**headers, **offered}
            if "Content-Encoding" in offered:
                press.pack(self, body, partial(self._send, status=status, media_type=media_type, headers=headers))
                return
        self._send(body, status=status, media_type=media_type, headers=headers)

    def _send(self, body: bytes, *, status: int, media_type: str, headers: Mapping[str, str]) -> None:
        desk = self.line.desk
        start = f"{_status_line(status)}\r\nDate: {desk.date}\r\nServer: shiplap\r\nX-Request-Id: {self.id}\r\n"
        if media_type:
            start += f"Content-Type: {media_type}\r\n"
        for name, value in headers.items():
            # A line break in a value, wherever it came from, would begin a header or an answer of another's making.
            start += f"{name}: {value if value.isprintable() else _BREAK.sub(' ', value)}\r\n"
        bare = status in _WITHOUT_BODY
        if not bare:
            start += f"Content-Length: {len(body)}\r\n"
        if not self.line.keeps(self):
            start += "Connection: close\r\n"
        elif self.head.version == "1.0":
            start += "Connection: keep-alive\r\n"
        sent = b"" if bare or self.head.method == "HEAD" else body
        self.data = f"{start}\r\n".encode("latin-1", "replace") + sent
        self.line.flush()
        if desk.observer is not None:
            desk.observer.answered(self, status, len(sent))

    def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem."""
        self.reason = problem.reason
        member = self.head.route.error_member
        if problem is FULL and not member and self.head.plain and self.data is None:
            self._shed()
            return
        body = problem.body(**{member: problem.message}) if member else problem.body()
        self.answer(body, status=problem.status, media_type="application/problem+json", headers=problem.headers)

    def _shed(self) -> None:
        """Answer `FULL` out of what lies ready: while there is too much to do, saying so must cost next to nothing."""
        desk = self.line.desk
        self.data = b"%b%x\r\n\r\n%b" % (desk.full, self.number, FULL_BODY)
        self.line.flush()
        if desk.observer is not None:
            desk.observer.answered(self, FULL.status, len(FULL_BODY))

    def fail(self, error: BaseException) -> None:
        """Answer 500 with an id; what happened is written to standard error under it, and not told to the client."""
        trace = "".join(traceback.format_exception(error))
        sys.stderr.write(f"error {self.id} in {self.head.method} {self.head.path!r}\n{trace}")
        trace_id = self.trace.trace_id if self.trace else None
        self.refuse(ProblemError(500, "an unexpected error; it is logged under its id", id=self.id, trace_id=trace_id))

    def leave(self) -> None:
        """Note that the client left: without an answer it counts as 499, and what is answered later goes nowhere."""
        if self.data is not None:
            return
        self.data = b""
        desk = self.line.desk
        if desk.observer is not None:
            desk.observer.answered(self, _LEFT, 0)

    def settle(self, error: BaseException) -> None:
        """Answer with whatever `error` means to a client."""
        if isinstance(error, ProblemError):
            self.refuse(error)
        else:
            self.fail(error)


@cache
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {phrase(status)}"


Handler = Callable[[Exchange], None]
