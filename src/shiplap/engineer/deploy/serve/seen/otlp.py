"""`Sender`: makes spans and sends them by OTLP. The one place where OpenTelemetry is touched.

References
----------
https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from time import perf_counter
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.semconv.attributes import (
    client_attributes,
    error_attributes,
    http_attributes,
    network_attributes,
    server_attributes,
    url_attributes,
    user_agent_attributes,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.trace.propagation import set_span_in_context
from opentelemetry.util.types import AttributeValue

import shiplap
from shiplap.engineer.deploy.serve.http.exchange import Head
from shiplap.engineer.deploy.serve.seen.answered import Answered

__all__ = ["Sender"]

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})


class Sender:
    """Sends spans where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says, in the name of ``OTEL_SERVICE_NAME`` (``shiplap``)."""

    def __init__(self) -> None:
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())  # what there is to say is said once
        logging.getLogger("opentelemetry").propagate = False
        self._exporter = OTLPSpanExporter()
        self._made = _Made()
        self._ids = _Ids()
        provider = TracerProvider(
            sampler=ALWAYS_ON, resource=_resource(), id_generator=self._ids, shutdown_on_exit=False
        )
        provider.add_span_processor(self._made)
        self._tracer = provider.get_tracer("shiplap", shiplap.__version__)

    def send(self, batch: Iterable[Answered]) -> bool:
        """Make a span of each answer and send them; returns whether they were taken."""
        clock = time.time() - perf_counter()
        for answered in batch:
            self._span(answered, clock)
        return self._exporter.export(self._made.taken()) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Send no more, and try nothing again."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _span(self, answered: Answered, clock: float) -> None:
        head = answered.head
        method = head.method if head.method in _METHODS else "HTTP"
        route = head.route.path if head.route.protocol else ""
        self._ids.trace_id = int(answered.trace_id or "0", 16)
        span = self._tracer.start_span(
            f"{method} {route}".rstrip(),
            context=_context(answered),
            kind=SpanKind.SERVER,
            attributes=_attributes(answered, route),
            start_time=int((clock + answered.arrived) * 1e9),
        )
        if answered.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(int((clock + answered.ended) * 1e9))


class _Ids(RandomIdGenerator):
    """Gives spans that begin a trace the id that was chosen for it."""

    trace_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id


class _Made(SpanProcessor):
    """Keeps spans that were made."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self._spans.append(span)

    def taken(self) -> list[ReadableSpan]:
        spans, self._spans = self._spans, []
        return spans


def _resource() -> Resource:
    """Return who sends: what the environment says, and ``shiplap`` where it names no service."""
    resource = Resource.create()
    named = str(resource.attributes.get(SERVICE_NAME, ""))
    return resource.merge(Resource({SERVICE_NAME: "shiplap"})) if named.startswith("unknown_service") else resource


def _context(answered: Answered) -> Context:
    parent = answered.parent
    if parent is None:
        return Context()
    states = answered.head.headers.get("tracestate", "")
    span_context = SpanContext(
        int(parent.trace_id, 16),
        int(parent.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState.from_header([states]) if states else None,
    )
    return set_span_in_context(NonRecordingSpan(span_context), Context())


def _attributes(answered: Answered, route: str) -> dict[str, AttributeValue]:
    head = answered.head
    known = head.method in _METHODS
    attributes: dict[str, AttributeValue] = {
        http_attributes.HTTP_REQUEST_METHOD: head.method if known else "_OTHER",
        http_attributes.HTTP_RESPONSE_STATUS_CODE: answered.status,
        url_attributes.URL_PATH: head.path,
        url_attributes.URL_SCHEME: answered.scheme,
        network_attributes.NETWORK_PROTOCOL_VERSION: head.version,
        "http.request.body.size": answered.received_bytes,
        "http.response.body.size": answered.sent_bytes,
        "shiplap.request.id": answered.id,
        **_addresses(head, answered.client),
    }
    if not known:
        attributes[http_attributes.HTTP_REQUEST_METHOD_ORIGINAL] = head.method
    if route:
        attributes[http_attributes.HTTP_ROUTE] = route
        attributes["shiplap.protocol"] = head.route.protocol
    if answered.model is not None:
        attributes["shiplap.model.name"], attributes["shiplap.model.version"] = answered.model
        attributes["shiplap.rows"] = answered.rows
    if answered.status >= 500:
        attributes[error_attributes.ERROR_TYPE] = str(answered.status)
    return attributes


def _addresses(head: Head, client: str) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {}
    if client:
        attributes[client_attributes.CLIENT_ADDRESS] = client
    if "user-agent" in head.headers:
        attributes[user_agent_attributes.USER_AGENT_ORIGINAL] = head.headers["user-agent"]
    try:
        host = urlsplit(f"//{head.headers.get('host', '')}")
        if host.hostname:
            attributes[server_attributes.SERVER_ADDRESS] = host.hostname
        if host.port:
            attributes[server_attributes.SERVER_PORT] = host.port
    except ValueError:  # no host and port, which is for the client to know
        pass
    return attributes
