"""`Answered`: what is kept of an answer until its line or its span is written."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

from shiplap.engineer.deploy.serve.http.exchange import Exchange, Head
from shiplap.engineer.deploy.serve.http.trace import TraceParent, parse_traceparent

__all__ = ["Answered"]


class Answered(NamedTuple):
    """A request and its answer: nothing that holds a body or a model in memory.

    Parameters
    ----------
    arrived, ended : float
        When the request was read and answered, in seconds of ``time.perf_counter``.
    id : str
        The id of the answer.
    head : Head
        What was asked for.
    status : int
        The answer.
    received_bytes, sent_bytes : int
        Sizes of the bodies.
    model : tuple of (str, str), optional
        Name and version of who answered.
    rows : int
        How many rows it held.
    client : str
        Address of the client.
    scheme : str
        ``http`` or ``https``.
    trace_id : str, optional
        The trace that it is recorded in, if it is.
    """

    arrived: float
    ended: float
    id: str
    head: Head
    status: int
    received_bytes: int
    sent_bytes: int
    model: tuple[str, str] | None
    rows: int
    client: str
    scheme: str
    trace_id: str | None

    @classmethod
    def of(cls, exchange: Exchange, status: int, size_bytes: int, trace_id: str | None) -> Answered:
        """Return what is to be kept of an exchange that was answered just now."""
        hosted = exchange.hosted
        return cls(
            exchange.arrived,
            perf_counter(),
            exchange.id,
            exchange.head,
            status,
            len(exchange.body),
            size_bytes,
            None if hosted is None else (hosted.name, hosted.version),
            exchange.rows,
            exchange.line.client,
            "http" if exchange.line.desk.tls is None else "https",
            trace_id,
        )

    @property
    def parent(self) -> TraceParent | None:
        """The trace of the client."""
        text = self.head.headers.get("traceparent")
        return None if text is None else parse_traceparent(text)
