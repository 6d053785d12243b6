"""TorchServe: ``POST /predictions/NAME[/VERSION]``; its ``GET /ping`` is the one of ``/invocations``.

Sent are a JSON object (one row), an array of rows, or one of them under ``data`` or ``body``; an array is answered with
an array. For a classifier a row gets what TorchServe's own image classifier gives, probabilities (or scores) by class;
else its number or tensor. ``{"instances": [...]}``, TorchServe's JSON envelope, gets ``{"predictions": [...]}``. A
ship that reads one image, or one text, takes the bare file too, as ``curl -T kitten.jpg`` sends it.

References
----------
https://docs.pytorch.org/serve/inference_api.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, decode_error
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.openapi import key_of, operation
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body
from shiplap.engineer.deploy.serve.protocols.predictions import Outputs, Predictions, Render
from shiplap.engineer.deploy.serve.protocols.rows import Row, value_of
from shiplap.engineer.deploy.serve.schemas import Served, served, strict

__all__ = ["TorchServe"]

_PATHS = ("/predictions/{model}", "/predictions/{model}/{version}")


class TorchServe:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    """

    name = "torchserve"

    def __init__(self, fleet: Fleet) -> None:
        self._served = Endpoints(fleet, Predictions)

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        return [Route("POST", path, self._answer, "message") for path in _PATHS]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        described: dict[str, Any] = {}
        for each in served(self._served.fleet):
            path = f"/predictions/{each.path}"
            described[path] = {"post": _described(each)}
            described[f"{path}/{{version}}"] = {"post": _described(each, [each.version])}
        return described

    def _answer(self, exchange: Exchange) -> None:
        served = self._served.find(exchange)
        require_body(exchange)
        kind = exchange.head.media_type
        inputs = served.signature.inputs
        json = kind in JSON_TYPES or kind.endswith("+json")
        if len(inputs) == 1 and inputs[0].kind in {"image", "text"} and not (json and _is_json(exchange)):
            served.answer(exchange, partial(_file, served))
        elif json:
            served.answer(exchange, partial(_read, served))
        else:
            raise ProblemError(415, "the body is expected to be JSON", field="Content-Type", value=kind)


def _is_json(exchange: Exchange) -> bool:
    """Tell a bare file from JSON where the content type does not: curl names none, or that of a form."""
    return exchange.head.media_type.endswith("json") or exchange.body.lstrip()[:1] in {b"{", b"["}


def _file(served: Predictions, body: bytes) -> tuple[list[Row], Render]:
    field = served.signature.inputs[0]
    try:
        value = base64.b64encode(body).decode() if field.kind == "image" else body.decode()
    except UnicodeDecodeError as error:
        raise decode_error(error) from error
    return [{field.name: value}], _one(_values(served))


def _read(served: Predictions, body: bytes) -> tuple[list[Row], Render]:
    rows, values = served.rows, _values(served)
    if body.lstrip()[:1] == b"[":
        rows.items(body)  # for its depth
        return rows.listed(body), _many(values)
    parts = rows.parts(body)
    if "instances" in parts and "instances" not in rows.names:
        return rows.listed(parts["instances"]), lambda outputs: msgspec.json.encode({"predictions": values(outputs)})
    envelope = next((name for name in ("data", "body") if len(parts) == 1 and name in parts), "")
    if not envelope or envelope in rows.names:
        return [rows.one({name: value_of(raw) for name, raw in parts.items()})], _one(values)
    inner = parts[envelope]
    if bytes(inner).lstrip()[:1] == b"[":
        return rows.listed(inner), _many(values)
    return [rows.one(value_of(inner))], _one(values)


def _values(served: Predictions) -> Callable[[Outputs], list[Any]]:
    keys = [key_of(label) for label in served.signature.classes]
    if not keys:
        return served.method("predict")
    return lambda outputs: [dict(zip(keys, row, strict=True)) for row in outputs.tolist()]


def _one(values: Callable[[Outputs], list[Any]]) -> Render:
    return lambda outputs: msgspec.json.encode(values(outputs)[0])


def _many(values: Callable[[Outputs], list[Any]]) -> Render:
    return lambda outputs: msgspec.json.encode(values(outputs))


def _described(each: Served, parameters: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    schemas = each.schemas
    enveloped = [name for name in ("data", "body") if name not in schemas.example]
    forms = [schemas.row, schemas.rows]
    if "instances" not in schemas.example:
        instances = {"type": "object", "required": ["instances"], "properties": {"instances": schemas.rows}}
        forms = [{"allOf": [schemas.row, {"not": {"required": ["instances"]}}]}, schemas.rows, instances]
    forms += [strict({name: {"anyOf": [schemas.row, schemas.rows]}}) for name in enveloped]
    by_class = schemas.by_class or schemas.value
    listed = {"type": "array", "items": by_class}
    answer = {"anyOf": [by_class, listed, strict({"predictions": listed})]}
    body: dict[str, Any] = {JSON: {"schema": {"anyOf": forms}, "example": schemas.example}}
    inputs = schemas.signature.inputs
    if len(inputs) == 1 and inputs[0].kind in {"image", "text"}:
        kind = "image/*" if inputs[0].kind == "image" else "text/plain"
        body[kind] = {"schema": {"description": "the bare file"}}
    return operation(
        "TorchServe", f"Answer rows by {each.name}", {JSON: {"schema": answer}}, body=body, parameters=parameters
    )
