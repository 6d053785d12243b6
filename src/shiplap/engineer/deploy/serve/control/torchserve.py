"""TorchServe's management interface, on the admin listener.

========================================  ==========================================================================
request                                   what it does
========================================  ==========================================================================
``GET /models``                           ``{"models": [{"modelName", "modelUrl"}, ...]}``
``GET /models/NAME[/VERSION|/all]``       a list with what is known of each version
``POST /models?url=NAME.ship``            loads a ship of the repository, or a name in the store; ``model_name`` says
                                          what it is served as
``DELETE /models/NAME[/VERSION]``         serves it no longer
``PUT /models/NAME/VERSION/set-default``  makes it the version that answers
========================================  ==========================================================================

``PUT /models/NAME``, which scales the workers of one model, is not there: workers answer for every model.

References
----------
https://docs.pytorch.org/serve/management_api.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from shiplap.engineer.deploy.serve.control.controller import Controller
from shiplap.engineer.deploy.serve.control.roster import Lineup, Place
from shiplap.engineer.deploy.serve.control.soon import Soon, model_of
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["TorchServeManagement"]


class TorchServeManagement:
    """The routes of the interface.

    Parameters
    ----------
    controller : Controller
        Makes the changes.
    """

    name = "torchserve"

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._soon = Soon()

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        one, version = "/models/{model}", "/models/{model}/{version}"
        acts = [
            ("GET", "/models", self._list),
            ("POST", "/models", self._register),
            ("GET", one, self._describe),
            ("GET", version, self._describe),
            ("DELETE", one, self._unregister),
            ("DELETE", version, self._unregister),
            ("PUT", f"{version}/set-default", self._default),
        ]
        return [Route(method, path, self._soon(act), "message") for method, path, act in acts]

    async def _list(self, exchange: Exchange) -> object:
        lineups = self._controller.station.roster.lineups.values()
        return {"models": [{"modelName": lineup.name, "modelUrl": lineup.places[0].path} for lineup in lineups]}

    async def _describe(self, exchange: Exchange) -> object:
        lineup = self._controller.station.roster.lineup(model_of(exchange))
        asked = exchange.head.parameters.get("version", lineup.stable)
        places = [place for place in lineup.places if asked in {place.version, "all"}]
        if not places:
            raise ProblemError(404, f"'{lineup.name}' has no version '{asked}'", expected=", ".join(lineup.versions))
        return [_described(lineup, place) for place in places]

    async def _register(self, exchange: Exchange) -> object:
        asked = {name: values[-1] for name, values in parse_qs(exchange.head.query).items()}
        if "url" not in asked:
            raise ProblemError(400, "the url of a ship is expected", field="url", expected="NAME.ship")
        source = self._controller.sources.named(asked["url"].removesuffix(".ship"))
        name = asked.get("model_name") or await self._controller.name_of(source)
        lineup = await self._controller.load(name, source)
        return {"status": f'Model "{lineup.name}" Version: {lineup.versions[-1]} registered'}

    async def _unregister(self, exchange: Exchange) -> object:
        name, version = model_of(exchange), exchange.head.parameters.get("version")
        if version is None:
            await self._controller.unload(name)
        else:
            await self._controller.alter(name, lambda lineup: lineup.without(version))
        return {"status": f'Model "{name}" unregistered'}

    async def _default(self, exchange: Exchange) -> object:
        name, version = model_of(exchange), exchange.head.parameters["version"]
        await self._controller.alter(name, lambda lineup: lineup.promoted(version))
        return {"status": f'Default version successfully updated for model "{name}" to "{version}"'}


def _described(lineup: Lineup, place: Place) -> dict[str, Any]:
    return {
        "modelName": lineup.name,
        "modelVersion": place.version,
        "modelUrl": place.path,
        "runtime": "shiplap",
        "defaultVersion": place.version == lineup.stable,
        "loadedAtStartup": bool(place.source),
    }
