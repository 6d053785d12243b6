"""What a protocol is: where it listens, and how it is described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from typing import Protocol as Shape

from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Protocol", "accepted", "require_body", "require_json"]


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


def accepted(accept: str, offered: Sequence[str]) -> str:
    """Return the type of answer that ``Accept`` asks for (RFC 9110, 12.5.1).

    Parameters
    ----------
    accept : str
        The header; empty where there is none.
    offered : sequence of str
        The types there are, the usual one first.

    Raises
    ------
    ProblemError
        406: none of those there are.

    Examples
    --------
    >>> offered = ("application/json", "text/csv")
    >>> [accepted(each, offered) for each in ("text/csv", "*/*", "application/json;q=0.1, text/*")]
    ['text/csv', 'application/json', 'text/csv']
    """
    if not accept:
        return offered[0]
    ranges = []
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        ranges.append((-_number(quality), kind))
    for weight, kind in sorted(ranges, key=lambda weighed: weighed[0]):
        for each in offered if weight else ():
            if kind in {each, "*/*"} or (kind.endswith("/*") and each.startswith(kind[:-1])):
                return each
    expected = ", ".join(offered)
    raise ProblemError(406, "no answer of that type can be given", field="Accept", value=accept, expected=expected)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
