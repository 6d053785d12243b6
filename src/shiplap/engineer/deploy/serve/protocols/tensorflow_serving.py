"""TensorFlow Serving's REST interface, and version 1 of KServe's, which took it over.

=======================================  ===========================================================================
asked                                    answered
=======================================  ===========================================================================
``POST /v1/models/NAME:predict``         ``{"instances": [...]}`` (row form) gets ``{"predictions": [...]}``;
                                         ``{"inputs": ...}`` (column form) gets ``{"outputs": [...]}``
``POST /v1/models/NAME:classify``        ``{"examples": [...]}`` gets ``{"results": [...]}``: for each
                                         ``[[label, probability], ...]``, the most probable first
``POST /v1/models/NAME:regress``         ``{"examples": [...]}`` gets ``{"results": [number, ...]}``
``GET /v1/models``, ``/v1/models/NAME``  KServe's list and readiness, TensorFlow Serving's state of the version
``GET /v1/models/NAME/metadata``         the signature
=======================================  ===========================================================================

``/versions/V`` may follow every name; a version is the start of a ship id. So may ``/labels/stable`` and
``/labels/canary``. ``signature_name`` says what a prediction
is: ``serving_default`` or ``predict`` (the label, the number or the tensor), ``predict_proba`` (the probability of each
class), ``decision_function`` (the score of each), ``decide``. Examples may stand under a ``context`` that all share.

References
----------
https://www.tensorflow.org/tfx/serving/api_rest
https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np

from shiplap.core.errors import nearest
from shiplap.core.schema import Kind
from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.openapi import key_of, operation
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import require_body, require_json
from shiplap.engineer.deploy.serve.protocols.predictions import Outputs, Predictions, Render
from shiplap.engineer.deploy.serve.protocols.rows import Row, value_of
from shiplap.engineer.deploy.serve.schemas import Served, exactly_one, served, strict

__all__ = ["TensorFlowServing"]

_MODEL = ("/v1/models/{model}/versions/{version}", "/v1/models/{model}/labels/{version}", "/v1/models/{model}")
_TYPES: dict[Kind, str] = {"number": "DT_DOUBLE", "boolean": "DT_BOOL", "tensor": "DT_DOUBLE"}
Parts = dict[str, msgspec.Raw]


class TensorFlowServing:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    """

    name = "tensorflow"

    def __init__(self, fleet: Fleet) -> None:
        self._served = Endpoints(fleet, Predictions)

    def routes(self) -> Sequence[Route]:
        """Return where it listens; the verbs come first, for a name may be anything."""
        verbs = {"predict": _predict, "classify": _classify, "regress": _regress}
        posts = [
            Route("POST", f"{path}:{verb}", partial(self._answer, read), "error")
            for verb, read in verbs.items()
            for path in _MODEL
        ]
        gets = [Route("GET", path, self._status, "error") for path in _MODEL]
        described = [Route("GET", f"{path}/metadata", self._metadata, "error") for path in _MODEL]
        return [*posts, *described, *gets, Route("GET", "/v1/models", self._list, "error")]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        tag = "TensorFlow Serving and KServe v1"
        names = {"type": "array", "items": {"type": "string"}}
        listing = _json(strict({"models": names}))
        described: dict[str, Any] = {"/v1/models": {"get": operation(tag, "The models that are served", listing)}}
        for each in served(self._served.fleet):
            path = f"/v1/models/{each.path}"
            for base, places in ((path, []), (f"{path}/versions/{{version}}", [each.version])):
                state = operation(tag, f"State of {each.name}", _json(_state(each.name)), parameters=places)
                told = {"type": "object", "required": ["model_spec", "metadata"]}
                metadata = operation(tag, f"Signature of {each.name}", _json(told), parameters=places)
                described |= {base: {"get": state}, f"{base}/metadata": {"get": metadata}}
                described |= {f"{base}:{verb}": {"post": post} for verb, post in _verbs(tag, each, places).items()}
        return described

    def _answer(self, read: Callable[[Predictions, bytes], tuple[list[Row], Render]], exchange: Exchange) -> None:
        served = self._served.find(exchange)
        require_body(exchange)
        require_json(exchange, JSON_TYPES, "application/json")
        served.answer(exchange, partial(read, served))

    def _list(self, exchange: Exchange) -> None:
        exchange.answer(msgspec.json.encode({"models": list(self._served.fleet.services)}))

    def _status(self, exchange: Exchange) -> None:
        model = self._served.known(exchange).model
        state = {"version": model.version, "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        exchange.answer(msgspec.json.encode({"name": model.name, "ready": True, "model_version_status": [state]}))

    def _metadata(self, exchange: Exchange) -> None:
        served = self._served.known(exchange)
        model, signature = served.model, served.signature
        definition = {
            "inputs": {
                field.name: _tensor(field.name, _TYPES.get(field.kind, "DT_STRING"), field.shape)
                for field in signature.inputs
            },
            "outputs": {"predictions": _output(signature)},
            "method_name": "tensorflow/serving/predict",
        }
        told = {
            "model_spec": {"name": model.name, "signature_name": "", "version": model.version},
            "metadata": {"signature_def": {"signature_def": {"serving_default": definition}}},
        }
        exchange.answer(msgspec.json.encode(told))


def _predict(served: Predictions, body: bytes) -> tuple[list[Row], Render]:
    parts = served.rows.parts(body)
    method = _method(parts)
    form = _only(parts, ("instances", "inputs"))
    if form == "inputs":
        return served.rows.columns(parts[form]), served.render(method, "outputs")
    return served.rows.listed(parts[form]), served.render(method)


def _classify(served: Predictions, body: bytes) -> tuple[list[Row], Render]:
    labels = [key_of(label) for label in served.signature.classes]
    if not labels:
        raise ProblemError(422, f"a {served.signature.task} has no classes", hint="use :predict or :regress")

    def render(outputs: Outputs) -> bytes:
        orders = np.argsort(-outputs, axis=1, kind="stable").tolist()
        pairs = [[(labels[at], row[at]) for at in order] for row, order in zip(outputs.tolist(), orders, strict=True)]
        return msgspec.json.encode({"results": pairs})

    return _examples(served, body), render


def _regress(served: Predictions, body: bytes) -> tuple[list[Row], Render]:
    if served.signature.task != "regression":
        raise ProblemError(422, f"a {served.signature.task} model is no regression", hint="use :predict or :classify")
    return _examples(served, body), served.render(member="results")


def _examples(served: Predictions, body: bytes) -> list[Row]:
    parts = served.rows.parts(body)
    rows = served.rows.listed(parts[_only(parts, ("examples", "instances"))])
    if "context" not in parts:
        return rows
    context = value_of(parts["context"])
    if not isinstance(context, dict):
        raise ProblemError(422, "an object is expected", field="context", value=context)
    return [{**context, **row} for row in rows]


def _only(parts: Parts, forms: Sequence[str]) -> str:
    used = [form for form in forms if form in parts]
    if len(used) != 1:
        raise ProblemError(
            422,
            f"exactly one of {' and '.join(forms)} is expected",
            value=", ".join(used) or "none",
            hint=None if used or not parts else nearest(next(iter(parts)), forms),
        )
    return used[0]


def _method(parts: Parts) -> object:
    name = value_of(parts["signature_name"]) if "signature_name" in parts else ""
    return "predict" if name in ("", "serving_default") else name


def _output(signature: Signature) -> dict[str, Any]:
    texts = any(isinstance(label, str) for label in signature.classes)
    return _tensor("predictions", "DT_STRING" if texts else "DT_DOUBLE", signature.shape)


def _tensor(name: str, dtype: str, shape: Sequence[int]) -> dict[str, Any]:
    sizes = [{"size": str(size), "name": ""} for size in (-1, *shape)]
    return {"dtype": dtype, "tensor_shape": {"dim": sizes, "unknown_rank": False}, "name": name}


def _json(schema: Mapping[str, Any], example: object = None) -> dict[str, Any]:
    return {JSON: {"schema": schema} if example is None else {"schema": schema, "example": example}}


def _state(name: str) -> dict[str, Any]:
    text = {"type": "string"}
    status = strict({"error_code": text, "error_message": text})
    version = strict({"version": text, "state": text, "status": status})
    said = {"name": {"const": name}, "ready": {"type": "boolean"}}
    return strict({**said, "model_version_status": {"type": "array", "items": version}})


def _verbs(tag: str, each: Served, parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe what can be asked of a model: prediction always, the other two as its task allows."""
    schemas = each.schemas
    rows = {"instances": schemas.rows, "inputs": {"anyOf": [schemas.columns, schemas.rows]}}
    asked = exactly_one(rows, {"signature_name": {"enum": ["", "serving_default", *schemas.methods]}})
    predictions = {"anyOf": [strict({"predictions": schemas.values}), strict({"outputs": schemas.values})]}
    bodies = {"predict": (_json(asked, {"instances": [schemas.example]}), _json(predictions))}
    examples = exactly_one({"examples": schemas.rows, "instances": schemas.rows}, {"context": {"type": "object"}})
    body = _json(examples, {"examples": [schemas.example]})
    if schemas.signature.classes:
        pair = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["string", "number", "null"]}}
        results = {"type": "array", "items": {"type": "array", "items": pair}}
        bodies["classify"] = (body, _json(strict({"results": results})))
    if schemas.signature.task == "regression":
        bodies["regress"] = (body, _json(strict({"results": schemas.values})))
    return {
        verb: operation(tag, f"{verb.title()} by {each.name}", answers, body=body, parameters=parameters)
        for verb, (body, answers) in bodies.items()
    }
