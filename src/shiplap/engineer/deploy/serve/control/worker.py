"""`Worker`: one process that answers requests, from its first to its last."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.control.admin import Admin
from shiplap.engineer.deploy.serve.control.bus import Alone, Bus, Relayed
from shiplap.engineer.deploy.serve.control.controller import Controller, station_handlers
from shiplap.engineer.deploy.serve.control.onlookers import Onlookers
from shiplap.engineer.deploy.serve.control.sagemaker import SageMakerModels
from shiplap.engineer.deploy.serve.control.sources import Sources
from shiplap.engineer.deploy.serve.control.station import Station
from shiplap.engineer.deploy.serve.control.torchserve import TorchServeManagement
from shiplap.engineer.deploy.serve.http.exchange import Exchange
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.models.shadow import Comparison
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.settings import Settings
from shiplap.engineer.deploy.serve.site import make_routes

if sys.platform == "win32":
    _new_loop = asyncio.new_event_loop
else:
    import uvloop

    _new_loop = uvloop.new_event_loop

__all__ = ["Sockets", "Worker"]

# A thread that works on a long batch hands the interpreter over this often, so single rows wait no longer than that.
_SWITCH_S = 0.0005


class Sockets(NamedTuple):
    """What a worker listens on.

    Parameters
    ----------
    main : socket
        Where requests come in; each worker has its own.
    admin : socket, optional
        The admin listener; the first worker has it.
    """

    main: socket.socket
    admin: socket.socket | None = None


class Worker:
    """Everything of one process, put together: ships, protocols, listeners, onlookers.

    Parameters
    ----------
    settings : Settings
        What the operator chose.
    station : Station
        The ships.
    sources : Sources
        Where ships come from.
    channel : socket, optional
        To the supervisor, where there is one.
    first : bool
        Whether this is the worker that changes are made by.
    """

    def __init__(
        self,
        settings: Settings,
        station: Station,
        sources: Sources,
        *,
        channel: socket.socket | None = None,
        first: bool = True,
    ) -> None:
        self._settings = settings
        self._station = station
        self._sources = sources
        self._channel = channel
        self._first = first
        self._tasks: set[asyncio.Task[Any]] = set()
        self._onlookers = Onlookers(Path(settings.store) if settings.store else None)

    def live(self, sockets: Sockets, ready: Callable[[], None]) -> None:
        """Answer until told to stop; requests in progress are then answered first.

        Parameters
        ----------
        sockets : Sockets
            What to listen on.
        ready : callable
            Called once, when connections are accepted; with a supervisor, the supervisor is told instead.
        """
        switch = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._run(sockets, ready))
        finally:
            sys.setswitchinterval(switch)
            self._station.close()

    async def _run(self, sockets: Sockets, ready: Callable[[], None]) -> None:
        stop = asyncio.Event()
        handlers = {**station_handlers(self._station), "shadows": self._shadows}
        bus: Bus = Alone(handlers) if self._channel is None else Relayed(self._channel, handlers)
        controller = Controller(self._station, bus, self._sources)
        self._heed(stop, controller)
        if isinstance(bus, Relayed):
            await bus.open()
            listening = self._spawn(bus.listen(lambda: self._reload(controller)))
            listening.add_done_callback(lambda _: stop.set())  # the supervisor is gone
        further = [SageMakerModels(controller)] if os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true" else []

        def routes() -> Routes:
            return make_routes(self._station.fleet, self._settings.limits, further)

        server = Server(routes(), self._settings.limits)
        self._station.changed += [self._onlookers.look, lambda _: server.route(routes())]
        await server.start(sockets.main)
        servers = [server]
        if sockets.admin is not None and self._first:
            servers.append(await self._start_admin(sockets.admin, controller, bus))
        if self._first and self._settings.store:
            self._spawn(controller.watch())
        if isinstance(bus, Relayed):
            bus.ready()
        else:
            ready()
        await stop.wait()
        await asyncio.gather(*(each.drain() for each in servers))
        await asyncio.get_running_loop().run_in_executor(None, self._onlookers.close)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if isinstance(bus, Relayed):
            await bus.close()

    async def _start_admin(self, listener: socket.socket, controller: Controller, bus: Bus) -> Server:
        parts = Admin(controller, lambda: _compared(bus)), TorchServeManagement(controller)
        routes = [route._replace(protocol=part.name) for part in parts for route in part.routes()]
        server = Server(Routes(routes, _nothing), self._settings.limits)
        await server.start(listener)
        return server

    async def _shadows(self, payload: bytes) -> bytes:
        return msgspec.json.encode(self._onlookers.found())

    def _heed(self, stop: asyncio.Event, controller: Controller) -> None:
        """Heed the signals of the operator; what the supervisor sends comes by its channel."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
            return
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        if self._channel is None:
            loop.add_signal_handler(signal.SIGINT, stop.set)
            loop.add_signal_handler(signal.SIGHUP, lambda: self._reload(controller))
        else:  # a terminal sends both to every process of the group, and the supervisor decides
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)

    def _reload(self, controller: Controller) -> None:
        self._spawn(controller.reload())

    def _spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        async def run() -> None:
            with suppress(ShiplapError):
                await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _compared(bus: Bus) -> dict[str, Any]:
    """Return what the shadows of all workers found, by model."""
    found: dict[str, Comparison] = {}
    for part in await bus.everywhere("shadows"):
        for name, comparison in msgspec.json.decode(part, type=dict[str, Comparison]).items():
            found[name] = found.get(name, Comparison()) + comparison
    return {name: comparison.as_dict() for name, comparison in found.items()}


def _nothing(exchange: Exchange) -> None:
    raise ProblemError(404, f"nothing is at {exchange.head.path}", hint="see /fleet")
