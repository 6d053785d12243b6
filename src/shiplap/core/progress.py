"""Progress of long work: whoever works tells, whoever shows listens. Nobody listening costs nothing.

Examples
--------
>>> with listening(lambda text, done: print(text, done)):
...     tell("reading rows", 0.5)
reading rows 0.5
>>> tell("nobody hears this")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Listener", "listening", "tell"]

Listener = Callable[[str, float | None], None]
_listener: ContextVar[Listener | None] = ContextVar("shiplap_progress", default=None)


def tell(text: str, done: float | None = None) -> None:
    """Say what is being done, and what fraction (0 to 1) of it is done where that is known."""
    listener = _listener.get()
    if listener is not None:
        listener(text, done)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what is told inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
