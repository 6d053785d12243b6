"""Shiplap's own protocol: ``POST /predict`` with one JSON object, or with rows in one of several forms.

=======================================  ===========================================================================
sent                                     answered
=======================================  ===========================================================================
an object                                an object: ``prediction``, ``probabilities`` (by class; not for a
                                         regression), ``decision``, ``model``, ``ship``
an array of objects                      an array of objects: ``prediction``, ``probabilities``, ``decision``
``application/x-ndjson``                 the same, one a line
``text/csv``                             an array of objects; a header is expected, but for ``header=absent``
``application/vnd.apache.arrow.stream``  an Arrow IPC stream: ``prediction``, ``probabilities`` (a struct),
                                         ``decision``; compressed buffers are refused, a compressed body is not
=======================================  ===========================================================================

``Accept`` chooses another of these forms for the answer to many rows. The ship id stands in ``Shiplap-Ship``.
An object holds values by column. A column that is not there, or null, is missing; one that the model does not know is
ignored; an object that holds none of the model's columns is refused. What a value means is the encoder's word alone,
so the answers are those of ``Scorer.predict_row``. Either every row is answered or none: one that cannot be read is
named in a problem (RFC 9457). With several ships, ``/predict/NAME`` says which, and ``/predict/NAME/VERSION`` the
version.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, NDJSON
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Steps
from shiplap.engineer.deploy.serve.models.pieces import Piece
from shiplap.engineer.deploy.serve.models.tables import ARROW, CSV, arrow_pieces, csv_pieces
from shiplap.engineer.deploy.serve.openapi import operation
from shiplap.engineer.deploy.serve.protocols.base import accepted, require_body, require_json
from shiplap.engineer.deploy.serve.protocols.rows import header_of_csv
from shiplap.engineer.deploy.serve.schemas import Served, served

__all__ = ["Predict"]

_TABLES = frozenset({NDJSON, CSV, ARROW})
_OFFERED = (JSON, NDJSON, CSV, ARROW)
_RENDERED = 128  # rows, in a step


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
        kind = exchange.head.media_type
        if body[:1] == b"{" and kind in JSON_TYPES:
            self._model.answer_json(body, exchange, self._one)
            return
        require_body(exchange)
        if kind in _TABLES:
            self._answer_many(exchange, kind)
            return
        require_json(exchange, JSON_TYPES, ", ".join(_OFFERED))
        if body.lstrip()[:1] == b"[":
            self._answer_many(exchange, JSON)
        else:
            self._model.answer_json(body, exchange, self._one)

    def _one(self, exchange: Exchange, output: list[float]) -> None:
        exchange.answer_json(self._model.answers.one(output))

    def _answer_many(self, exchange: Exchange, kind: str) -> None:
        usual = JSON if kind == CSV else kind
        offered = (usual, *(each for each in _OFFERED if each != usual))
        wanted = accepted(exchange.head.headers.get("accept", ""), offered)
        slow_start = ARROW in {kind, wanted} and "pyarrow" not in sys.modules  # which takes its time to be imported
        steps = self._steps(exchange, self._pieces(exchange, kind), wanted)
        self._model.work(exchange, steps, wanted, slow_start=slow_start)

    def _pieces(self, exchange: Exchange, kind: str) -> Iterator[Piece]:
        model, body = self._model, exchange.body
        if kind == NDJSON:
            return model.json.lines(body)
        if kind == CSV:
            header = header_of_csv(exchange.head.headers["content-type"]) is not False
            return csv_pieces(body, model.scorer.encoder, header=header)
        if kind == ARROW:
            return arrow_pieces(body, model.scorer.encoder, rows=model.limits.rows)
        return model.json.array(body)

    def _steps(self, exchange: Exchange, pieces: Iterable[Piece], wanted: str) -> Steps[bytes]:
        """Return the answers in the form that is wanted."""
        outputs = yield from self._model.steps(pieces, exchange)
        answers = self._model.answers
        if wanted == ARROW:
            return answers.arrow(outputs)
        render = {JSON: answers.array, NDJSON: answers.lines, CSV: answers.csv}[wanted]
        parts = []
        for start in range(0, len(outputs), _RENDERED):
            yield
            parts.append(render(outputs[start : start + _RENDERED]))
        if wanted == JSON:
            return b"[" + b",".join(part[1:-1] for part in parts) + b"]"
        return b"".join([answers.csv_header, *parts] if wanted == CSV else parts)


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
        CSV: {"schema": {"type": "string", "description": "a header, then one answer a line"}},
        ARROW: {"schema": {"type": "string", "format": "binary", "description": "an Arrow IPC stream"}},
    }
    return operation("Shiplap", f"Answer rows by {each.name}", answers, body=body, parameters=parameters)
