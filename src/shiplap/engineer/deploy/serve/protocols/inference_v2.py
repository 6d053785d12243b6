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
from shiplap.engineer.deploy.serve.openapi import key_of, responses
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.binary import BINARY, HEADER, fill, json_length, packed
from shiplap.engineer.deploy.serve.protocols.tensors import Tensor, Tensors

__all__ = ["InferenceV2"]

_MODEL = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
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
        content = {"application/json": {"schema": {"type": "object"}}}
        described: dict[str, Any] = {}
        for route in self.routes():
            names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
            operation: dict[str, Any] = {"tags": ["Open Inference Protocol v2"], "responses": responses(content)}
            if names:
                place = {"in": "path", "required": True, "schema": {"type": "string"}}
                operation["parameters"] = [{"name": name, **place} for name in names]
            if route.method == "POST":
                operation["requestBody"] = {"required": True, "content": content}
            described[route.path] = {route.method.lower(): operation}
        return described

    def _server_ready(self, exchange: Exchange) -> None:
        ready = not exchange.line.desk.draining
        exchange.answer(msgspec.json.encode({"live": True, "ready": ready}), status=200 if ready else 503)

    def _model_ready(self, exchange: Exchange) -> None:
        exchange.answer(msgspec.json.encode({"name": self._endpoints.known(exchange).name, "ready": True}))

    def _metadata(self, exchange: Exchange) -> None:
        endpoint = self._endpoints.known(exchange)
        service = self._endpoints.fleet.services[endpoint.name]
        versions = [hosted.version for hosted in service.versions]
        exchange.answer(msgspec.json.encode({**endpoint.metadata, "versions": versions}))

    def _infer(self, exchange: Exchange) -> None:
        self._endpoints.find(exchange).infer(exchange)


class _Endpoint:
    def __init__(self, model: Hosted) -> None:
        self._model = model
        self._tensors = tensors = Tensors(model)
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
            work = partial(self._whole, exchange, length, headers)
            self._model.jobs.submit(exchange, work, media_type="", headers=headers)
            return
        asked, rows = self._read(body, length)
        if len(rows) != 1:
            self._send(exchange, asked, self._model.outputs(rows, exchange))
            return

        def render(exchange: Exchange, output: list[float]) -> None:
            self._send(exchange, asked, np.array([output]))

        self._model.answer_row(rows[0], exchange, render)

    def _whole(self, exchange: Exchange, length: int, headers: dict[str, str]) -> bytes:
        asked, rows = self._read(exchange.body, length)
        told, rest = self._render(asked, self._model.outputs(rows, exchange))
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
        unpack = partial(fill, asked.inputs, body[length:], self._tensors.images)
        return asked, self._tensors.rows(asked.inputs, asked.wanted, unpack)

    def _render(self, asked: Inference, outputs: NDArray[np.float64]) -> tuple[bytes, bytes]:
        """Return the JSON of an answer, and the tensors that follow it as bytes."""
        binary = asked.binary()
        told, rest = [], []
        for tensor in self._tensors.answers(outputs, asked.wanted):
            shown = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
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
