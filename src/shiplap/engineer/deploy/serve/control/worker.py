"""`Worker`: one process that answers requests, from its first to its last."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from typing import Protocol as Shape

import msgspec

from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.control.admin import Admin
from shiplap.engineer.deploy.serve.control.bus import Alone, Bus, Relayed
from shiplap.engineer.deploy.serve.control.controller import Controller, station_handlers
from shiplap.engineer.deploy.serve.control.onlookers import Onlookers
from shiplap.engineer.deploy.serve.control.sagemaker import SageMakerModels
from shiplap.engineer.deploy.serve.control.scrape import Scrape
from shiplap.engineer.deploy.serve.control.shared import Shared
from shiplap.engineer.deploy.serve.control.torchserve import TorchServeManagement
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.models.shadow import Comparison
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols import Protocol
from shiplap.engineer.deploy.serve.protocols.outcomes import Outcomes
from shiplap.engineer.deploy.serve.site import make_routes

if TYPE_CHECKING:
    from shiplap.engineer.deploy.serve.rpc.server import RpcServer

if sys.platform == "win32":
    _new_loop = asyncio.new_event_loop
else:
    import uvloop

    _new_loop = uvloop.new_event_loop

__all__ = ["Sockets", "Worker"]


class Part(Shape):
    """A part of the admin listener."""

    name: str

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        ...


class Sockets(NamedTuple):
    """What a worker listens on.

    Parameters
    ----------
    main : socket
        Where requests come in.
    admin : socket, optional
        The admin listener; the first worker has it.
    grpc : socket, optional
        Holds the place where gRPC is answered.
    """

    main: socket.socket
    admin: socket.socket | None = None
    grpc: socket.socket | None = None


class Worker:
    """Everything of one process, put together: ships, protocols, listeners, onlookers.

    Parameters
    ----------
    shared : Shared
        What was made before the fork.
    sockets : Sockets
        What to listen on.
    index : int
        Which worker it is; the first has the admin listener, and follows names in the store.
    channel : socket, optional
        To the supervisor, where there is one.
    """

    def __init__(
        self, shared: Shared, sockets: Sockets, *, index: int = 0, channel: socket.socket | None = None
    ) -> None:
        self._shared = shared
        self._station = shared.station
        self._sockets = sockets
        self._index = index
        self._channel = channel
        self._stop = asyncio.Event()
        self._servers: list[Server] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def live(self, ready: Callable[[], None]) -> None:
        """Answer until told to stop; requests in progress are then answered first.

        Parameters
        ----------
        ready : callable
            Called once, when connections are accepted; with a supervisor, the supervisor is told instead.
        """
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._run(ready))
        finally:
            self._station.close()

    async def _run(self, ready: Callable[[], None]) -> None:
        shared = self._shared
        self._onlookers = Onlookers(shared)
        handlers = {
            **station_handlers(self._station),
            "shadows": self._shadows,
            "metrics": self._metrics,
            "refresh": self._refresh,
        }
        bus: Bus = Alone(handlers) if self._channel is None else Relayed(self._channel, handlers)
        controller = Controller(self._station, bus, shared.sources)
        reload = partial(self._reload, bus, controller)
        self._heed(reload)
        if isinstance(bus, Relayed):
            await bus.open()
            self._spawn(bus.listen(reload)).add_done_callback(lambda _: self._stop.set())  # the supervisor is gone
        shared.watch.start(self._index)
        if shared.guard is not None:
            shared.guard.count_as(self._index)
        await self._start(controller, bus)
        rpc = await self._start_grpc()
        self._onlookers.look(self._station)
        if shared.guard is not None:
            shared.guard.watch(*(server.forget for server in self._servers))
        if isinstance(bus, Relayed):
            bus.ready()
        else:
            ready()
        await self._stop.wait()
        ending = [server.drain() for server in self._servers] + ([rpc.drain()] if rpc else [])
        await asyncio.gather(*ending)
        loop = asyncio.get_running_loop()
        for close in (self._onlookers.close, shared.watch.close):
            await loop.run_in_executor(None, close)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if isinstance(bus, Relayed):
            await bus.close()

    async def _start(self, controller: Controller, bus: Bus) -> None:
        """Listen for requests, and for the operator's."""
        shared, limits = self._shared, self._shared.settings.limits
        multiple = os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"

        def routes() -> Routes:
            fleet, recorder = self._station.fleet, self._onlookers.recorder
            further: list[Protocol] = [SageMakerModels(controller)] if multiple else []
            if recorder is not None:
                further.append(Outcomes(fleet, recorder))
            return make_routes(fleet, limits, further, keyed=shared.guard is not None)

        observer = shared.watch.observer
        main = Server(routes(), limits, guard=shared.guard, observer=observer, tls=shared.tls)
        changed = self._station.changed
        changed += [self._onlookers.look, lambda _: main.route(routes()), lambda _: shared.watch.swapped()]
        await main.start(self._sockets.main)
        self._servers.append(main)
        if self._index == 0 and self._sockets.admin is not None:
            parts: list[Part] = [
                Admin(controller, partial(_compared, bus)),
                TorchServeManagement(controller),
                Scrape(bus),
            ]
            named = [route._replace(protocol=part.name) for part in parts for route in part.routes()]
            guard = shared.guard.for_admin() if shared.guard is not None else None
            admin = Server(Routes(named, _nothing), limits, guard=guard, observer=observer, tls=shared.tls)
            await admin.start(self._sockets.admin)
            self._servers.append(admin)
        if self._index == 0 and shared.store is not None:
            self._spawn(controller.watch())

    async def _start_grpc(self) -> RpcServer | None:
        if self._sockets.grpc is None:
            return None
        from shiplap.engineer.deploy.serve.rpc.server import RpcServer  # noqa: PLC0415  gRPC must not see a fork

        rpc = RpcServer(self._servers[0], self._station.fleet)
        self._station.changed.append(lambda station: rpc.swap(station.fleet))  # it may change while it starts
        await rpc.start(self._sockets.grpc, self._shared.tls)
        return rpc

    async def _shadows(self, payload: bytes) -> bytes:
        return msgspec.json.encode(self._onlookers.found())

    async def _metrics(self, payload: bytes) -> bytes:
        recorder = self._onlookers.recorder
        unrecorded = 0 if recorder is None else recorder.dropped
        return self._shared.watch.report(payload, self._servers, self._station.fleet, unrecorded=unrecorded)

    async def _refresh(self, payload: bytes) -> bytes:
        if self._shared.refresh():
            for server in self._servers:
                server.forget()
        return b""

    def _reload(self, bus: Bus, controller: Controller) -> None:
        """Look again at everything that was given: log, keys, certificates, ships."""

        async def reload() -> None:
            await bus.everywhere("refresh")
            await controller.reload()

        self._spawn(reload())

    def _heed(self, reload: Callable[[], None]) -> None:
        """Heed the signals of the operator; what the supervisor has to say comes by its channel."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._stop.set))
            return
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        if self._channel is None:
            loop.add_signal_handler(signal.SIGINT, self._stop.set)
            loop.add_signal_handler(signal.SIGHUP, reload)
        else:  # a terminal sends both to every process of the group, and the supervisor decides
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def run() -> None:
            try:
                await work
            except ShiplapError as error:
                sys.stderr.write(f"error: {error}\n")

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
