"""What the server asks of others: `Guard` says who may, `Key` is whom it found, `Observer` hears of every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shiplap.engineer.deploy.serve.http.exchange import Exchange

__all__ = ["Guard", "Key", "Observer"]


class Key(Protocol):
    """Somebody who may ask."""

    name: str
    admin: bool

    def require(self, model: str) -> None:
        """Raise ``ProblemError`` (403) where this model is not for them."""
        ...


class Guard(Protocol):
    """Decides who may ask, and how often."""

    def authorize(self, headers: Mapping[str, str], path: str) -> Key | None:
        """Return whose request this is, or None where nobody need be known; raises ``ProblemError`` (401).

        It is asked when the headers of a request have come, before its body is read; what it says is remembered with
        the head until `Server.forget` is called.
        """
        ...

    def showing(self, names: Sequence[str]) -> Guard:
        """Return the guard of a connection whose client has shown a certificate of these names."""
        ...

    def spend(self, key: Key) -> None:
        """Count one request; raises ``ProblemError`` (429)."""
        ...


class Observer(Protocol):
    """Hears of every answer. It is called on the loop and must be quick."""

    def answered(self, exchange: Exchange, status: int, size_bytes: int) -> None:
        """Note an answer; ``exchange.arrived`` is when the request was read, in seconds of ``time.perf_counter``."""
        ...
