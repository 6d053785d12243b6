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

Liveness and readiness are asked of ``GET /``. ``/swagger.json`` is Swagger 2.0, or with ``?version=3`` OpenAPI 3.

References
----------
https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-mlflow-models-online-endpoints
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec

import shiplap
from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.openapi import EXPECTED, operation
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.predictions import Predictions, Render
from shiplap.engineer.deploy.serve.protocols.rows import Row, value_of
from shiplap.engineer.deploy.serve.schemas import Schemas, exactly_one, served, strict

__all__ = ["Azure"]

_FORMS = ("input_data", "data", "Inputs")
_VERSIONS = ("2", "2.0", "3", "3.0", "3.1")
_DESCRIPTION = {"type": "object", "required": ["info", "paths"]}
_INFO = {"title": "Shiplap", "version": shiplap.__version__}
_ANSWERED = "a prediction for each row"
_LIST: dict[str, Any] = {"type": "array", "items": {}}
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
        services = served(self._served.fleet)
        if len(services) != 1:
            return {}
        schemas = services[0].schemas
        body = {JSON: {"schema": _asked_schema(schemas), "example": {"data": [schemas.example]}}}
        answers = {JSON: {"schema": {"anyOf": [schemas.values, strict({"Results": schemas.values})]}}}
        version = {
            "name": "version",
            "in": "query",
            "description": "of Swagger or OpenAPI; 2 where none is asked for",
            "schema": {"enum": list(_VERSIONS)},
        }
        get = operation("Azure ML", "How /score is asked", {JSON: {"schema": _DESCRIPTION}}, parameters=[version])
        post = operation("Azure ML", "Answer rows", answers, body=body)
        return {"/score": {"post": post}, "/swagger.json": {"get": get}}

    def _score(self, exchange: Exchange) -> None:
        served = self._served.find(exchange)
        require_body(exchange)
        require_json(exchange, JSON_TYPES, "application/json")
        served.answer(exchange, partial(_read, served))

    def _describe(self, exchange: Exchange) -> None:
        served = self._served.known(exchange)
        version = parse_qs(exchange.head.query, keep_blank_values=True).get("version", ["2"])[0]
        if version not in _VERSIONS:
            expected = ", ".join(_VERSIONS)
            raise ProblemError(404, "no such version of Swagger is here", value=version, expected=expected)
        told = _swagger(served.signature) if version.startswith("2") else _openapi(served.signature, version)
        exchange.answer(msgspec.json.encode(told))


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
    body = {"name": "body", "in": "body", "required": True, "schema": _table(signature)}
    post = {"operationId": "score", "consumes": [JSON], "produces": [JSON], "parameters": [body]}
    told = {"200": {"description": _ANSWERED, "schema": _LIST}}
    return {"swagger": "2.0", "info": _INFO, "paths": {"/score": {"post": {**post, "responses": told}}}}


def _openapi(signature: Signature, version: str) -> dict[str, Any]:
    body = {"required": True, "content": {JSON: {"schema": _table(signature)}}}
    told = {"200": {"description": _ANSWERED, "content": {JSON: {"schema": _LIST}}}}
    post = {"operationId": "score", "requestBody": body, "responses": told}
    written = "3.1.0" if version == "3.1" else "3.0.3"
    return {"openapi": written, "info": _INFO, "paths": {"/score": {"post": post}}}


def _table(signature: Signature) -> dict[str, Any]:
    """Describe rows in the words that every version of Swagger knows."""
    columns: dict[str, Any] = {}
    for field in signature.inputs:
        columns[field.name] = {"description": EXPECTED[field.kind]}
        if field.example is not None:
            columns[field.name]["example"] = field.example
    row = {"type": "object", "properties": columns}
    return {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": row}}}


def _asked_schema(schemas: Schemas) -> dict[str, Any]:
    method = {"enum": schemas.methods}
    forms = {
        "input_data": {"anyOf": [schemas.split, schemas.rows]},
        "data": schemas.rows,
        "Inputs": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": schemas.rows},
    }
    beside = {"Inputs": ("GlobalParameters", {"properties": {"method": method}})}
    schema = exactly_one(forms, {})
    for form in schema["oneOf"]:
        name, parameters = beside.get(form["required"][0], ("params", {"properties": {"predict_method": method}}))
        form["properties"] = {name: parameters}
    return schema
