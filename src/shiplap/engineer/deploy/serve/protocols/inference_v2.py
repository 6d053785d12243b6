"""The Open Inference Protocol, version 2: what clients of KServe, Triton, MLServer and others speak.

Every column is one input tensor of shape ``[n]`` or ``[n, 1]``, an array ``[n]`` and its own shape, flat or nested; the
outputs are ``prediction`` and ``decision`` of shape ``[n]`` and, but for a regression, ``probabilities`` or ``scores``
of shape ``[n, classes]`` (in the order of the model's metadata). A model of tensors has ``prediction`` alone, of shape
``[n]`` and the shape of one row's answer; the metadata has the names of its numbers where they have some.
``FP``, ``INT`` and ``UINT`` of any size take numbers, ``BOOL`` booleans, ``BYTES`` texts; null is a missing
value in each. What a value then means is the encoder's word alone: a column that is not sent is missing, one that the
model does not know is ignored. Numbers stand in JSON as decimal texts and are read as doubles, whatever their size.
The version of a model is the start of its ship id. Tensors may come and go as bytes, which `binary` knows about.

References
----------
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

import shiplap
from shiplap.core.brief import Label
from shiplap.core.schema import Kind
from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, check_depth, decode_error
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.openapi import key_of, responses
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.binary import BINARY, HEADER, fill, json_length, packed

__all__ = ["InferenceV2"]

Value = str | int | float | bool | None
_MODEL = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
_DATATYPES: dict[Kind, str] = {"number": "FP64", "boolean": "BOOL", "tensor": "FP64"}
_DENSE = 8  # a byte of a tensor holds as much work as so many of JSON
_NUMBERS = {int, float, type(None)}
_TAKEN: dict[str, tuple[set[type], str]] = {
    **{f"FP{bits}": (_NUMBERS, "numbers or null") for bits in (16, 32, 64)},
    **{
        f"{sign}INT{bits}": ({int, type(None)}, "whole numbers or null")
        for sign in ("", "U")
        for bits in (8, 16, 32, 64)
    },
    "BOOL": ({bool, type(None)}, "true, false or null"),
    "BYTES": ({str, type(None)}, "texts or null"),
}


class Input(msgspec.Struct):
    """A tensor that is sent."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class Wanted(msgspec.Struct):
    """A tensor that is asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class Inference(msgspec.Struct):
    """The body of a request."""

    inputs: list[Input]
    id: str | None = None
    outputs: list[Wanted] | None = None
    parameters: dict[str, Any] | None = None

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
        exchange.answer(self._endpoints.known(exchange).metadata)

    def _infer(self, exchange: Exchange) -> None:
        self._endpoints.find(exchange).infer(exchange)


class _Endpoint:
    def __init__(self, model: Hosted) -> None:
        self._model = model
        self._images = {field.name for field in model.scorer.signature.inputs if field.kind == "image"}
        self._shapes = {field.name: field.shape for field in model.scorer.signature.inputs}
        self.name, self.version = model.name, model.version
        self._outputs = _output_tensors(model.scorer.signature)
        self.metadata = msgspec.json.encode(
            {
                "name": self.name,
                "versions": [self.version],
                "platform": "shiplap",
                "inputs": _input_tensors(model.scorer.signature),
                "outputs": [{"name": name, **tensor} for name, tensor in self._outputs.items()],
                "parameters": {
                    "classes": [key_of(label) for label in model.scorer.signature.classes],
                    "outputs": model.scorer.signature.outputs,
                },
            }
        )

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
        limits = self._model.limits
        told = body[:length]
        check_depth(told, limits.depth)
        try:
            asked = msgspec.json.decode(told, type=Inference)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise decode_error(error) from error
        for wanted in asked.outputs or ():
            if wanted.name not in self._outputs:
                raise ProblemError(422, f"there is no output '{wanted.name}'", expected=", ".join(self._outputs))
        if not asked.inputs:
            raise ProblemError(422, "at least one input is expected", field="inputs")
        n_rows = asked.inputs[0].shape[0] if asked.inputs[0].shape else 0
        if n_rows > limits.rows:
            raise ProblemError(413, f"at most {limits.rows} rows are accepted in one request", value=n_rows)
        fill(asked.inputs, body[length:], self._images)
        columns = {tensor.name: _values(tensor, n_rows, self._shapes.get(tensor.name, ())) for tensor in asked.inputs}
        names = tuple(columns)
        return asked, [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _render(self, asked: Inference, outputs: NDArray[np.float64]) -> tuple[bytes, bytes]:
        """Return the JSON of an answer, and the tensors that follow it as bytes."""
        columns = self._model.answers.columns(outputs)
        binary = asked.binary()
        tensors, rest = [], []
        for name in [wanted.name for wanted in asked.outputs] if asked.outputs else self._outputs:
            datatype, shape = self._outputs[name]["datatype"], self._outputs[name]["shape"]
            data = columns[name]
            if datatype == "BYTES":
                data = [key_of(label) for label in data]
            tensor = {"name": name, "shape": [len(outputs), *shape[1:]], "datatype": datatype}
            if name in binary or "*" in binary:
                rest.append(packed(datatype, data))
                tensors.append({**tensor, "parameters": {"binary_data_size": len(rest[-1])}})
            else:
                tensors.append({**tensor, "data": data})
        answer: dict[str, Any] = {"model_name": self.name, "model_version": self.version, "outputs": tensors}
        if asked.id is not None:
            answer["id"] = asked.id
        return msgspec.json.encode(answer), b"".join(rest)


def _binary_headers(told: bytes) -> dict[str, str]:
    return {"Content-Type": BINARY, HEADER: str(len(told))}


def _values(tensor: Input, n_rows: int, inner: tuple[int, ...]) -> list[Any]:
    """Return the values of a column, each of shape `inner`, checked against what it claims to be."""
    taken = _TAKEN.get(tensor.datatype)
    if taken is None:
        raise ProblemError(
            422,
            f"input '{tensor.name}' has an unknown datatype",
            field=tensor.name,
            value=tensor.datatype,
            expected=", ".join(_TAKEN),
        )
    shapes = [[n_rows, *inner]] if inner else [[n_rows], [n_rows, 1]]
    if tensor.shape not in shapes:
        raise ProblemError(
            422,
            f"input '{tensor.name}' has a shape that does not fit",
            field=tensor.name,
            value=str(tensor.shape),
            expected=" or ".join(map(str, shapes)),
        )
    values = tensor.data or []
    for _ in inner or (1,):
        if any(type(value) is list for value in values):
            values = [part for value in values for part in (value if type(value) is list else [value])]
    size = prod(inner)
    if len(values) != n_rows * size:
        raise ProblemError(
            422,
            f"input '{tensor.name}' has {len(values)} values where its shape says {n_rows * size}",
            field=tensor.name,
            expected=f"{n_rows * size} values",
        )
    if not taken[0].issuperset(map(type, values)):
        row, value = next((row, value) for row, value in enumerate(values) if type(value) not in taken[0])
        detail = f"input '{tensor.name}' is of datatype {tensor.datatype}"
        raise ProblemError(422, detail, row=row // size, field=tensor.name, value=value, expected=taken[1])
    return np.array(values, dtype=object).reshape(n_rows, *inner).tolist() if inner else values


def _input_tensors(signature: Signature) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "datatype": _DATATYPES.get(field.kind, "BYTES"), "shape": [-1, *field.shape]}
        for field in signature.inputs
    ]


def _output_tensors(signature: Signature) -> dict[str, dict[str, Any]]:
    if signature.task == "regression":
        return {name: {"datatype": "FP64", "shape": [-1]} for name in ("prediction", "decision")}
    if signature.task == "tensor":
        return {"prediction": {"datatype": "FP64", "shape": [-1, *(signature.shape or [len(signature.outputs)])]}}
    label, known = _label_datatype(signature.classes), "scores" if signature.scores else "probabilities"
    return {
        "prediction": {"datatype": label, "shape": [-1]},
        known: {"datatype": "FP64", "shape": [-1, len(signature.classes)]},
        "decision": {"datatype": "BOOL" if signature.task == "binary" else label, "shape": [-1]},
    }


def _label_datatype(labels: Sequence[Label]) -> str:
    kinds = set(map(type, labels))
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"


def _fixed(content: object) -> Callable[[Exchange], None]:
    body = msgspec.json.encode(content)

    def answer(exchange: Exchange) -> None:
        exchange.answer(body)

    return answer
