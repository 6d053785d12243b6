"""``GET /health``: whether this server answers, and what; 503 once it is told to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.openapi import named, operation
from shiplap.engineer.deploy.serve.schemas import strict

__all__ = ["Health", "told_of"]


class Health:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    """

    name = "health"

    def __init__(self, fleet: Fleet) -> None:
        models = told_of(fleet)
        self._well = msgspec.json.encode({"status": "ok", "models": models})
        self._stopping = msgspec.json.encode({"status": "stopping", "models": models})

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        return [Route("GET", "/health", self._answer)]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        models = {"type": "array", "items": named("ServedModel")}
        schema = strict({"status": {"enum": ["ok", "stopping"]}, "models": models})
        answers = {JSON: {"schema": schema}}
        return {"/health": {"get": operation("Server", "Health", answers, draining=True, open_to_all=True)}}

    def _answer(self, exchange: Exchange) -> None:
        if exchange.line.desk.draining:
            exchange.answer(self._stopping, status=503)
        else:
            exchange.answer_json(self._well)


def told_of(fleet: Fleet) -> list[dict[str, str]]:
    """Return the names of what is served, each with the version that answers who asks for none, and its ship."""
    first = [service.versions[0] for service in fleet.services.values()]
    return [{"name": model.name, "version": model.version, "ship": model.scorer.ship.id} for model in first]
