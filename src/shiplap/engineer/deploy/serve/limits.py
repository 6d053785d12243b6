"""`Limits`: how much a client may ask for, and how long it may take."""

from __future__ import annotations

import msgspec

from shiplap.core.errors import InputError

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the server accepts; past a limit a client gets a clear refusal, and others notice nothing.

    Parameters
    ----------
    header_bytes, target_bytes : int
        Request line and headers together (431), and the request target alone (414).
    body_bytes : int
        One body (413).
    receiving_bytes : int
        All bodies that are being received at one time (503).
    rows : int
        Rows in one request (413).
    depth : int
        Nesting of a JSON body (400).
    connections : int
        Open connections; one more is told 503 and closed.
    pipeline : int
        Requests of one connection that wait for their answers; past it, its socket is not read.
    queue : int
        Long batches that wait or are worked on (503 with ``Retry-After``).
    queue_bytes : int
        Bodies of those, together (503 with ``Retry-After``); a single one may be longer.
    tasks : int
        Requests beside the predict routes (pages, descriptions) in progress (503 with ``Retry-After``).
    gzip_bytes : int
        Answers longer than this are compressed for clients that take them so.
    inline_ms : float
        A model that takes longer than this for one row runs on a thread.
    turn_ms : float
        How much work on single rows one turn of the loop takes on (503 with ``Retry-After``). A fifth of it holds while
        more than that is asked in a turn.
    wait_ms : float
        How long a row may have to wait for a model that runs on a thread, by what rows cost of late, and half of
        how long a long batch may (503 with ``Retry-After``, at once). A fifth of it holds for a line that stays.
    slice_ms : float
        How long one step of a long batch should take: single rows are answered between two.
    handshake_s : float
        For the handshake of TLS; a client that takes longer is cut off.
    read_s : float
        From the first byte of a request to its last (408).
    idle_s : float
        Between requests on a kept connection; it is then closed.
    write_s : float
        Without the client taking a byte of an answer; it is then cut off.
    drain_s : float
        How long requests in progress may take to finish when the server is told to stop.

    Examples
    --------
    >>> Limits(rows=10).rows
    10
    >>> Limits(rows=0)
    Traceback (most recent call last):
    shiplap.core.errors.InputError: the limit 'rows' must be above 0, not 0
    """

    header_bytes: int = 16_384
    target_bytes: int = 4_096
    body_bytes: int = 32 * 1024 * 1024
    receiving_bytes: int = 256 * 1024 * 1024
    rows: int = 100_000
    depth: int = 16
    connections: int = 1_024
    pipeline: int = 64
    queue: int = 64
    queue_bytes: int = 256 * 1024 * 1024
    tasks: int = 64
    gzip_bytes: int = 16_384
    inline_ms: float = 2.0
    turn_ms: float = 25.0
    wait_ms: float = 250.0
    slice_ms: float = 0.1
    handshake_s: float = 10.0
    read_s: float = 30.0
    idle_s: float = 75.0
    write_s: float = 30.0
    drain_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse a limit that would let nothing through."""
        for name in self.__struct_fields__:
            if not getattr(self, name) > 0:
                raise InputError(f"the limit '{name}' must be above 0, not {getattr(self, name)}")
