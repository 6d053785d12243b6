"""Load, from processes of its own: raw bytes over kept connections, closed loop or on a schedule.

In a closed loop each connection sends its next request when the answer to its last is there. On a schedule, requests
are due at fixed times whatever the server does, and a latency counts from when its request was due: a server that
falls behind is not spared.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing import get_context

import numpy as np
from serving_process import LOAD_CORES, cpu_s, kept_waiting_s, pin, tree

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked")
_LAST = re.compile(rb"(?i)\r\nconnection: *close\r\n")
_OF_A_PROCESS = 2  # its processor time, by the numbers of Linux: clock_getcpuclockid(3)
_GRACE_S = 5.0
_PAUSE_S = 0.002  # the system's timers are not finer; what is due sooner is waited for awake


@dataclass(frozen=True)
class Load:
    """What is to be sent: `rate` a second, or as fast as the answers come where it is 0.

    `pid` names the server whose processor time is to be counted; with `own_time`, latencies are also taken in it.
    """

    port: int
    requests: tuple[bytes, ...]
    connections: int
    seconds: float
    pid: int
    rate: float = 0.0
    warm_s: float = 0.5
    own_time: bool = False


@dataclass(frozen=True)
class Spent:
    """Seconds: of processor time by the server and by the load, and that the server was ready while others ran."""

    server_s: float
    load_s: float
    waited_s: float

    @classmethod
    def so_far(cls, pid: int) -> Spent:
        processes = tree(pid)
        return cls(cpu_s(processes), time.process_time(), kept_waiting_s(processes))

    def since(self, before: Spent) -> Spent:
        return Spent(
            self.server_s - before.server_s,
            self.load_s - before.load_s,
            max(0.0, self.waited_s - before.waited_s),  # threads that ended take theirs along
        )


@dataclass(frozen=True)
class Outcome:
    """What came of a load. Latencies are those of answers with 200, in seconds, sorted.

    `latencies` count from when a request was due, `since_sent` from when it was sent. `own_time` is what the server
    used of its processor meanwhile: of a server that never idles, the latency that it would have on a core of its own.
    """

    seconds: float
    latencies: np.ndarray
    since_sent: np.ndarray
    own_time: np.ndarray
    statuses: Counter[str]
    spent: Spent
    unsent: int = 0
    late_ms: float = 0.0
    answers: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", sum(self.statuses.values()))

    @property
    def per_s(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.spent.server_s / max(1, self.answers) * 1e6

    @property
    def errors(self) -> int:
        """Return how many ended otherwise than with 200 or 503."""
        return self.answers - self.statuses["200"] - self.statuses["503"]

    def quantile_ms(self, share: float, of: str = "latencies") -> float:
        found: np.ndarray = getattr(self, of)
        return float(found[min(len(found) - 1, int(len(found) * share))]) * 1e3 if len(found) else float("nan")


def raw(path: str, body: bytes, *, media_type: str = "application/json") -> bytes:
    """Return a request as bytes."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: */*",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def loads(*, cores: Sequence[int] = tuple(LOAD_CORES), behind: bool = False) -> Iterator[ProcessPoolExecutor]:
    """Provide a process that puts servers under load; one that stands behind leaves its core to the other."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_settle, initargs=(list(cores), behind))
    with pool:
        yield pool


def _settle(cores: Sequence[int], behind: bool) -> None:
    pin(cores)
    if behind:
        os.nice(19)


def put(load: Load) -> Outcome:
    """Put a server under load and say what came of it."""
    return _Generator(load).run()


class _Client:
    __slots__ = ("data", "due_at", "sent_at", "sent_own_s", "socket", "unsent")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.data = b""
        self.unsent = memoryview(b"")
        self.due_at = self.sent_at = 0.0  # 0: nothing is asked
        self.sent_own_s = 0.0


class _Generator:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._selector = selectors.DefaultSelector()
        self._requests = cycle(load.requests)
        self._idle: list[_Client] = []
        self._waiting: deque[float] = deque()  # when requests were due that no connection was free for
        self._latencies: list[float] = []
        self._since_sent: list[float] = []
        self._own_time: list[float] = []
        self._clock = (~load.pid << 3) | _OF_A_PROCESS
        self._statuses: Counter[str] = Counter()
        self._late = 0.0
        for _ in range(load.connections):
            self._idle.append(self._connect())

    def run(self) -> Outcome:
        load = self._load
        if not load.rate:
            self._in_circles(time.perf_counter() + load.warm_s)
            self._latencies.clear()
            self._since_sent.clear()
            self._own_time.clear()
            self._statuses.clear()
        before = Spent.so_far(load.pid)
        start = time.perf_counter()
        self._on_schedule(start, start + load.seconds) if load.rate else self._in_circles(start + load.seconds)
        return Outcome(
            time.perf_counter() - start,
            np.sort(np.array(self._latencies)),
            np.sort(np.array(self._since_sent)),
            np.sort(np.array(self._own_time)),
            +self._statuses,
            Spent.so_far(load.pid).since(before),
            unsent=len(self._waiting),
            late_ms=self._late * 1e3,
        )

    def _in_circles(self, until: float) -> None:
        clock = time.perf_counter
        while True:
            while self._idle:
                self._send(self._idle.pop(), clock())
            for client in self._free(1.0):
                self._send(client, clock())
            if clock() >= until:
                return

    def _on_schedule(self, start: float, until: float) -> None:
        clock = time.perf_counter
        step = 1.0 / self._load.rate
        number = 0
        due = start
        while True:
            now = clock()
            while due <= now and due < until:
                if self._idle:
                    self._late = max(self._late, now - due)
                    self._send(self._idle.pop(), due)
                else:
                    self._waiting.append(due)
                number += 1
                due = start + number * step
            for client in self._free(0 if due < until and due - now < _PAUSE_S else _PAUSE_S / 2):
                if self._waiting:
                    self._send(client, self._waiting.popleft())
                else:
                    self._idle.append(client)
            if now >= until and (len(self._idle) == self._load.connections or now > until + _GRACE_S):
                return

    def _free(self, wait_s: float) -> Iterator[_Client]:
        """Wait for the sockets, and yield clients that are free for another request."""
        for key, events in self._selector.select(wait_s):
            client: _Client = key.data
            if events & selectors.EVENT_READ and not self._receive(client):
                continue
            if client.unsent:
                self._go_on(client)
            if not client.unsent and not client.sent_at:
                yield client

    def _send(self, client: _Client, due_at: float) -> None:
        client.due_at = due_at
        client.sent_at = time.perf_counter()
        if self._load.own_time:
            client.sent_own_s = time.clock_gettime(self._clock)
        client.data = b""
        request = next(self._requests)
        try:
            sent = client.socket.send(request)
        except OSError:  # reading says why
            sent = 0
        if sent < len(request):
            client.unsent = memoryview(request)[sent:]
            self._selector.modify(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)

    def _go_on(self, client: _Client) -> None:
        """Send what there is room for."""
        with suppress(OSError):
            client.unsent = client.unsent[client.socket.send(client.unsent) :]
        if not client.unsent:
            self._selector.modify(client.socket, selectors.EVENT_READ, client)

    def _receive(self, client: _Client) -> bool:
        """Take what came; tell whether the connection is of further use now."""
        try:
            data = client.socket.recv(262_144)
        except BlockingIOError:
            return bool(client.unsent)
        except OSError:
            data = b""
        if not data:
            self._lost(client)
            return False
        if not client.sent_at:
            return False  # it says why it closes
        data = client.data = client.data + data if client.data else data
        if not is_whole(data):
            return bool(client.unsent)
        status = data[9:12].decode("latin-1")
        self._statuses[status] += 1
        if status == "200":
            now = time.perf_counter()
            self._latencies.append(now - client.due_at)
            self._since_sent.append(now - client.sent_at)
            if self._load.own_time:
                self._own_time.append(time.clock_gettime(self._clock) - client.sent_own_s)
        elif _LAST.search(data):
            self._replace(client)
            return False
        client.sent_at = 0.0
        return True

    def _lost(self, client: _Client) -> None:
        if client.sent_at:
            self._statuses["closed"] += 1
        elif client in self._idle:
            self._idle.remove(client)
        self._replace(client)

    def _replace(self, client: _Client) -> None:
        self._selector.unregister(client.socket)
        client.socket.close()
        self._idle.append(self._connect())

    def _connect(self) -> _Client:
        client = _Client(self._load.port)
        self._selector.register(client.socket, selectors.EVENT_READ, client)
        return client


def is_whole(data: bytes) -> bool:
    """Tell whether a response is there to its end."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(data, 0, end)
    if length:
        return len(data) >= end + 4 + int(length[1])
    return bool(_CHUNKED.search(data, 0, end)) and data.endswith(b"0\r\n\r\n")
