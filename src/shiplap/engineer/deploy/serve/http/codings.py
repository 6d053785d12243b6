"""Content codings (RFC 9110, 8.4): compressed bodies are taken, and long answers compressed for those who ask.

To compress takes about 50 microseconds before the first byte and 5 ns a byte after it (zlib, level 1, JSON of
predictions; a quarter remains): more than to make a short answer. So short answers go as they are: all that fits
the first flight of a TCP connection (10 segments, RFC 6928) arrives no sooner for being smaller.
"""

from __future__ import annotations

import asyncio
import math
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

if TYPE_CHECKING:
    from shiplap.engineer.deploy.serve.http.exchange import Exchange, Handler

__all__ = ["CODINGS", "Inflation", "Press", "takes_gzip"]

T = TypeVar("T")
CODINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""Codings of a body that are understood, and how zlib calls them."""

_BYTES_PER_MS = 200_000  # zlib does as much, one way or the other
_STEP = 65_536
_STEP_COSTS_BYTES = 4_096  # a step that makes nothing takes time too
_MOST_MEMBERS = 1_000
_BULKY = ("text/", "application/json", "application/x-ndjson", "application/problem+json")


def takes_gzip(accepted: str) -> bool:
    """Tell whether a client that sends this ``Accept-Encoding`` would rather have gzip (RFC 9110, 12.5.3).

    Examples
    --------
    >>> takes_gzip("gzip, deflate"), takes_gzip("gzip;q=0"), takes_gzip("*"), takes_gzip("gzip;q=0.5, identity")
    (True, False, True, False)
    """
    if not accepted:
        return False
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.partition(";")
        weights[coding.strip()] = _weight(parameters)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


class Inflation:
    """A compressed body on its way to what it stands for; it never grows past its limit.

    Parameters
    ----------
    body : bytes
        As it came.
    coding : str
        One of `CODINGS`.
    limit_bytes : int
        How large it may become.

    Examples
    --------
    >>> Inflation(zlib.compress(b"{}"), "deflate", 100).run(100)
    b'{}'
    """

    def __init__(self, body: bytes, coding: str, limit_bytes: int) -> None:
        self._body = memoryview(body)
        self._coding = coding
        self._limit_bytes = limit_bytes
        self._inflater = zlib.decompressobj(CODINGS[coding])
        self._members = 1
        self._read_bytes = 0
        self._made = bytearray()

    def run(self, budget_bytes: float = math.inf) -> bytes | None:
        """Go on until the end, or until about `budget_bytes` further bytes were made: then return None.

        Raises
        ------
        ProblemError
            400: it is corrupt, or cut short. 413: it becomes too large.
        """
        while budget_bytes > 0:
            size_bytes = len(self._made)
            if self._step():
                return bytes(self._made)
            budget_bytes -= len(self._made) - size_bytes + _STEP_COSTS_BYTES
        return None

    def _step(self) -> bool:
        source = self._body[self._read_bytes : self._read_bytes + _STEP]
        inflater = self._inflater
        try:
            made = inflater.decompress(source, _STEP)
        except zlib.error as error:
            raise self._corrupt(str(error)) from error
        self._read_bytes += len(source) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
        self._made += made
        if len(self._made) > self._limit_bytes:
            self._made.clear()
            raise ProblemError(413, f"a body of at most {self._limit_bytes} bytes, decompressed, is accepted")
        if not inflater.eof:
            if self._read_bytes == len(self._body) and len(made) < _STEP:
                raise self._corrupt("it ends too early")
            return False
        if self._read_bytes == len(self._body):
            return True
        self._members += 1  # gzip files may be strung together (RFC 1952, 2.2)
        if self._coding == "deflate" or self._members > _MOST_MEMBERS:
            raise self._corrupt("something follows its end")
        self._inflater = zlib.decompressobj(CODINGS[self._coding])
        return False

    def _corrupt(self, detail: str) -> ProblemError:
        return ProblemError(
            400, f"the body cannot be decompressed: {detail}", field="Content-Encoding", value=self._coding
        )


class Press:
    """Compresses answers and decompresses bodies; what would hold the loop too long is done on a thread.

    Parameters
    ----------
    limits : Limits
        ``gzip_bytes`` and ``inline_ms`` say what is worth it and what is too long, ``queue`` how many bodies may wait.

    Attributes
    ----------
    packing : set of Exchange
        Whose answer is made, and is being compressed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._inline_bytes = int(limits.inline_ms * _BYTES_PER_MS)
        self._waiting = 0
        self.packing: set[Exchange] = set()
        self._pool: ThreadPoolExecutor | None = None

    def opened(self, handler: Handler, coding: str) -> Handler:
        """Return a handler that decompresses a body and hands it to `handler`."""

        def answer(exchange: Exchange) -> None:
            if not exchange.body:
                handler(exchange)
                return
            inflation = Inflation(exchange.body, coding, self._limits.body_bytes)
            body = inflation.run(self._inline_bytes)
            if body is None:
                self._submit(exchange, inflation, handler)
            else:
                exchange.body = body
                handler(exchange)

        return answer

    def offers(self, exchange: Exchange, media_type: str, size_bytes: int) -> Mapping[str, str]:
        """Return the headers that say how an answer is coded; none where that depends on no client."""
        if size_bytes <= self._limits.gzip_bytes or not media_type.startswith(_BULKY):
            return {}
        free = size_bytes <= self._inline_bytes or self._waiting < self._limits.queue
        if exchange.head.gzip and free:
            return {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return {"Vary": "Accept-Encoding"}

    def pack(self, exchange: Exchange, body: bytes, answer: Callable[[bytes], None]) -> None:
        """Compress the body of an answer and call `answer` with it, now or later."""
        if len(body) <= self._inline_bytes:
            answer(_packed(body))
            return
        self.packing.add(exchange)

        def done(future: asyncio.Future[bytes]) -> None:
            self.packing.discard(exchange)
            if not future.cancelled() and not exchange.gone:
                answer(future.result())

        self._start(partial(_packed, body)).add_done_callback(done)

    def close(self) -> None:
        """Start no further work."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, exchange: Exchange, inflation: Inflation, handler: Handler) -> None:
        if self._waiting >= self._limits.queue:
            raise ProblemError(
                503, "too many bodies wait to be decompressed", headers={"Retry-After": "1"}, reason="bodies"
            )
        self._start(inflation.run).add_done_callback(partial(self._done, exchange, handler))

    def _start(self, work: Callable[[], T]) -> asyncio.Future[T]:
        if self._pool is None:  # a thread would not live through a fork
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shiplap-press")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._count_off)
        return future

    def _count_off(self, future: asyncio.Future[Any]) -> None:
        self._waiting -= 1

    def _done(self, exchange: Exchange, handler: Handler, future: asyncio.Future[bytes | None]) -> None:
        if future.cancelled() or exchange.gone:
            return
        wrong = future.exception()
        if wrong is not None:
            exchange.settle(wrong)
            return
        try:
            exchange.body = future.result() or b""
            handler(exchange)
        except Exception as error:
            exchange.settle(error)


def _packed(body: bytes) -> bytes:
    deflater = zlib.compressobj(1, zlib.DEFLATED, CODINGS["gzip"])
    return deflater.compress(body) + deflater.flush()
