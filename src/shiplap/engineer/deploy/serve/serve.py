"""The verb: answer requests over HTTP until told to stop."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.control.controller import follow, roster_of
from shiplap.engineer.deploy.serve.control.roster import Roster
from shiplap.engineer.deploy.serve.control.shared import Shared
from shiplap.engineer.deploy.serve.control.sources import Sources
from shiplap.engineer.deploy.serve.control.worker import Sockets, Worker
from shiplap.engineer.deploy.serve.http.listener import address_of, listen, listen_many, listen_unix, remove_unix
from shiplap.engineer.deploy.serve.rpc.place import place_of, reserve
from shiplap.engineer.deploy.serve.settings import OFF, Addresses, Settings

__all__ = ["serve"]

_PATIENCE_S = 10.0  # beyond what requests in progress may take


def serve(
    ships: str | Path | Sequence[str | Path],
    settings: Settings | None = None,
    *,
    ready: Callable[[Addresses], None] | None = None,
    **changes: Any,
) -> None:
    """Serve ships until SIGTERM or SIGINT; requests in progress are then answered first.

    Spoken are Shiplap's own protocol (``POST /predict``), the Open Inference Protocol v2 (``/v2``), and those of
    MLflow, Amazon SageMaker, TensorFlow Serving, KServe v1, TorchServe, Vertex AI and Azure ML; ``/health`` and
    ``/openapi.json`` stand beside them. SIGHUP looks again at every ship, and swaps those that changed.

    Parameters
    ----------
    ships : path or name, or a sequence of them
        Ship files, or names in the store such as ``churn@production``. Of several that hold one model, the first
        answers who asks for no version.
    settings : Settings, optional
        Everything else that may be chosen.
    ready : callable, optional
        Called once, with where it listens, when connections are accepted.
    **changes
        Fields of `Settings`: ``serve("churn.ship", port=0, workers=2)``.

    Raises
    ------
    ShipError
        A ship file cannot be read.
    InputError
        One ship is named twice, a setting cannot be meant, or an address cannot be had.
    """
    settings = msgspec.structs.replace(settings or Settings(), **changes)
    _check_place(settings.workers)
    chosen = [ships] if isinstance(ships, str | Path) else list(ships)
    if not chosen and not settings.repository:
        raise InputError("there is nothing to serve", hint="name at least one ship file")
    shared = Shared.of(settings)
    station = shared.station
    station.commit(_roster([str(each) for each in chosen], shared.sources))
    with ExitStack() as stack:
        sockets = _listeners(settings, stack)
        first = sockets[0]
        addresses = Addresses(
            address_of(first.main, secure=shared.tls is not None),
            "" if first.grpc is None else place_of(first.grpc),
            "" if first.admin is None else address_of(first.admin, secure=shared.tls is not None),
        )

        def told() -> None:
            if ready is not None:
                ready(addresses)

        if settings.workers == 1:
            Worker(shared, first).live(told)
            return

        _supervise(shared, sockets, told)


def _supervise(shared: Shared, sockets: Sequence[Sockets], told: Callable[[], None]) -> None:
    from shiplap.engineer.deploy.serve.control.supervisor import Supervisor  # noqa: PLC0415  Windows cannot fork

    def live(index: int, channel: socket.socket) -> None:
        own = sockets[index] if index == 0 else sockets[index]._replace(admin=None)
        close(own)
        Worker(shared, own, index=index, channel=channel).live(lambda: None)

    def close(but: Sequence[socket.socket | None] = ()) -> None:
        """Let go of listening sockets, or who connects to one waits for a worker that is to come no more."""
        for each in {held for group in sockets for held in group if held is not None}:
            if each not in but:
                each.close()

    patience_s = shared.settings.limits.drain_s + _PATIENCE_S
    Supervisor(
        shared.settings.workers, live, hear=partial(follow, shared.station), stop=close, patience_s=patience_s
    ).run(told)


def _check_place(workers: int) -> None:
    """Refuse to serve where it cannot be done; raises ``InputError``."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        detail = "serving waits for its end, and an event loop runs here already, as in a notebook"
        raise InputError(detail, hint="call it in a thread or a process of its own")
    if workers > 1 and threading.current_thread() is not threading.main_thread():
        raise InputError("several workers need signals, which only the main thread has", hint="serve with one worker")


def _roster(chosen: Sequence[str], sources: Sources) -> Roster:
    found = [sources.find(source) for source in chosen]
    ids = [(name, place.version) for name, place in found]
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice is not None:
        raise InputError(f"version {twice[1]} of '{twice[0]}' is named twice", hint="name it once")
    return roster_of(found)


def _listeners(settings: Settings, stack: ExitStack) -> list[Sockets]:
    """Return what each worker listens on."""
    if settings.workers > 1 and sys.platform == "win32":
        raise InputError("several workers are forked, which Windows cannot do", hint="leave --workers out")
    backlog, host = settings.limits.connections, settings.host
    if settings.unix:
        path = Path(settings.unix)
        stack.callback(remove_unix, path)
        mains = [listen_unix(path, backlog=backlog)] * settings.workers
    elif settings.workers == 1:
        mains = [listen(host, settings.port, backlog=backlog)]
    else:
        mains = listen_many(host, settings.port, settings.workers, backlog=backlog)
    for main in mains:
        stack.callback(main.close)
    admin = grpc = None
    if settings.admin_port != OFF:
        admin = stack.enter_context(listen(settings.admin_host, settings.admin_port))
    if settings.grpc_port != OFF:
        grpc = stack.enter_context(reserve(host, settings.grpc_port))
    return [Sockets(main, admin, grpc) for main in mains]
