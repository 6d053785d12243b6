"""`Supervisor`: worker processes, forked after the models were loaded; one that dies is replaced."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.control.bus import Message, frame, unframe

__all__ = ["Start", "Supervisor"]

Start = Callable[[int, socket.socket, bytes], None]
"""``start(index, channel, latest)`` is the life of a worker; `latest` is what was told to all under `REMEMBERED`."""

REMEMBERED = "commit"
_QUICK_S, _MOST_QUICK = 1.0, 5
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class _Worker:
    def __init__(self, index: int, pid: int, channel: socket.socket) -> None:
        self.index, self.pid, self.channel = index, pid, channel
        self.data = bytearray()
        self.born = time.monotonic()
        self.ready = self.deaf = False


class _Asking(NamedTuple):
    asker: int
    token: int
    topic: str
    payload: bytes
    waiting: set[int]
    parts: list[bytes]


class Supervisor:
    """Forks workers, replaces those that die, and passes messages among them.

    It reads no request. A worker that dies takes the requests it had with it; connections that wait to be accepted wait
    for the one that takes its place, because the listening sockets stay open here.

    Parameters
    ----------
    count : int
        Workers.
    start : callable
        The life of a worker, in a process of its own.
    patience_s : float
        How long workers may take to end before they are killed.
    """

    def __init__(self, count: int, start: Start, *, patience_s: float) -> None:
        self._count = count
        self._start = start
        self._patience_s = patience_s
        self._workers: dict[int, _Worker] = {}
        self._latest = b""
        self._askings: dict[int, _Asking] = {}
        self._tokens = 0
        self._quick = 0
        self._stopping = False

    def run(self, ready: Callable[[], None]) -> None:
        """Supervise until SIGTERM or SIGINT, and until every worker has ended.

        Parameters
        ----------
        ready : callable
            Called once, when every worker accepts connections.

        Raises
        ------
        ShiplapError
            Workers die as soon as they are born.
        """
        self._selector = selectors.DefaultSelector()
        self._wakeup, told = socket.socketpair()
        for end in (self._wakeup, told):
            end.setblocking(False)
        before = [signal.signal(number, lambda *_: None) for number in _SIGNALS]
        signal.set_wakeup_fd(told.fileno())
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        self._ready: Callable[[], None] | None = ready
        try:
            for index in range(self._count):
                self._spawn(index)
            while self._workers:
                self._turn()
        finally:
            self._kill()
            signal.set_wakeup_fd(-1)
            for number, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(number, handler)
            self._selector.close()
            self._wakeup.close()
            told.close()

    def _spawn(self, index: int) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            self._live(index, ours, theirs)
        theirs.close()
        ours.settimeout(self._patience_s)
        self._workers[index] = _Worker(index, pid, ours)
        self._selector.register(ours, selectors.EVENT_READ, index)

    def _live(self, index: int, ours: socket.socket, theirs: socket.socket) -> None:
        """Be a worker: nothing of what the supervisor has open or set may be left."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            ours.close()
            self._wakeup.close()
            self._selector.close()
            for other in self._workers.values():
                other.channel.close()
            self._start(index, theirs, self._latest)
            code = 0
        except ShiplapError as error:
            sys.stderr.write(f"error: {error}\n")
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _turn(self) -> None:
        timeout = max(0.0, self._deadline - time.monotonic()) if self._stopping else None
        events = self._selector.select(timeout)
        if self._stopping and not events:
            self._kill()
        for key, _ in events:
            if key.data is None:
                self._heed(self._wakeup.recv(4_096))
            elif key.data in self._workers:
                self._hear(self._workers[key.data])

    def _heed(self, numbers: bytes) -> None:
        if signal.SIGHUP in numbers and 0 in self._workers:
            self._send(self._workers[0], Message("reload"))
        if not self._stopping and {signal.SIGTERM, signal.SIGINT} & set(numbers):
            self._stopping = True
            self._deadline = time.monotonic() + self._patience_s
            for worker in self._workers.values():
                os.kill(worker.pid, signal.SIGTERM)
        if signal.SIGCHLD in numbers:
            for worker in tuple(self._workers.values()):
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if pid:
                    self._bury(worker, status)

    def _bury(self, worker: _Worker, status: int) -> None:
        if not worker.deaf:
            self._selector.unregister(worker.channel)
        worker.channel.close()
        del self._workers[worker.index]
        for token, asking in tuple(self._askings.items()):
            if asking.asker == worker.index:
                del self._askings[token]
            else:
                self._fulfil(token, worker.index)
        if self._stopping:
            return
        code = os.waitstatus_to_exitcode(status)
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        sys.stderr.write(f"worker {worker.index} (process {worker.pid}) {how}; another takes its place\n")
        self._quick = self._quick + 1 if time.monotonic() - worker.born < _QUICK_S else 0
        if self._quick >= _MOST_QUICK:
            raise ShiplapError(f"workers end as soon as they start: {self._quick} in a row", hint="see what they wrote")
        self._spawn(worker.index)

    def _hear(self, worker: _Worker) -> None:
        try:
            part = worker.channel.recv(65_536)
        except OSError:
            part = b""
        if not part:
            self._selector.unregister(worker.channel)  # its end is heard of as a signal
            worker.deaf = True
            return
        worker.data += part
        for message in unframe(worker.data):
            self._take(worker, message)

    def _take(self, worker: _Worker, message: Message) -> None:
        if message.kind == "ready":
            worker.ready = True
            if self._ready is not None and all(each.ready for each in self._workers.values()):
                ready, self._ready = self._ready, None
                ready()
        elif message.kind == "ask":
            self._tokens += 1
            asking = _Asking(worker.index, message.token, message.topic, message.payload, set(self._workers), [])
            self._askings[self._tokens] = asking
            for other in tuple(self._workers.values()):
                self._send(other, Message("do", self._tokens, message.topic, message.payload))
        elif message.kind == "did":
            if message.token in self._askings:
                self._askings[message.token].parts.append(message.payload)
            self._fulfil(message.token, worker.index)
        elif message.kind == "failed":
            failed = self._askings.pop(message.token, None)
            if failed is not None and failed.asker in self._workers:
                reply = Message("failed", failed.token, failed.topic, message.payload)
                self._send(self._workers[failed.asker], reply)

    def _fulfil(self, token: int, index: int) -> None:
        asking = self._askings.get(token)
        if asking is None:
            return
        asking.waiting.discard(index)
        if asking.waiting:
            return
        del self._askings[token]
        if asking.topic == REMEMBERED:
            self._latest = asking.payload
        if asking.asker in self._workers:
            answer = Message("answer", asking.token, asking.topic, parts=asking.parts)
            self._send(self._workers[asking.asker], answer)

    def _send(self, worker: _Worker, message: Message) -> None:
        try:
            worker.channel.sendall(frame(message))
        except OSError:
            os.kill(worker.pid, signal.SIGKILL)  # it hears nothing any more; its end is heard of as a signal

    def _kill(self) -> None:
        for worker in tuple(self._workers.values()):
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
            worker.channel.close()
        self._workers.clear()
