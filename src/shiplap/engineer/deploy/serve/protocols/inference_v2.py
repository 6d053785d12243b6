"""The Open Inference Protocol, version 2: what clients of KServe, Triton, MLServer and others speak.

What tensors go in and out stands in `tensors`; a column that is not sent is missing, one that the model does not know
is ignored. The order of the classes and the names of a tensor's numbers stand in the model's metadata. Numbers stand in
JSON as decimal texts and are read as doubles, whatever their size. The version of a model is the start of its ship id.
Tensors may come and go as bytes, which `binary` knows about; `rpc` speaks the same protocol over gRPC.

References
----------
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

import shiplap
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, check_depth, decode_error
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Steps
from shiplap.engineer.deploy.serve.openapi import key_of, operation
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.binary import BINARY, HEADER, fill, json_length, packed
from shiplap.engineer.deploy.serve.protocols.tensors import DATATYPES, Tensor, Tensors
from shiplap.engineer.deploy.serve.schemas import Served, served, strict

__all__ = ["InferenceV2"]

_MODEL = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
_TEXT: dict[str, Any] = {"type": "string"}
_SERVER = {"name": _TEXT, "version": _TEXT, "extensions": {"type": "array", "items": _TEXT}}
_DENSE = 8  # a byte of a tensor holds as much work as so many of JSON


class Wanted(msgspec.Struct):
    """A tensor that is asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class Inference(msgspec.Struct):
    """The body of a request."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[Wanted] | None = None
    parameters: dict[str, Any] | None = None

    @property
    def wanted(self) -> list[str]:
        """The outputs that are asked for; none for all."""
        return [wanted.name for wanted in self.outputs or ()]

    def binary(self) -> frozenset[str]:
        """Return the outputs that are asked for as bytes; with none named, ``*`` stands for all."""
        every = bool((self.parameters or {}).get("binary_data_output", False))
        if not self.outputs:
            return frozenset("*" if every else "")
        told = {wanted.name: (wanted.parameters or {}).get("binary_data", every) for wanted in self.outputs}
        return frozenset(name for name, binary in told.items() if binary)


class InferenceV2:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    """

    name = "v2"

    def __init__(self, fleet: Fleet) -> None:
        self._endpoints = Endpoints(fleet, _Endpoint)

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        server = {"name": "shiplap", "version": shiplap.__version__, "extensions": ["binary_tensor_data"]}
        gets: list[tuple[str, Callable[[Exchange], None]]] = [
            ("/v2", _fixed(server)),
            ("/v2/", _fixed(server)),
            ("/v2/health/live", _fixed({"live": True})),
            ("/v2/health/ready", self._server_ready),
            *((path, self._metadata) for path in _MODEL),
            *((f"{path}/ready", self._model_ready) for path in _MODEL),
        ]
        routes = [Route("GET", path, handler, "error") for path, handler in gets]
        return [*routes, *(Route("POST", f"{path}/infer", self._infer, "error") for path in _MODEL)]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        tag = "Open Inference Protocol v2"
        ready = strict({"live": {"type": "boolean"}, "ready": {"type": "boolean"}})
        described: dict[str, Any] = {
            path: {"get": operation(tag, "What this server is", _json(strict(_SERVER)))} for path in ("/v2", "/v2/")
        }
        described["/v2/health/live"] = {
            "get": operation(tag, "Liveness", _json(strict({"live": {"const": True}})), open_to_all=True)
        }
        described["/v2/health/ready"] = {
            "get": operation(tag, "Readiness", _json(ready), draining=True, open_to_all=True)
        }
        for each in served(self._endpoints.fleet):
            path = f"/v2/models/{each.path}"
            for base, places in ((path, []), (f"{path}/versions/{{version}}", [each.version])):
                described |= self._described(tag, each, base, places)
        return described

    def _described(
        self, tag: str, each: Served, base: str, parameters: Sequence[Mapping[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        tensors = self._endpoints.first[each.name].tensors
        ready = _json(strict({"name": {"const": each.name}, "ready": {"type": "boolean"}}))
        body = _json(_asked(list(tensors.outputs)), tensors.example(each.schemas.example))
        answers = {**_json(_answered(tensors)), BINARY: {"schema": {"description": "JSON, then tensors as bytes"}}}
        return {
            base: {
                "get": operation(tag, f"Metadata of {each.name}", _json(_metadata(each.name)), parameters=parameters)
            },
            f"{base}/ready": {"get": operation(tag, f"Readiness of {each.name}", ready, parameters=parameters)},
            f"{base}/infer": {
                "post": operation(tag, f"Infer by {each.name}", answers, body=body, parameters=parameters)
            },
        }

    def _server_ready(self, exchange: Exchange) -> None:
        ready = not exchange.line.desk.draining
        exchange.answer(msgspec.json.encode({"live": True, "ready": ready}), status=200 if ready else 503)

    def _model_ready(self, exchange: Exchange) -> None:
        exchange.answer(msgspec.json.encode({"name": self._endpoints.known(exchange).name, "ready": True}))

    def _metadata(self, exchange: Exchange) -> None:
        endpoint = self._endpoints.known(exchange)
        service = self._endpoints.fleet.service(exchange.head.parameters["model"])
        versions = [hosted.version for hosted in service.versions]
        exchange.answer(msgspec.json.encode({**endpoint.metadata, "versions": versions}))

    def _infer(self, exchange: Exchange) -> None:
        self._endpoints.find(exchange).infer(exchange)


class _Endpoint:
    def __init__(self, model: Hosted) -> None:
        self._model = model
        self.tensors = tensors = Tensors(model)
        self.name, self.version = model.name, model.version
        self.metadata = {
            "name": self.name,
            "platform": "shiplap",
            "inputs": tensors.inputs,
            "outputs": list(tensors.outputs.values()),
            "parameters": {
                "classes": [key_of(label) for label in model.scorer.signature.classes],
                "outputs": model.scorer.signature.outputs,
            },
        }

    def infer(self, exchange: Exchange) -> None:
        require_body(exchange)
        body = exchange.body
        length = json_length(exchange.head.headers, len(body))
        if length is None:
            length = len(body)
            require_json(exchange, JSON_TYPES, "application/json")
        elif exchange.head.media_type != BINARY:
            require_json(exchange, JSON_TYPES, f"application/json or {BINARY}")
        if length + _DENSE * (len(body) - length) > self._model.inline_bytes:
            headers: dict[str, str] = {}  # the work says what it has made
            self._model.read_and_work(exchange, self._whole(exchange, length, headers), media_type="", headers=headers)
            return
        asked, rows = self._read(body, length)
        if len(rows) != 1:
            self._send(exchange, asked, self._model.outputs(rows, exchange))
            return

        def render(exchange: Exchange, output: list[float]) -> None:
            self._send(exchange, asked, np.array([output]))

        self._model.answer_row(rows[0], exchange, render)

    def _whole(self, exchange: Exchange, length: int, headers: dict[str, str]) -> Steps[bytes]:
        asked, rows = self._read(exchange.body, length)
        outputs = yield from self._model.listed(rows, exchange)
        yield
        told, rest = self._render(asked, outputs)
        headers.update(_binary_headers(told) if rest else {"Content-Type": JSON})
        return told + rest

    def _send(self, exchange: Exchange, asked: Inference, outputs: NDArray[np.float64]) -> None:
        told, rest = self._render(asked, outputs)
        if rest:
            exchange.answer(told + rest, media_type="", headers=_binary_headers(told))
        else:
            exchange.answer_json(told)

    def _read(self, body: bytes, length: int) -> tuple[Inference, list[dict[str, Any]]]:
        told = body[:length]
        check_depth(told, self._model.limits.depth)
        try:
            asked = msgspec.json.decode(told, type=Inference)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise decode_error(error) from error
        unpack = partial(fill, asked.inputs, body[length:], self.tensors.images)
        return asked, self.tensors.rows(asked.inputs, asked.wanted, unpack)

    def _render(self, asked: Inference, outputs: NDArray[np.float64]) -> tuple[bytes, bytes]:
        """Return the JSON of an answer, and the tensors that follow it as bytes."""
        binary = asked.binary()
        told, rest = [], []
        for tensor in self.tensors.answers(outputs, asked.wanted):
            shown: dict[str, Any] = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
            if tensor.name in binary or "*" in binary:
                rest.append(packed(tensor.datatype, tensor.data or ()))
                told.append({**shown, "parameters": {"binary_data_size": len(rest[-1])}})
            else:
                told.append({**shown, "data": tensor.data})
        answer: dict[str, Any] = {"model_name": self.name, "model_version": self.version, "outputs": told}
        if asked.id is not None:
            answer["id"] = asked.id
        return msgspec.json.encode(answer), b"".join(rest)


def _binary_headers(told: bytes) -> dict[str, str]:
    return {"Content-Type": BINARY, HEADER: str(len(told))}


def _fixed(content: object) -> Callable[[Exchange], None]:
    body = msgspec.json.encode(content)

    def answer(exchange: Exchange) -> None:
        exchange.answer(body)

    return answer


def _json(schema: Mapping[str, Any], example: object = None) -> dict[str, Any]:
    return {JSON: {"schema": schema} if example is None else {"schema": schema, "example": example}}


def _shaped(**further: Any) -> dict[str, Any]:
    shape = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
    return {"name": _TEXT, "shape": shape, "datatype": {"enum": DATATYPES}, **further}


def _metadata(name: str) -> dict[str, Any]:
    tensors = {"type": "array", "items": strict(_shaped())}
    texts = {"type": "array", "items": _TEXT}
    said = {"name": {"const": name}, "versions": texts, "platform": _TEXT, "inputs": tensors, "outputs": tensors}
    return strict({**said, "parameters": strict({"classes": texts, "outputs": texts})})


def _asked(outputs: list[str]) -> dict[str, Any]:
    anything = {"type": ["object", "null"]}
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": _shaped(data={"type": "array"}, parameters=anything),
        "description": "A column: one value a row, of shape [n] or [n, 1]; an array [n] and its own shape.",
    }
    wanted = {"type": "object", "required": ["name"], "properties": {"name": {"enum": outputs}, "parameters": anything}}
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "inputs": {"type": "array", "minItems": 1, "items": tensor},
            "id": {"type": ["string", "null"]},
            "outputs": {"type": ["array", "null"], "items": wanted},
            "parameters": anything,
        },
    }


def _answered(tensors: Tensors) -> dict[str, Any]:
    size = strict({"binary_data_size": {"type": "integer", "minimum": 0}})
    values = {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}}
    output = strict(
        {**_shaped(data=values, parameters=size), "name": {"enum": list(tensors.outputs)}},
        optional=("data", "parameters"),
    )
    said = {"model_name": _TEXT, "model_version": _TEXT, "outputs": {"type": "array", "items": output}, "id": _TEXT}
    return strict(said, optional=("id",))
