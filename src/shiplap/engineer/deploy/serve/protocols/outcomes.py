"""What truly came of rows that were answered: ``POST /outcomes`` with one JSON object, an array, or one a line.

=============  =======================================================================================================
member         holds
=============  =======================================================================================================
``id``         the ``X-Request-Id`` of the answer; of a request of several rows, ``id/row``, counted from 0
``outcome``    a class of the model, a number where it answers numbers, or as many numbers as it answers
``at``         optional: when it happened, as ISO 8601 text or in seconds since 1970
=============  =======================================================================================================

Either every outcome of a request is written or none. What was told before may be told again; another value for the
same id is a correction, and both are kept. The answer says how many belong to rows that are kept as samples. With
several models, ``/outcomes/NAME`` says of which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shiplap.core.errors import StoreError
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, NDJSON
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.openapi import operation
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.records import Recorder
from shiplap.engineer.deploy.serve.records.told import LATEST_S, Truth, read_outcomes
from shiplap.engineer.deploy.serve.schemas import served, strict

__all__ = ["Outcomes"]

_COUNTED = {
    "new": "told for the first time",
    "known": "told before",
    "corrected": "other than told before",
    "joined": "of rows that are kept as samples",
}


class Outcomes:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    recorder : Recorder
        Where outcomes go.
    """

    name = "outcomes"

    def __init__(self, fleet: Fleet, recorder: Recorder) -> None:
        self._fleet = fleet
        self._recorder = recorder
        self._truths = {
            name: Truth([version.scorer.signature for version in service.versions])
            for name, service in fleet.services.items()
        }

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        return [Route("POST", path, self._take) for path in ("/outcomes", "/outcomes/{model}")]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        services = served(self._fleet)
        described = {f"/outcomes/{each.path}": {"post": self._described(each.name)} for each in services}
        if len(services) == 1:
            described["/outcomes"] = {"post": self._described(services[0].name)}
        return described

    def _take(self, exchange: Exchange) -> None:
        head, body = exchange.head, exchange.body
        service = self._fleet.asked(exchange, "/outcomes/{model}")
        require_body(exchange)
        lines = head.media_type == NDJSON
        if not lines:
            require_json(exchange, JSON_TYPES, f"application/json or {NDJSON}")
        first = service.versions[0]
        truth = self._truths[service.name]

        def work() -> bytes:
            outcomes = read_outcomes(body, truth, first.limits, lines=lines)
            try:
                told = self._recorder.tell(first.name, outcomes)
            except StoreError as error:
                detail = "outcomes cannot be written for now"
                raise ProblemError(503, detail, headers={"Retry-After": "10"}, reason="store") from error
            return msgspec.json.encode({"accepted": len(outcomes), **msgspec.structs.asdict(told)})

        self._recorder.jobs.submit(exchange, work)

    def _described(self, name: str) -> dict[str, Any]:
        outcome = self._truths[name].schema()
        row = {
            "type": "object",
            "required": ["id", "outcome"],
            "properties": {
                "id": {"type": "string", "minLength": 1, "maxLength": 160},
                "outcome": outcome,
                "at": {
                    "anyOf": [
                        {"type": "string", "format": "date-time"},
                        {"type": "number", "minimum": 0, "maximum": LATEST_S},
                        {"type": "null"},
                    ]
                },
            },
        }
        body = {
            JSON: {"schema": {"anyOf": [row, {"type": "array", "items": row}]}},
            NDJSON: {"schema": {"type": "string", "description": "one outcome a line"}},
        }
        counts = {
            "accepted": {"type": "integer", "minimum": 0},
            **{key: {"type": "integer", "minimum": 0, "description": told} for key, told in _COUNTED.items()},
        }
        answers = {JSON: {"schema": strict(counts)}}
        return operation("Shiplap", f"Tell what came of rows that {name} answered", answers, body=body)
