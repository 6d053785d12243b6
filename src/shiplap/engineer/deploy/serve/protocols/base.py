"""What a protocol is: where it listens, and how it is described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from typing import Protocol as Shape

from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Protocol", "require_body", "require_json"]


class Protocol(Shape):
    """One way of asking. All it knows stands in its own file."""

    name: str
    """In one word, as metrics show it."""

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        ...

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        ...


def require_body(exchange: Exchange) -> None:
    """Refuse a request without a body: 411 where not even a length was given, else 400."""
    if not exchange.body:
        headers = exchange.head.headers
        if "content-length" not in headers and "transfer-encoding" not in headers:
            raise ProblemError(411, "a body is expected, and its length", field="Content-Length")
        raise ProblemError(400, "a body is expected, and it is empty")


def require_json(exchange: Exchange, accepted: frozenset[str], named: str) -> None:
    """Refuse a body that says it is something else (415)."""
    head = exchange.head
    if head.media_type not in accepted and not head.media_type.endswith("+json"):
        raise ProblemError(415, f"the body is expected to be {named}", field="Content-Type", value=head.media_type)
