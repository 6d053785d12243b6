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
named in a problem (RFC 9457). With several ships, ``/predict/NAME`` says which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, NDJSON, decode_row, decode_rows, split_lines
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.openapi import answer_schema, responses, row_schema
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json

__all__ = ["Predict"]


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
        return [Route("POST", "/predict", self._answer), Route("POST", "/predict/{model}", self._answer)]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        first = self._endpoints.first
        described = {f"/predict/{quote(name)}": endpoint.describe() for name, endpoint in first.items()}
        if len(first) == 1:
            described["/predict"] = next(iter(described.values()))
        return described

    def _answer(self, exchange: Exchange) -> None:
        self._endpoints.find(exchange).answer(exchange)


class _Endpoint:
    def __init__(self, model: Hosted) -> None:
        self._model = model

    def answer(self, exchange: Exchange) -> None:
        body = exchange.body
        if body[:1] == b"{" and exchange.head.media_type in JSON_TYPES:
            self._model.answer_row(decode_row(body, self._model.limits), exchange, self._one)
            return
        require_body(exchange)
        if exchange.head.media_type == NDJSON:
            self._model.work(exchange, partial(self._lines, exchange), NDJSON)
            return
        require_json(exchange, JSON_TYPES, "application/json or application/x-ndjson")
        if body.lstrip()[:1] == b"[":
            self._model.work(exchange, partial(self._array, exchange))
        else:
            self._model.answer_row(decode_row(body, self._model.limits), exchange, self._one)

    def _one(self, exchange: Exchange, output: list[float]) -> None:
        exchange.answer_json(self._model.answers.one(output))

    def _array(self, exchange: Exchange) -> bytes:
        rows = decode_rows(exchange.body, self._model.limits)
        return self._model.answers.array(self._model.outputs(rows, exchange))

    def _lines(self, exchange: Exchange) -> bytes:
        rows = split_lines(exchange.body, self._model.limits)
        return self._model.answers.lines(self._model.outputs(rows, exchange))

    def describe(self) -> dict[str, Any]:
        """Return the path item of its description."""
        row, answer = row_schema(self._model.scorer.signature), answer_schema(self._model.scorer.signature)
        one = {
            **answer,
            "properties": {**answer["properties"], "model": {"type": "string"}, "ship": {"type": "string"}},
        }
        many = {"type": "array", "items": answer}
        return {
            "post": {
                "summary": f"Answer rows by {self._model.name}",
                "operationId": f"predict_{self._model.name}",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"oneOf": [row, {"type": "array", "items": row}]}},
                        NDJSON: {"schema": {"type": "string", "description": "one such object a line"}},
                    },
                },
                "responses": responses(
                    {
                        "application/json": {"schema": {"oneOf": [one, many]}},
                        NDJSON: {"schema": {"type": "string", "description": "one answer a line"}},
                    }
                ),
            }
        }
