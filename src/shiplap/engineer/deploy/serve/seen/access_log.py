"""`AccessLog`: a line of JSON for each answer, written on a thread, so that no disk and no pipe holds answers up.

A line has never a body, a query, a header or a key in it, and is plain ASCII but for names that the operator chose.

======================================  ================================================================================
member                                  what it is
======================================  ================================================================================
``time``                                when the request was read (RFC 3339)
``id``, ``trace_id``                    the id of the answer (``X-Request-Id``), and of the trace it belongs to, or null
``client``                              its address
``method``, ``path``                    what was asked for; the path percent-encoded, and cut where it is long
``status``, ``bytes``                   the answer, and the bytes of its body
``ms``                                  from the last byte of the request to the answer
``model``, ``version``, ``protocol``    who answered, or null
``rows``                                how many rows it held, where a model answered
``key``                                 the name of the API key, or null
======================================  ================================================================================
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from queue import SimpleQueue
from time import perf_counter
from urllib.parse import quote

import msgspec

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.seen.answered import Answered

__all__ = ["AccessLog"]

_WAIT_S = 0.1  # lines are gathered for so long
_MOST = 32_768
_AT_ONCE = 256  # lines that are made in one step, in less than a millisecond
_LONGEST_PATH = 1_024
_CLOSE_S = 2.0
_PIPE_BUF = getattr(select, "PIPE_BUF", 512)
_UNRESERVED = "/-._~!$&'()*+,;=:@"


class _Line(msgspec.Struct, frozen=True, gc=False):
    time: datetime
    id: str
    trace_id: str | None
    client: str
    method: str
    path: str
    status: int
    bytes: int
    ms: float
    model: str | None
    version: str | None
    protocol: str | None
    rows: int | None
    key: str | None


class AccessLog:
    """Writes a line for each answer.

    Lines wait in a buffer of limited length. What cannot be written, because the disk is full or nobody reads the pipe,
    is lost, counted, and said once; answers go on.

    Parameters
    ----------
    path : str
        A file, which is appended to; ``-`` is standard output.
    every : int
        Of so many answers below 400 one is written; those from 400 on are all.
    most : int
        Lines that may wait.

    Raises
    ------
    InputError
        The file cannot be written.
    """

    def __init__(self, path: str, *, every: int = 1, most: int = _MOST) -> None:
        if every < 1:
            raise InputError(f"one of 'every' answers is written; it cannot be {every}")
        self._path = path
        self._every = every
        self._most = most
        self._passed = 0
        self._pending: list[Answered] = []
        self._handed = self._refused = 0  # lines: counted on the loop
        self._done = self._unwritten = 0  # counted on the thread
        self._queue: SimpleQueue[tuple[bytes, int] | bool] = SimpleQueue()  # lines; True: reopen, False: end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._torn = self._said = False
        self._encoder = msgspec.json.Encoder()
        try:
            self._file = self._open()
        except OSError as error:
            detail = f"the access log '{path}' cannot be written: {error.strerror}"
            raise InputError(detail, hint="name a file in a folder that this user may write to, or -") from error

    @property
    def lost(self) -> int:
        """How many lines were not written."""
        return self._refused + self._unwritten

    def start(self) -> None:
        """Begin to write, on the running loop; in each process after it was forked."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="shiplap-access-log", daemon=True)
        self._thread.start()
        self._hand_over()

    def reopen(self) -> None:
        """Begin a new file under the same name, after somebody moved the old one away."""
        self._hand_over()
        self._queue.put(True)

    def close(self) -> None:
        """Write what waits, and end; who does not take it within two seconds does not get it."""
        if self._loop is None:
            return
        self._hand_over()
        self._queue.put(False)
        self._thread.join(_CLOSE_S)

    # -- on the loop ---------------------------------------------------------------------------------------------

    def wants(self, status: int) -> bool:
        """Say whether there is to be a line for an answer."""
        if status < 400 and self._every > 1:
            self._passed += 1
            return not self._passed % self._every
        return True

    def note(self, answered: Answered) -> None:
        """Keep an answer that is to have a line."""
        pending = self._pending
        if len(pending) + self._handed - self._done >= self._most:
            self._refused += 1
            return
        pending.append(answered)
        if len(pending) == _AT_ONCE:
            self._hand_over()
        elif len(pending) == 1 and self._loop is not None:
            self._loop.call_later(_WAIT_S, self._hand_over)

    def _hand_over(self) -> None:
        """Make the lines here, where it is quicker than to dispute the interpreter with another thread."""
        pending = self._pending
        if pending:
            clock = time.time() - perf_counter()
            self._queue.put((self._encoder.encode_lines([_line(each, clock) for each in pending]), len(pending)))
            self._handed += len(pending)
            pending.clear()

    # -- on the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (item := self._queue.get()) is not False:
            if item is True:
                self._open_again()
            else:
                self._write(*item)

    def _write(self, lines: bytes, count: int) -> None:
        for data in self._pieces(lines):
            try:
                self._put(data)
            except OSError as error:
                self._say(f"the access log '{self._path}' cannot be written: {error.strerror}; lines are lost")
        self._done += count

    def _pieces(self, lines: bytes) -> Iterator[bytes]:
        """Return what is written at once: into a pipe no more than what stays together among several processes."""
        if not stat.S_ISFIFO(os.fstat(self._file).st_mode):
            yield lines
            return
        gathered = b""
        for line in lines.splitlines(keepends=True):
            if gathered and len(gathered) + len(line) > _PIPE_BUF:
                yield gathered
                gathered = b""
            gathered += line
        yield gathered

    def _put(self, data: bytes) -> None:
        if self._torn:
            data = b"\n" + data
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:] if written else data)
        except OSError:
            self._unwritten += data[written:].count(b"\n") - (self._torn and not written)
            raise
        finally:
            if written:
                self._torn = data[written - 1 : written] != b"\n"

    def _open(self) -> int:
        if self._path == "-":
            return sys.stdout.fileno()
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o640)

    def _open_again(self) -> None:
        if self._path == "-":
            return
        try:
            fresh = self._open()
        except OSError as error:
            self._say(f"the access log '{self._path}' cannot be opened again: {error.strerror}; the old file is kept")
            return
        os.close(self._file)
        self._file = fresh
        self._torn = self._said = False

    def _say(self, text: str) -> None:
        if not self._said:
            self._said = True
            sys.stderr.write(f"{text}\n")


def _line(answered: Answered, clock: float) -> _Line:
    head, parent = answered.head, answered.parent
    model, version = answered.model or (None, None)
    return _Line(
        time=datetime.fromtimestamp(clock + answered.arrived, UTC),
        id=answered.id,
        trace_id=parent.trace_id if parent else answered.trace_id,
        client=answered.client,
        method=head.method,
        path=_shown(head.path),
        status=answered.status,
        bytes=answered.sent_bytes,
        ms=round((answered.ended - answered.arrived) * 1e3, 3),
        model=model,
        version=version,
        protocol=head.route.protocol or None,
        rows=answered.rows if answered.model else None,
        key=head.key.name if head.key is not None else None,
    )


@lru_cache(maxsize=1_024)
def _shown(path: str) -> str:
    """Return a path as ASCII, so that nothing in it acts on the terminal that shows it."""
    text = quote(path, safe=_UNRESERVED, errors="replace")
    return text if len(text) <= _LONGEST_PATH else f"{text[:_LONGEST_PATH]}..."
