"""Azure Machine Learning online endpoints: ``POST /score``, described by ``GET /swagger.json``.

==================================================  =============================================================
sent                                                answered
==================================================  =============================================================
``{"input_data": {"columns": [...], "data": ...}}``  an array of predictions, as models from MLflow answer there;
or an array of rows under ``input_data``             ``params`` may hold ``predict_method``
``{"data": [...]}``, rows as objects or lists        an array of predictions
``{"Inputs": {"data": [...]},``                      ``{"Results": [...]}``, as automated ML has it;
``"GlobalParameters": ...}``                         ``GlobalParameters`` may be ``{"method": "predict_proba"}``
==================================================  =============================================================

Liveness and readiness are asked of ``GET /``.

References
----------
https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-mlflow-models-online-endpoints
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

import shiplap
from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.openapi import EXPECTED, responses
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.predictions import Predictions, Render
from shiplap.engineer.deploy.serve.protocols.rows import Row, value_of

__all__ = ["Azure"]

_FORMS = ("input_data", "data", "Inputs")
Parts = dict[str, msgspec.Raw]


class Azure:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    """

    name = "azure"

    def __init__(self, fleet: Fleet) -> None:
        self._served = Endpoints(fleet, Predictions, "/v1/models/{model}:predict")

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        return [
            Route("POST", "/score", self._score, "message"),
            Route("GET", "/swagger.json", self._describe, "message"),
        ]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        if len(self._served.fleet.services) > 1:
            return {}
        content: dict[str, Any] = {"application/json": {"schema": {}}}
        asked = {"required": True, "content": content}
        get = {"summary": "Swagger 2.0", "responses": responses(content)}
        post = {"tags": ["Azure"], "requestBody": asked, "responses": responses(content)}
        return {"/score": {"post": post}, "/swagger.json": {"get": get}}

    def _score(self, exchange: Exchange) -> None:
        served = self._served.find(exchange)
        require_body(exchange)
        require_json(exchange, JSON_TYPES, "application/json")
        served.answer(exchange, partial(_read, served))

    def _describe(self, exchange: Exchange) -> None:
        served = self._served.known(exchange)
        if exchange.head.query not in {"", "version=2", "version=2.0"}:
            raise ProblemError(404, "Swagger 2.0 is here", hint="OpenAPI 3.1 stands at /openapi.json")
        exchange.answer(msgspec.json.encode(_swagger(served.signature)))


def _read(served: Predictions, body: bytes) -> tuple[list[Row], Render]:
    rows = served.rows
    parts = rows.parts(body)
    used = [form for form in _FORMS if form in parts]
    if len(used) != 1:
        raise ProblemError(
            422, "exactly one form of rows is expected", value=", ".join(used) or "none", expected=", ".join(_FORMS)
        )
    inner = parts[used[0]]
    if used[0] == "Inputs":
        method = _asked(parts, "GlobalParameters", "method")
        lists = rows.parts(bytes(inner))
        if len(lists) != 1:
            raise ProblemError(422, "one array of rows is expected", field="Inputs", expected="data")
        return rows.listed(next(iter(lists.values()))), served.render(method, "Results")
    values = served.method(_asked(parts, "params", "predict_method"))
    table = used[0] == "input_data" and bytes(inner).lstrip()[:1] == b"{"
    found = rows.split(inner) if table else rows.listed(inner)
    return found, lambda outputs: msgspec.json.encode(values(outputs))


def _asked(parts: Parts, member: str, key: str) -> object:
    told = value_of(parts[member]) if member in parts else None
    return told.get(key, "predict") if isinstance(told, dict) else "predict"


def _swagger(signature: Signature) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for field in signature.inputs:
        columns[field.name] = {"description": EXPECTED[field.kind]}
        if field.example is not None:
            columns[field.name]["example"] = field.example
    row = {"type": "object", "properties": columns}
    asked = {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": row}}}
    body = {"name": "body", "in": "body", "required": True, "schema": asked}
    told = {"200": {"description": "a prediction for each row", "schema": {"type": "array", "items": {}}}}
    post = {"operationId": "score", "consumes": ["application/json"], "produces": ["application/json"]}
    return {
        "swagger": "2.0",
        "info": {"title": "Shiplap", "version": shiplap.__version__},
        "paths": {"/score": {"post": {**post, "parameters": [body], "responses": told}}},
    }
