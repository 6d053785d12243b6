"""Amazon SageMaker's multi-model endpoints: a container that is told which models to load, on its one port.

=============================================  =====================================================================
request                                        what it does
=============================================  =====================================================================
``POST /models`` ``{"model_name", "url"}``     loads the ship in the folder ``url``, which lies in the repository
``GET /models``, ``/models/NAME``              what is loaded
``DELETE /models/NAME``                        serves it no longer
=============================================  =====================================================================

``POST /models/NAME/invoke`` belongs to ``invocations``. Spoken where ``SAGEMAKER_MULTI_MODEL`` is ``true``.

References
----------
https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shiplap.engineer.deploy.serve.control.controller import Controller
from shiplap.engineer.deploy.serve.control.roster import Lineup
from shiplap.engineer.deploy.serve.control.soon import Soon, body_of, model_of
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["SageMakerModels"]


class _Asked(msgspec.Struct, frozen=True):
    model_name: str
    url: str


class SageMakerModels:
    """The routes of the contract.

    Parameters
    ----------
    controller : Controller
        Makes the changes.
    """

    name = "sagemaker"

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._soon = Soon()

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        one = "/models/{model}"
        acts = [
            ("POST", "/models", self._load),
            ("GET", "/models", self._list),
            ("GET", one, self._one),
            ("DELETE", one, self._unload),
        ]
        return [Route(method, path, self._soon(act), "message") for method, path, act in acts]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: nothing, for these are requests of the platform."""
        return {}

    async def _load(self, exchange: Exchange) -> object:
        _require_admin(exchange)
        asked = body_of(exchange, _Asked)
        if asked.model_name in self._controller.station.roster.lineups:
            raise ProblemError(409, f"a model called '{asked.model_name}' is loaded already", field="model_name")
        lineup = await self._controller.load(asked.model_name, str(self._ship(asked.url)))
        return _shown(lineup)

    async def _list(self, exchange: Exchange) -> object:
        return {"models": [_shown(lineup) for lineup in self._controller.station.roster.lineups.values()]}

    async def _one(self, exchange: Exchange) -> object:
        return _shown(self._controller.station.roster.lineup(model_of(exchange)))

    async def _unload(self, exchange: Exchange) -> object:
        _require_admin(exchange)
        await self._controller.unload(model_of(exchange))
        return {}

    def _ship(self, url: str) -> Path:
        """Return the ship file of a folder in the repository, and of no other."""
        repository = self._controller.sources.repository
        folder = Path(url).resolve()
        if repository is None or not folder.is_relative_to(repository.resolve()):
            raise ProblemError(404, f"nothing can be loaded from '{url}'", field="url", expected=str(repository))
        found = sorted(folder.rglob("*.ship")) if folder.is_dir() else [folder]
        if len(found) != 1:
            raise ProblemError(404, f"one ship file is expected in '{url}', and there are {len(found)}", field="url")
        return found[0]


def _require_admin(exchange: Exchange) -> None:
    """Refuse a key that may ask models, and not change them; the platform itself sends none."""
    key = exchange.head.key
    if key is not None and not key.admin:
        raise ProblemError(403, "this key may not change what is served")


def _shown(lineup: Lineup) -> dict[str, str]:
    return {"modelName": lineup.name, "modelUrl": lineup.places[0].path}
