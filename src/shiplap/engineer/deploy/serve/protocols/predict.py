"""Shiplap's own protocol: ``POST /predict`` with one JSON object, an array of them, or one a line.

=============================  =====================================================================================
sent                           answered
=============================  =====================================================================================
an object                      an object: ``prediction``, ``probabilities`` (by class; not for a regression),
                               ``decision``, ``model``, ``ship``
an array of objects            an array of objects: ``prediction``, ``probabilities``, ``decision``; the ship id
                               stands in the header ``Shiplap-Ship``
``application/x-ndjson``       the same, one a line
=============================  =====================================================================================

An object holds values by column. A column that is not there, or null, is missing; one that the model does not know is
ignored; an object that holds none of the model's columns is refused. What a value means is the encoder's word alone,
so the answers are those of ``Scorer.predict_row``. Either every row is answered or none: one that cannot be read is
named in a problem (RFC 9457). With several ships, ``/predict/NAME`` says which, and ``/predict/NAME/VERSION`` the
version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, NDJSON
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Steps
from shiplap.engineer.deploy.serve.models.pieces import Piece
from shiplap.engineer.deploy.serve.openapi import operation
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.schemas import Served, served

__all__ = ["Predict"]

Outputs = NDArray[np.float64]
Render = Callable[[Outputs], Steps[bytes]]
_RENDERED = 512  # rows, in a step


class Predict:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    """

    name = "predict"

    def __init__(self, fleet: Fleet) -> None:
        self._endpoints = Endpoints(fleet, _Endpoint, "/predict/{model}")

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        paths = ("/predict", "/predict/{model}", "/predict/{model}/{version}")
        return [Route("POST", path, self._answer) for path in paths]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        services = served(self._endpoints.fleet)
        described: dict[str, Any] = {}
        for each in services:
            path = f"/predict/{each.path}"
            described[path] = {"post": _described(each)}
            described[f"{path}/{{version}}"] = {"post": _described(each, [each.version])}
        if len(services) == 1:
            described["/predict"] = {"post": _described(services[0])}
        return described

    def _answer(self, exchange: Exchange) -> None:
        self._endpoints.find(exchange).answer(exchange)


class _Endpoint:
    def __init__(self, model: Hosted) -> None:
        self._model = model

    def answer(self, exchange: Exchange) -> None:
        body = exchange.body
        model = self._model
        if body[:1] == b"{" and exchange.head.media_type in JSON_TYPES:
            model.answer_json(body, exchange, self._one)
            return
        require_body(exchange)
        if exchange.head.media_type == NDJSON:
            model.work(exchange, self._many(exchange, model.json.lines(body), self._lines), NDJSON)
            return
        require_json(exchange, JSON_TYPES, "application/json or application/x-ndjson")
        if body.lstrip()[:1] == b"[":
            model.work(exchange, self._many(exchange, model.json.array(body), self._array))
        else:
            model.answer_json(body, exchange, self._one)

    def _one(self, exchange: Exchange, output: list[float]) -> None:
        exchange.answer_json(self._model.answers.one(output))

    def _many(self, exchange: Exchange, pieces: Iterable[Piece], render: Render) -> Steps[bytes]:
        outputs = yield from self._model.steps(pieces, exchange)
        return (yield from render(outputs))

    def _array(self, outputs: Outputs) -> Steps[bytes]:
        parts = []
        for start in range(0, len(outputs), _RENDERED):
            yield
            parts.append(self._model.answers.array(outputs[start : start + _RENDERED])[1:-1])
        return b"[" + b",".join(parts) + b"]"

    def _lines(self, outputs: Outputs) -> Steps[bytes]:
        parts = []
        for start in range(0, len(outputs), _RENDERED):
            yield
            parts.append(self._model.answers.lines(outputs[start : start + _RENDERED]))
        return b"".join(parts)


def _described(each: Served, parameters: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    schemas = each.schemas
    row, rows = schemas.example, [schemas.example] * 2
    lines = "\n".join(msgspec.json.encode(row).decode() for row in rows)
    body = {
        "application/json": {
            "schema": {"anyOf": [schemas.row, {"type": "array", "items": schemas.row}]},
            "examples": {"one row": {"value": row}, "several rows": {"value": rows}},
        },
        NDJSON: {"schema": {"type": "string", "minLength": 1, "description": "one row a line"}, "example": lines},
    }
    answers = {
        "application/json": {"schema": {"anyOf": [schemas.one, schemas.answers]}},
        NDJSON: {"schema": {"type": "string", "description": "one answer a line"}},
    }
    return operation("Shiplap", f"Answer rows by {each.name}", answers, body=body, parameters=parameters)
