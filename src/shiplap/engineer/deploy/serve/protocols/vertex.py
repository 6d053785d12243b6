"""Google Vertex AI: a custom container learns from its environment where it is asked.

``AIP_PREDICT_ROUTE`` and ``AIP_HEALTH_ROUTE`` name the paths; where they are not set, this protocol is not spoken. The
port stands in ``AIP_HTTP_PORT``, which ``shiplap serve`` reads. ``{"instances": [...], "parameters": {...}}`` gets
``{"predictions": [...]}``; ``parameters`` may hold ``predict_method`` (``predict``, ``predict_proba``, ``decide``).

References
----------
https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.openapi import operation
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.predictions import Predictions, Render
from shiplap.engineer.deploy.serve.protocols.rows import Row, value_of
from shiplap.engineer.deploy.serve.schemas import served, strict

__all__ = ["Vertex"]


class Vertex:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    environment : mapping of str to str
        Environment variables.

    Raises
    ------
    InputError
        A route is no path.
    """

    name = "vertex"

    def __init__(self, fleet: Fleet, environment: Mapping[str, str]) -> None:
        self._served = Endpoints(fleet, Predictions, "/v1/models/{model}:predict")
        self._health = _path(environment, "AIP_HEALTH_ROUTE")
        self._predict = _path(environment, "AIP_PREDICT_ROUTE")

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        routes = [Route("GET", self._health, _healthy, "error"), Route("POST", self._predict, self._answer, "error")]
        return [route for route in routes if route.path]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        services = served(self._served.fleet)
        if len(services) != 1:
            return {}
        described: dict[str, Any] = {}
        schemas = services[0].schemas
        healthy = {JSON: {"schema": strict({"healthy": {"type": "boolean"}})}}
        method = {"properties": {"predict_method": {"enum": [*schemas.methods, None]}}}
        asked = {
            "type": "object",
            "required": ["instances"],
            "properties": {"instances": schemas.rows, "parameters": method},
        }
        body = {JSON: {"schema": asked, "example": {"instances": [schemas.example]}}}
        answers = {JSON: {"schema": strict({"predictions": schemas.values})}}
        if self._predict:
            post = operation("Google Vertex AI", "Answer rows", answers, body=body)
            described[self._predict] = {"post": post}
        if self._health:
            get = operation("Google Vertex AI", "Health", healthy, draining=True, open_to_all=True)
            described.setdefault(self._health, {})["get"] = get
        return described

    def _answer(self, exchange: Exchange) -> None:
        served = self._served.find(exchange)
        require_body(exchange)
        require_json(exchange, JSON_TYPES, "application/json")
        served.answer(exchange, partial(_read, served))


def _read(served: Predictions, body: bytes) -> tuple[list[Row], Render]:
    parts = served.rows.parts(body)
    if "instances" not in parts:
        raise ProblemError(422, "an object with instances is expected", field="instances")
    parameters = value_of(parts["parameters"]) if "parameters" in parts else None
    method = parameters.get("predict_method") if isinstance(parameters, dict) else None
    return served.rows.listed(parts["instances"]), served.render("predict" if method is None else method)


def _healthy(exchange: Exchange) -> None:
    draining = exchange.line.desk.draining
    exchange.answer(msgspec.json.encode({"healthy": not draining}), status=503 if draining else 200)


def _path(environment: Mapping[str, str], name: str) -> str:
    path = environment.get(name, "")
    if path and not path.startswith("/"):
        raise InputError(f"{name} is expected to be a path, and is '{path}'", hint="begin it with /")
    return path
