"""`Supervisor`: worker processes, forked after the models were loaded; one that dies is replaced."""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.control.bus import Message, frame, told_by, unframe

__all__ = ["Hear", "Start", "Supervisor"]

Start = Callable[[int, socket.socket], None]
"""``start(index, channel)`` is the life of a worker."""

Hear = Callable[[str, bytes], None]
"""``hear(topic, payload)`` does in the supervisor what all workers are about to be asked; it may refuse."""

BINDING = "commit"
_MOST_UNBORN = 5
_SEND_S = 10.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class _Worker:
    def __init__(self, index: int, pid: int, channel: socket.socket) -> None:
        self.index, self.pid, self.channel = index, pid, channel
        self.data = bytearray()
        self.ready = self.deaf = False


class _Asking(NamedTuple):
    asker: int
    token: int
    topic: str
    waiting: set[int]
    parts: list[bytes]
    deadline: float


class Supervisor:
    """Forks workers, replaces those that die, and passes messages among them.

    It reads no request. A worker that dies takes the requests it had with it; connections that wait to be accepted wait
    for the one that takes its place, because the listening sockets stay open here. That one is a copy of this process,
    so whatever changes in workers is to change here first, by `hear`: then it never depends on what lies on the disk.

    Parameters
    ----------
    count : int
        Workers.
    start : callable
        The life of a worker, in a process of its own.
    hear : callable
        Takes part in what all workers are asked.
    stop : callable
        Called once when workers are told to end: nobody is to wait for a worker to come.
    patience_s : float
        How long workers may take to end before they are killed.
    answer_s : float
        How long a worker may take to answer what all are asked before it is replaced.
    """

    def __init__(
        self,
        count: int,
        start: Start,
        *,
        hear: Hear,
        stop: Callable[[], None],
        patience_s: float,
        answer_s: float = 120.0,
    ) -> None:
        self._count = count
        self._start = start
        self._hear_of = hear
        self._stop_all = stop
        self._patience_s = patience_s
        self._answer_s = answer_s
        self._workers: dict[int, _Worker] = {}
        self._askings: dict[int, _Asking] = {}
        self._tokens = 0
        self._unborn = 0
        self._failed: ShiplapError | None = None
        self._deadline: float | None = None

    def run(self, ready: Callable[[], None]) -> None:
        """Supervise until SIGTERM or SIGINT, and until every worker has ended.

        Parameters
        ----------
        ready : callable
            Called once, when every worker accepts connections.

        Raises
        ------
        ShiplapError
            Workers die before they have begun.
        """
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._told = socket.socketpair()
        for end in (self._wakeup, self._told):
            end.setblocking(False)
        before = [signal.signal(number, lambda *_: None) for number in _SIGNALS]
        signal.set_wakeup_fd(self._told.fileno())
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
            self._told.close()
        if self._failed is not None:
            raise self._failed

    def _spawn(self, index: int) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # or the first collection of a worker would copy what it shares with the others
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # what is sent to a worker waits until it can heed it
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of threads: those of BLAS stand a fork
                pid = os.fork()
            if not pid:
                self._live(index, ours, theirs)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        theirs.close()
        ours.settimeout(_SEND_S)
        worker = self._workers[index] = _Worker(index, pid, ours)
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _live(self, index: int, ours: socket.socket, theirs: socket.socket) -> None:
        """Be a worker: nothing of what the supervisor has open or set may be left."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:  # a terminal sends two of them to all processes, and the supervisor decides
                heeded = number in {signal.SIGTERM, signal.SIGCHLD}
                signal.signal(number, signal.SIG_DFL if heeded else signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            self._selector.close()
            for end in (ours, self._wakeup, self._told, *(other.channel for other in self._workers.values())):
                end.close()
            self._start(index, theirs)
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
        ends = [asking.deadline for asking in self._askings.values()]
        ends += [] if self._deadline is None else [self._deadline]
        events = self._selector.select(max(0.0, min(ends) - time.monotonic()) if ends else None)
        for key, _ in events:
            worker: _Worker | None = key.data
            if worker is None:
                self._heed(self._wakeup.recv(4_096))
            elif worker is self._workers.get(worker.index):  # it may have been replaced a moment ago
                self._hear(worker)
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self._kill()
        for asking in tuple(self._askings.values()):
            if now >= asking.deadline:
                self._replace(asking.waiting)

    def _heed(self, numbers: bytes) -> None:
        if signal.SIGHUP in numbers and 0 in self._workers:
            self._send(self._workers[0], Message("reload"))
        if {signal.SIGTERM, signal.SIGINT} & set(numbers):
            self._stop()
        if signal.SIGCHLD in numbers:
            for worker in tuple(self._workers.values()):
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if pid:
                    self._bury(worker, status)

    def _stop(self) -> None:
        if self._deadline is not None:
            return
        self._deadline = time.monotonic() + self._patience_s
        self._stop_all()
        for worker in self._workers.values():
            os.kill(worker.pid, signal.SIGTERM)

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
        if self._deadline is not None:
            return
        code = os.waitstatus_to_exitcode(status)
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self._unborn = 0 if worker.ready else self._unborn + 1
        if self._unborn >= _MOST_UNBORN:
            detail = f"workers end before they have begun, {self._unborn} in a row; the last {how}"
            self._failed = ShiplapError(detail, hint="see what they wrote")
            self._stop()
            return
        sys.stderr.write(f"worker {worker.index} (process {worker.pid}) {how}; another takes its place\n")
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
            self._ask(worker, message)
        elif message.kind == "did":
            if message.token in self._askings:
                self._askings[message.token].parts.append(message.payload)
            self._fulfil(message.token, worker.index)
        elif message.kind == "failed":
            if message.topic == BINDING:  # it no longer does what the others do
                self._replace({worker.index})
                return
            failed = self._askings.pop(message.token, None)
            if failed is not None and failed.asker in self._workers:
                reply = Message("failed", failed.token, failed.topic, message.payload)
                self._send(self._workers[failed.asker], reply)

    def _ask(self, worker: _Worker, message: Message) -> None:
        """Ask all workers, unless it cannot be done here; so one that is forked meanwhile has done it too."""
        try:
            self._hear_of(message.topic, message.payload)
        except Exception as error:
            self._send(worker, Message("failed", message.token, message.topic, told_by(error)))
            return
        self._tokens += 1
        deadline = time.monotonic() + self._answer_s
        self._askings[self._tokens] = _Asking(
            worker.index, message.token, message.topic, set(self._workers), [], deadline
        )
        for other in tuple(self._workers.values()):
            self._send(other, Message("do", self._tokens, message.topic, message.payload))

    def _fulfil(self, token: int, index: int) -> None:
        asking = self._askings.get(token)
        if asking is None:
            return
        asking.waiting.discard(index)
        if asking.waiting:
            return
        del self._askings[token]
        if asking.asker in self._workers:
            answer = Message("answer", asking.token, asking.topic, parts=asking.parts)
            self._send(self._workers[asking.asker], answer)

    def _send(self, worker: _Worker, message: Message) -> None:
        try:
            worker.channel.sendall(frame(message))
        except OSError:
            self._replace({worker.index})  # it hears nothing any more

    def _replace(self, indices: set[int]) -> None:
        """End workers; that they have ended is heard of as a signal, and others take their places."""
        for index in indices:
            if index in self._workers:
                os.kill(self._workers[index].pid, signal.SIGKILL)

    def _kill(self) -> None:
        for worker in tuple(self._workers.values()):
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
            worker.channel.close()
        self._workers.clear()
