"""The verb: answer requests over HTTP until told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from shiplap.core.errors import InputError
from shiplap.core.progress import tell
from shiplap.engineer.deploy.serve.http.listener import address_of, listen
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.fleet import Fleet, Service
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.site import make_routes
from shiplap.scoring import load

if sys.platform == "win32":
    _new_loop = asyncio.new_event_loop
else:
    import uvloop

    _new_loop = uvloop.new_event_loop

__all__ = ["load_fleet", "serve"]

# A thread that works on a long batch hands the interpreter over this often, so single rows wait no longer than that.
_SWITCH_S = 0.0005


def serve(
    paths: str | Path | Sequence[str | Path],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve ship files until SIGTERM or SIGINT; requests in progress are then answered first.

    Spoken are Shiplap's own protocol (``POST /predict``), the Open Inference Protocol v2 (``/v2``), and those of
    MLflow, Amazon SageMaker, TensorFlow Serving, KServe v1, TorchServe, Vertex AI and Azure ML; ``/health`` and
    ``/openapi.json`` stand beside them.

    Parameters
    ----------
    paths : path or sequence of paths
        The ship files. Of several with one name, the first answers who asks for no version.
    host : str
        Address to listen on. The default serves this machine alone; anything else must be asked for.
    port : int
        0 takes a free one.
    limits : Limits, optional
        What is accepted of clients.
    ready : callable, optional
        Called once with the address (``"http://127.0.0.1:8000"``) when connections are accepted.

    Raises
    ------
    ShipError
        A ship file cannot be read.
    InputError
        One ship is named twice, or the port cannot be had.
    """
    limits = limits or Limits()
    chosen = [paths] if isinstance(paths, str | Path) else list(paths)
    if not chosen:
        raise InputError("there is nothing to serve", hint="name at least one ship file")
    jobs = Jobs(most=limits.queue)
    fleet = load_fleet(chosen, limits, jobs)
    with closing(listen(host, port, backlog=limits.connections)) as listener:
        server = Server(make_routes(fleet, limits), limits)
        switch = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(_run(server, listener, ready))
        finally:
            sys.setswitchinterval(switch)
            jobs.close()
            for hosted in fleet.hosted:
                hosted.turn.close()


def load_fleet(paths: Sequence[str | Path], limits: Limits, jobs: Jobs) -> Fleet:
    """Load ships; of those that have one name, the first is the one that answers.

    Raises
    ------
    ShipError
        A ship file cannot be read.
    InputError
        One ship is named twice.
    """
    services: dict[str, Service] = {}
    for path in paths:
        tell(f"loading {path}")
        hosted = Hosted(load(path), limits, jobs)
        others = services[hosted.name].versions if hosted.name in services else ()
        if any(other.version == hosted.version for other in others):
            raise InputError(f"version {hosted.version} of '{hosted.name}' is named twice", hint="name it once")
        services[hosted.name] = Service(hosted.name, (*others, hosted))
    return Fleet(services)


async def _run(server: Server, listener: socket.socket, ready: Callable[[str], None] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            _on_signal(loop, number, stop)
    await server.start(listener)
    if ready is not None:
        ready(address_of(listener))
    await stop.wait()
    await server.drain()


def _on_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: asyncio.Event) -> None:
    if sys.platform == "win32":
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    else:
        loop.add_signal_handler(number, stop.set)
