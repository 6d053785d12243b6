"""`Bus`: asks every process of a server at once; with one process, only itself."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Alone", "Bus", "Handlers", "Message", "Relayed", "frame", "told_by", "unframe"]

Handlers = dict[str, Callable[[bytes], Awaitable[bytes]]]
_LENGTH = struct.Struct(">I")


class Message(msgspec.Struct, array_like=True):
    """What goes between a worker and its supervisor.

    Parameters
    ----------
    kind : str
        ``ask`` and its ``answer``, ``do`` and its ``did`` or ``failed``, ``ready``, ``reload``.
    token : int
        Which asking it belongs to.
    topic : str
        What is asked.
    payload : bytes
        What goes with it.
    parts : list of bytes
        Of an ``answer``: what each worker said.
    """

    kind: str
    token: int = 0
    topic: str = ""
    payload: bytes = b""
    parts: list[bytes] = []


def frame(message: Message) -> bytes:
    """Return a message as bytes, its length first."""
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def unframe(data: bytearray) -> list[Message]:
    """Take the whole messages from the front of `data`.

    Examples
    --------
    >>> data = bytearray(frame(Message("ready")) + b"xy")
    >>> [message.kind for message in unframe(data)], bytes(data)
    (['ready'], b'xy')
    """
    found = []
    while len(data) >= _LENGTH.size:
        (size,) = _LENGTH.unpack_from(data)
        if len(data) < _LENGTH.size + size:
            break
        found.append(msgspec.msgpack.decode(bytes(data[_LENGTH.size : _LENGTH.size + size]), type=Message))
        del data[: _LENGTH.size + size]
    return found


def told_by(error: Exception) -> bytes:
    """Return what is told of a failure to who asked."""
    return (error.message if isinstance(error, ProblemError) else str(error)).encode()


class Bus(Protocol):
    """Asks every process."""

    async def everywhere(self, topic: str, payload: bytes = b"") -> list[bytes]:
        """Return what the handlers of `topic` return, one part a process; raises ``ProblemError`` if one fails."""
        ...


class Alone:
    """The bus of a server of one process.

    Parameters
    ----------
    handlers : dict
        What answers, by topic.
    """

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    async def everywhere(self, topic: str, payload: bytes = b"") -> list[bytes]:
        """Ask this process."""
        return [await self._handlers[topic](payload)]


class Relayed:
    """The bus of a worker: its supervisor passes on what is asked, and gathers the answers.

    Parameters
    ----------
    channel : socket
        To the supervisor.
    handlers : dict
        What answers here, by topic.
    """

    def __init__(self, channel: socket.socket, handlers: Handlers) -> None:
        self._channel = channel
        self._handlers = handlers
        self._tokens = itertools.count(1)
        self._asked: dict[int, asyncio.Future[list[bytes]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take hold of the channel."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._channel)

    async def listen(self, reload: Callable[[], None]) -> None:
        """Answer what the supervisor passes on, until it is gone.

        Parameters
        ----------
        reload : callable
            Called when the supervisor was told to look at the sources again.
        """
        data = bytearray()
        while part := await self._reader.read(65_536):
            data += part
            for message in unframe(data):
                if message.kind == "reload":
                    reload()
                elif message.kind == "do":
                    task = asyncio.get_running_loop().create_task(self._do(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                else:
                    self._settle(message)

    async def close(self) -> None:
        """Let go of the channel."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def ready(self) -> None:
        """Say that this worker accepts connections."""
        self._writer.write(frame(Message("ready")))

    async def everywhere(self, topic: str, payload: bytes = b"") -> list[bytes]:
        """Ask every worker, this one too."""
        token = next(self._tokens)
        future: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        self._asked[token] = future
        self._writer.write(frame(Message("ask", token, topic, payload)))
        return await future

    async def _do(self, message: Message) -> None:
        try:
            part = await self._handlers[message.topic](message.payload)
        except Exception as error:
            self._writer.write(frame(Message("failed", message.token, message.topic, told_by(error))))
        else:
            self._writer.write(frame(Message("did", message.token, message.topic, part)))

    def _settle(self, message: Message) -> None:
        future = self._asked.pop(message.token, None)
        if future is None or future.done():
            return
        if message.kind == "failed":
            future.set_exception(ProblemError(409, message.payload.decode()))
        else:
            future.set_result(message.parts)
