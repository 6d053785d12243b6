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
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.openapi import responses
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.predictions import Predictions, Render
from shiplap.engineer.deploy.serve.protocols.rows import Row, value_of

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
        content = {"application/json": {"schema": {"type": "object"}}}
        described: dict[str, Any] = {}
        for route in self.routes():
            operation: dict[str, Any] = {"tags": ["Vertex AI"], "responses": responses(content)}
            if route.method == "POST":
                operation["requestBody"] = {"required": True, "content": content}
            described.setdefault(route.path, {})[route.method.lower()] = operation
        return described if len(self._served.fleet.services) == 1 else {}

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
