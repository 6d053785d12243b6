"""`Door`: where clients come in that have to shake hands first (TLS)."""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol

from shiplap.engineer.deploy.serve.http.connection import Connection, House
from shiplap.engineer.deploy.serve.http.tls import Tls

__all__ = ["Door", "Guest", "SecureHouse"]

_GOODBYE_S = 2.0
_PAUSE_S = 0.1


class SecureHouse(House, Protocol):
    """A server with a door."""

    guests: set[Guest]


class Guest(Connection):
    """A client that may still be shaking hands.

    Parameters
    ----------
    house : SecureHouse
        The server.
    """

    __slots__ = ("_guests",)

    def __init__(self, house: SecureHouse) -> None:
        super().__init__(house)
        self._guests = house.guests

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Come in: the handshake is done."""
        self._guests.discard(self)
        super().connection_made(transport)


class Door:
    """Accepts clients and shakes hands. Those at it count as connections, and are held to a time.

    Parameters
    ----------
    house : SecureHouse
        The server.
    tls : Tls
        What handshakes are made with: what it holds when one begins.
    listener : socket
        Where clients come from.
    """

    def __init__(self, house: SecureHouse, tls: Tls, listener: socket.socket) -> None:
        self._house = house
        self._tls = tls
        self._shaking: set[asyncio.Task[None]] = set()
        self._accepting = house.loop.create_task(self._accept(listener))

    def close(self) -> None:
        """Let nobody in any more, nor those whose handshake is not done."""
        self._accepting.cancel()
        for task in self._shaking:
            task.cancel()

    async def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    client, _ = await self._house.loop.sock_accept(listener)
                except OSError:  # it left before it was accepted, or no further file can be opened now
                    await asyncio.sleep(_PAUSE_S)
                else:
                    self._let_in(client)

    def _let_in(self, client: socket.socket) -> None:
        house = self._house
        if not house.admits():
            client.close()  # before a handshake, nothing can be told to it
            return
        guest = Guest(house)
        house.guests.add(guest)
        task = house.loop.create_task(self._shake_hands(guest, client))
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _shake_hands(self, guest: Guest, client: socket.socket) -> None:
        house = self._house
        try:
            await house.loop.connect_accepted_socket(
                lambda: guest,
                client,
                ssl=self._tls.context,
                ssl_handshake_timeout=house.limits.handshake_s,
                ssl_shutdown_timeout=_GOODBYE_S,
            )
        except OSError:  # it spoke no TLS, showed no certificate, was too slow, or left
            client.close()
        finally:
            house.guests.discard(guest)
