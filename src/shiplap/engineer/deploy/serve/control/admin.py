"""The admin listener: versions are loaded, split, shadowed, promoted and rolled back here, and never elsewhere.

=================================================  =================================================================
request                                            what it does
=================================================  =================================================================
``GET /fleet``, ``/fleet/NAME``                  what is served: versions, canary, shadow and what it found
``POST /fleet/NAME/load``                         load it from the repository or the store, or look again
``POST /fleet/NAME/unload``                       serve it no longer
``POST /fleet/NAME/canary``                       ``{"version": V, "percent": P}``; 0 ends it
``POST /fleet/NAME/shadow``                       ``{"version": V}``; an empty text ends it
``POST /fleet/NAME/promote``                      ``{"version": V}`` becomes the stable version
``POST /fleet/NAME/rollback``                     the version before becomes the stable one again
``POST /reload``                                   look at every source again, as SIGHUP does
``POST /v2/repository/index``                      the repository extension of the Open Inference Protocol,
``POST /v2/repository/models/NAME/load, unload``   as clients of Triton and MLServer speak it
=================================================  =================================================================

Every change holds in all workers when it is answered.

References
----------
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from shiplap.engineer.deploy.serve.control.controller import Controller
from shiplap.engineer.deploy.serve.control.roster import Lineup
from shiplap.engineer.deploy.serve.control.soon import Soon, body_of, model_of
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Admin"]


class _Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str = ""


class _Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    percent: float
    version: str = ""


class _Index(msgspec.Struct, frozen=True):
    ready: bool = False


class _Load(msgspec.Struct, frozen=True):
    parameters: dict[str, Any] | None = None


class Admin:
    """The routes of the admin listener.

    Parameters
    ----------
    controller : Controller
        Makes the changes.
    shadows : callable
        Returns what the shadows of all processes found, by model.
    """

    name = "admin"

    def __init__(self, controller: Controller, shadows: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._controller = controller
        self._shadows = shadows
        self._soon = Soon()

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        verbs = {
            "load": self._load,
            "unload": self._unload,
            "canary": self._canary,
            "shadow": self._shadow,
            "promote": self._promote,
            "rollback": self._rollback,
        }
        repository, soon = "/v2/repository/models/{model}", self._soon
        return [
            Route("GET", "/fleet", soon(self._list)),
            Route("GET", "/fleet/{model}", soon(self._one)),
            *(Route("POST", f"/fleet/{{model}}/{verb}", soon(act)) for verb, act in verbs.items()),
            Route("POST", "/reload", soon(self._reload)),
            Route("POST", "/v2/repository/index", soon(self._index), "error"),
            Route("POST", f"{repository}/load", soon(self._repository_load), "error"),
            Route("POST", f"{repository}/unload", soon(self._repository_unload), "error"),
        ]

    async def _list(self, exchange: Exchange) -> object:
        shadows = await self._shadows()
        lineups = self._controller.station.roster.lineups
        return {"models": [_shown(lineup, shadows) for lineup in lineups.values()]}

    async def _one(self, exchange: Exchange) -> object:
        lineup = self._controller.station.roster.lineup(model_of(exchange))
        return _shown(lineup, await self._shadows())

    async def _load(self, exchange: Exchange) -> object:
        return _shown(await self._controller.load(model_of(exchange)))

    async def _unload(self, exchange: Exchange) -> object:
        await self._controller.unload(model_of(exchange))
        return {"name": model_of(exchange), "versions": []}

    async def _canary(self, exchange: Exchange) -> object:
        asked = body_of(exchange, _Share)
        return await self._alter(exchange, lambda lineup: lineup.split(asked.version, asked.percent))

    async def _shadow(self, exchange: Exchange) -> object:
        asked = body_of(exchange, _Change)
        return await self._alter(exchange, lambda lineup: lineup.shadowed(asked.version))

    async def _promote(self, exchange: Exchange) -> object:
        asked = body_of(exchange, _Change)
        return await self._alter(exchange, lambda lineup: lineup.promoted(asked.version))

    async def _rollback(self, exchange: Exchange) -> object:
        return await self._alter(exchange, Lineup.rolled_back)

    async def _alter(self, exchange: Exchange, alter: Callable[[Lineup], Lineup]) -> object:
        return _shown(await self._controller.alter(model_of(exchange), alter))

    async def _reload(self, exchange: Exchange) -> object:
        await self._controller.reload()
        return await self._list(exchange)

    async def _index(self, exchange: Exchange) -> object:
        lineups = self._controller.station.roster.lineups
        served = [
            {"name": name, "version": version, "state": "READY", "reason": ""}
            for name, lineup in lineups.items()
            for version in lineup.versions
        ]
        asked = body_of(exchange, _Index)
        if asked.ready:
            return served
        names = await asyncio.get_running_loop().run_in_executor(None, self._controller.sources.all)
        return served + [
            {"name": name, "version": "", "state": "UNAVAILABLE", "reason": "not loaded"}
            for name in names
            if name not in lineups
        ]

    async def _repository_load(self, exchange: Exchange) -> object:
        asked = body_of(exchange, _Load)
        if asked.parameters:
            raise ProblemError(422, "a ship says all about itself", field="parameters", expected="nothing")
        await self._controller.load(model_of(exchange))
        return {}

    async def _repository_unload(self, exchange: Exchange) -> object:
        await self._controller.unload(model_of(exchange))
        return {}


def _shown(lineup: Lineup, shadows: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a lineup as clients see it."""
    shown: dict[str, Any] = {
        "name": lineup.name,
        "versions": [{"version": place.version, "source": place.source, "path": place.path} for place in lineup.places],
        "stable": lineup.stable,
    }
    if lineup.canary:
        shown["canary"] = {"version": lineup.canary, "percent": lineup.percent}
    if lineup.shadow:
        shown["shadow"] = {"version": lineup.shadow, **(shadows or {}).get(lineup.name, {})}
    if lineup.previous:
        shown["previous"] = lineup.previous
    return shown
