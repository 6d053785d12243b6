"""`Connection`: HTTP/1.1 on one socket. Requests are read, answered in their order, and held to the limits."""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from typing import Protocol, cast

import httptools

from shiplap.engineer.deploy.serve.http.certificates import names_of
from shiplap.engineer.deploy.serve.http.codings import Press
from shiplap.engineer.deploy.serve.http.exchange import Desk, Exchange, Head, Route
from shiplap.engineer.deploy.serve.http.heads import make_head
from shiplap.engineer.deploy.serve.http.hooks import Guard
from shiplap.engineer.deploy.serve.http.intake import Intake
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Connection", "House"]

_LONGEST_KNOWN = 2_048
_MOST_KNOWN = 1_024
_LINGER_S = 2.0
_PIECE_BYTES = 2_048  # what the parser is fed at once, so that it stops soon after too much waits


def _nobody(exchange: Exchange) -> None:
    raise ProblemError(400, "the request cannot be read")


_UNREAD = Head("", "", "", {}, (), "1.1", False, 0, "", Route("", "", _nobody), {}, False)
_OF_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})
_OF_ONE_REQUEST = frozenset({"expect", "traceparent", "x-request-id"})  # a head with one of them will not come again


class House(Desk, Protocol):
    """What a connection needs of its server."""

    limits: Limits
    routes: Routes
    known: dict[bytes, Head]
    connections: set[Connection]
    leaving: set[Connection]
    most_leaving: int
    press: Press
    receiving: int
    now: float
    guard: Guard | None
    loop: asyncio.AbstractEventLoop

    def admits(self) -> bool:
        """Say whether there is room for one more connection."""
        ...


class Connection(asyncio.Protocol):
    """One client's socket.

    Clients send the same head again and again, so heads that were parsed once are known by their bytes: such a request
    skips the parser. Everything else (chunks, pieces, errors) goes through it.

    Parameters
    ----------
    house : House
        The server.
    """

    __slots__ = (
        "_abandoned",
        "_blocked",
        "_closing",
        "_continue_due",
        "_ended",
        "_guard",
        "_half",
        "_head",
        "_intake",
        "_parser",
        "_partial",
        "_paused",
        "_quiet",
        "_raw",
        "_reading",
        "_rest",
        "_sending",
        "_since",
        "_target",
        "_transport",
        "_unsent",
        "_waiting",
        "arrived",
        "desk",
        "lost",
    )

    def __init__(self, house: House) -> None:
        self.desk: House = house
        self.lost = False
        self.arrived = 0.0
        self._waiting: deque[Exchange] = deque()
        self._since = house.now
        self._partial = False  # in the middle of a request
        self._closing = False  # no further request is taken
        self._abandoned = False  # closed over a request that was not read to its end
        self._ended = False  # the client sends no more
        self._guard = house.guard
        self._continue_due = False
        self._blocked = False  # the client does not take its answers
        self._paused = False
        self._reading = False  # what is answered meanwhile goes out in one piece
        self._sending = False
        self._unsent = 0
        self._head: Head | None = None
        self._target = b""
        self._raw: list[tuple[bytes, bytes]] = []
        self._intake = Intake(house)
        self._rest = b""  # came while too much waited
        self._quiet = 0  # bytes since something of a request came to its end

    # -- what the transport calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new client, or tell it that the server is full."""
        self._transport = cast(asyncio.Transport, transport)
        self._half = self._transport.can_write_eof()
        self._parser = httptools.HttpRequestParser(self)
        house = self.desk
        names = names_of(self._transport.get_extra_info("peercert"))
        if names and house.guard is not None:
            self._guard = house.guard.showing(names)
        if house.admits():
            house.connections.add(self)
        elif len(house.leaving) < house.most_leaving:
            house.leaving.add(self)
            self._abandon(
                ProblemError(503, "too many connections are open", headers={"Retry-After": "1"}, reason="connections")
            )
        else:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; answers that are still being made go nowhere."""
        self.lost = True
        self.desk.connections.discard(self)
        self.desk.leaving.discard(self)
        self._intake.forget()
        self._rest = b""
        for exchange in self._waiting:
            exchange.leave()
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Read what came: known heads by their bytes, everything else by the parser."""
        if self._closing:
            return
        self.arrived = perf_counter()
        start = 0 if self._partial else self._take_known(data)
        if start < len(data) and not self._closing:
            self._reading = True
            start = self._parse(data, start)
            self._rest = b"" if self._closing else data[start:]
        if self._reading:
            self._reading = False
            self._send()

    def eof_received(self) -> bool:
        """Answer what was asked before the client stopped sending; a request cut short is told so."""
        self._ended = True
        if self._partial and not self._closing:
            self._abandon(ProblemError(400, "the request ended before its announced length"))
        self._closing = True
        if not self._waiting:
            self._finish()
        return self._half

    def pause_writing(self) -> None:
        """Stop reading from a client that does not take its answers."""
        self._blocked = True
        self._regulate()

    def resume_writing(self) -> None:
        """Read again."""
        self._blocked = False
        self._regulate()

    # -- reading -------------------------------------------------------------------------------------------------

    def _take_known(self, data: bytes) -> int:
        known = self.desk.known
        start = 0
        while not self._closing and not self._paused:
            end = data.find(b"\r\n\r\n", start) + 4
            head = known.get(data[start:end])
            if head is None or end + head.length > len(data):
                break
            body = data[end : end + head.length]
            start = end + head.length
            if start == len(data):
                self._begin(head, body)
                break
            self._reading = True
            self._begin(head, body)
        return start

    def _parse(self, data: bytes, start: int) -> int:
        """Feed the parser until the end of `data`, or until too much waits; return how far it came."""
        at = start
        fresh = not self._partial
        while at < len(data) and not self._closing and not self._paused:
            size = _PIECE_BYTES
            if self._partial and self._head is not None:
                size = max(size, self._head.length - self._intake.size_bytes)
            at += self._feed(data[at : at + size] if at or size < len(data) else data)
        if fresh and at == len(data) and not self._closing:
            self._learn(data, start)
        return at

    def _feed(self, data: bytes) -> int:
        self._quiet += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            return self._decline(stop.args[0])
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._abandon(cause if isinstance(cause, ProblemError) else ProblemError(400, "the request cannot be read"))
        except httptools.HttpParserError as error:
            if self._closing and not self._partial:
                self._abandoned = True  # more came after a last request: it is neither read nor answered
            else:
                self._abandon(ProblemError(400, f"this is not HTTP: {error}"))
        limit = self.desk.limits.header_bytes
        if self._partial and self._quiet > limit:
            self._abandon(ProblemError(431, f"headers and trailers of at most {limit} bytes are accepted"))
        return len(data)

    def _decline(self, consumed: int) -> int:
        """Go on in HTTP/1.1 with a client that offered another protocol; return what was read of its bytes."""
        head = cast(Head, self._head)
        if head.method == "CONNECT":
            self._closing = self._abandoned = True
            return consumed
        kept = b"".join(b"%b: %b\r\n" % pair for pair in self._raw if pair[0].lower() not in _OF_UPGRADE)
        start = (head.method.encode(), self._target, head.version.encode(), b"keep-alive" if head.keep else b"close")
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"%b %b HTTP/%b\r\nConnection: %b\r\n%b\r\n" % (*start, kept))
        return consumed

    def _learn(self, data: bytes, start: int) -> None:
        head = self._head
        if self._partial or head is None or not head.plain or head.length < 0 or _OF_ONE_REQUEST & head.headers.keys():
            return
        if self._guard is not self.desk.guard:
            return  # its bytes alone do not say whose it is: another client may send the same
        end = data.find(b"\r\n\r\n", start) + 4
        if end + head.length == len(data) and end - start <= _LONGEST_KNOWN:
            known = self.desk.known
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[data[start:end]] = head

    # -- what the parser calls -----------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Start a request."""
        self._partial = True
        self._since = self.desk.now
        self._head = None
        self._target = b""
        self._raw = []

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""
        self._target += url
        limit = self.desk.limits.target_bytes
        if len(self._target) > limit:
            raise ProblemError(414, f"a request target of at most {limit} bytes is accepted")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those that trail a chunked body are ignored."""
        if self._head is None:
            self._raw.append((name, value))

    def on_headers_complete(self) -> None:
        """Decide who answers, before any of the body is read."""
        house = self.desk
        head = self._head = make_head(
            self._parser,
            self._target,
            self._raw,
            routes=house.routes,
            limits=house.limits,
            guard=self._guard,
            press=house.press,
        )
        self._quiet = 0
        if "expect" in head.headers and head.version == "1.1" and head.length:
            self._continue_due = True

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._continue_due = False
        self._quiet = 0
        self._intake.take(body)

    def on_message_complete(self) -> None:
        """Hand a whole request over."""
        head = cast(Head, self._head)
        if self._parser.should_upgrade() and head.method != "CONNECT":
            return  # its body is still to come
        self._partial = False
        self._continue_due = False
        self._quiet = 0
        body = self._intake.whole()
        if not self._closing:
            self._begin(head, body)

    @property
    def client(self) -> str:
        """The address of the client; empty where it has none."""
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if isinstance(peer, tuple) else ""

    # -- answering -----------------------------------------------------------------------------------------------

    def _begin(self, head: Head, body: bytes) -> None:
        exchange = Exchange(self, head, body)
        waiting = self._waiting
        waiting.append(exchange)
        if not head.keep:
            self._closing = True
        try:
            if head.key is not None and self.desk.guard is not None:
                self.desk.guard.spend(head.key)
            head.route.handler(exchange)
        except Exception as error:
            exchange.settle(error)
        if waiting and len(waiting) >= self.desk.limits.pipeline:
            self._regulate()

    def keeps(self, exchange: Exchange) -> bool:
        """Say whether the connection stays open after this answer: while the server drains, to the last in line."""
        keep = exchange.head.keep
        if keep and self.desk.draining and not self._partial and not self.lost and exchange is self._waiting[-1]:
            self._closing = True
            keep = False
        return keep

    def flush(self) -> None:
        """Send every answer whose turn has come; those of one turn of the loop together, for each write is dear."""
        if self._reading:
            return
        if len(self._waiting) == 1:
            self._send()
        elif not self._sending:
            self._sending = True
            self.desk.loop.call_soon(self._send)

    def _send(self) -> None:
        self._sending = False
        if self.lost:
            return
        waiting = self._waiting
        if waiting and (data := waiting[0].data) is not None:
            waiting.popleft()
            if waiting:
                self._transport.writelines(self._ready(data))
            else:
                self._transport.write(data)
        if waiting:
            return
        if self._continue_due:
            self._continue_due = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._partial:
            self._since = self.desk.now
            if self._closing or (self.desk.draining and not self._rest):
                self._finish()
        if self._paused:
            self._regulate()

    def _ready(self, first: bytes) -> list[bytes]:
        waiting = self._waiting
        ready = [first]
        while waiting and (data := waiting[0].data) is not None:
            waiting.popleft()
            ready.append(data)
        return ready

    def _regulate(self) -> None:
        pause = self._blocked or len(self._waiting) >= self.desk.limits.pipeline
        if pause == self._paused or self._transport.is_closing():
            return
        self._paused = pause
        if pause:
            self._transport.pause_reading()
        elif self._rest:
            self.desk.loop.call_soon(self._go_on)
        else:
            self._transport.resume_reading()

    def _go_on(self) -> None:
        data, self._rest = self._rest, b""
        if data and not self._closing:
            self.data_received(data)
        if not self._rest and not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def _abandon(self, problem: ProblemError) -> None:
        head = (self._head if self._partial and self._head else _UNREAD)._replace(keep=False, plain=False)
        self._closing = True
        self._abandoned = True
        self._partial = False
        self._intake.forget()
        exchange = Exchange(self, head, b"")
        self._waiting.append(exchange)
        exchange.refuse(problem)

    def _finish(self) -> None:
        self._closing = True
        if self._abandoned and not self._ended and self._half:
            # Closing over unread bytes would reset the connection and take the answer with it (RFC 9112, 9.6).
            if not self._transport.is_closing():
                self._transport.write_eof()
        else:
            self._transport.close()

    def drain(self) -> None:
        """Close as soon as what was asked is answered."""
        if not self._waiting and not self._partial and not self._rest:
            self._finish()

    def cut(self) -> None:
        """Close at once."""
        self._transport.abort()

    # -- time ----------------------------------------------------------------------------------------------------

    def check_time(self) -> None:
        """Close or cut off what takes too long; the server calls it now and then."""
        house = self.desk
        unsent = self._transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent = unsent
            self._since = house.now
        age = house.now - self._since
        if unsent:
            if age > house.limits.write_s:
                self._transport.abort()
        elif self._waiting:
            return
        elif self._closing:
            if age > min(_LINGER_S, house.limits.read_s):
                self._transport.abort()
        elif self._partial:
            if age > house.limits.read_s:
                seconds = f"{house.limits.read_s:g} s"
                self._abandon(ProblemError(408, f"the whole request is expected within {seconds}"))
        elif age > house.limits.idle_s:
            self._finish()
