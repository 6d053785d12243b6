"""The routes of a fleet: every protocol, and the application beside them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from shiplap.engineer.deploy.serve.access.describe import security
from shiplap.engineer.deploy.serve.http.bridge import Application, Bridge
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.protocols import (
    Azure,
    Health,
    InferenceV2,
    Invocations,
    Predict,
    Protocol,
    TensorFlowServing,
    TorchServe,
    Vertex,
)

__all__ = ["make_routes"]

_APP = "shiplap.engineer.deploy.serve.app"


def make_routes(fleet: Fleet, limits: Limits, further: Sequence[Protocol] = (), *, keyed: bool = False) -> Routes:
    """Put the protocols and the application beside them together.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    limits : Limits
        What is accepted.
    further : sequence of Protocol
        What else is spoken, whatever the fleet.
    keyed : bool
        Whether clients are asked for a key.
    """
    protocols: list[Protocol] = [
        Vertex(fleet, os.environ),  # first: its paths are the operator's choice, and may be those of another
        Predict(fleet),
        InferenceV2(fleet),
        Invocations(fleet),
        TensorFlowServing(fleet),
        TorchServe(fleet),
        Azure(fleet),
        Health(fleet),
        *further,
    ]
    schemes = security()["components"]["securitySchemes"] if keyed else None

    def make() -> Application:
        app: Application = import_module(_APP).make_app(fleet, lambda: [each.paths() for each in protocols], schemes)
        return app

    beside = Bridge(_later(make), tasks=limits.tasks)
    named = (route._replace(protocol=protocol.name) for protocol in protocols for route in protocol.routes())
    return Routes(named, beside)


def _later(make: Callable[[], Application]) -> Application:
    """Return an application that is made when it is first asked; many servers never show a page, nor pay for it."""
    made = cache(make)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(None, import_module, _APP)
        await made()(scope, receive, send)

    return application
