"""The verb: answer requests over HTTP until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from shiplap.core.errors import InputError
from shiplap.core.progress import tell
from shiplap.engineer.deploy.serve.app import make_app
from shiplap.engineer.deploy.serve.http.bridge import Bridge
from shiplap.engineer.deploy.serve.http.listener import address_of, listen
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.openapi import describe
from shiplap.engineer.deploy.serve.protocols import (
    Azure,
    InferenceV2,
    Invocations,
    Predict,
    Protocol,
    TensorFlowServing,
    TorchServe,
    Vertex,
)
from shiplap.scoring import load

if sys.platform == "win32":
    _new_loop = asyncio.new_event_loop
else:
    import uvloop

    _new_loop = uvloop.new_event_loop

__all__ = ["serve"]

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
        The ship files; their names must differ.
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
        Two ships have one name, or the port cannot be had.
    """
    limits = limits or Limits()
    chosen = [paths] if isinstance(paths, str | Path) else list(paths)
    if not chosen:
        raise InputError("there is nothing to serve", hint="name at least one ship file")
    jobs = Jobs(most=limits.queue)
    models = _load(chosen, limits, jobs)
    with closing(listen(host, port, backlog=limits.connections)) as listener:
        server = make_server(models, limits)
        switch = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(_run(server, listener, ready))
        finally:
            sys.setswitchinterval(switch)
            jobs.close()
            for model in models.values():
                model.turn.close()


def make_server(models: dict[str, Hosted], limits: Limits) -> Server:
    """Put the protocols and the application beside them together.

    Parameters
    ----------
    models : dict of str to Hosted
        What is served, by name.
    limits : Limits
        What is accepted.
    """
    protocols: list[Protocol] = [
        Vertex(models, os.environ),  # first: its paths are the operator's choice, and may be those of another
        Predict(models),
        InferenceV2(models),
        Invocations(models),
        TensorFlowServing(models),
        TorchServe(models),
        Azure(models),
    ]
    description = describe([protocol.paths() for protocol in protocols])
    beside = Bridge(make_app(list(models.values()), description), tasks=limits.tasks)
    return Server(Routes([route for protocol in protocols for route in protocol.routes()], beside), limits)


def _load(paths: Sequence[str | Path], limits: Limits, jobs: Jobs) -> dict[str, Hosted]:
    models: dict[str, Hosted] = {}
    for path in paths:
        tell(f"loading {path}")
        model = Hosted(load(path), limits, jobs)
        if model.name in models:
            raise InputError(f"two ships are called '{model.name}'", hint="serve them on two ports")
        models[model.name] = model
    return models


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
