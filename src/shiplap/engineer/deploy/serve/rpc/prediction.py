"""TensorFlow Serving over gRPC: ``tensorflow.serving.PredictionService``.

``Predict`` takes a tensor a column and answers with those of the Open Inference Protocol (``prediction``,
``probabilities`` or ``scores``, ``decision``), or with those that ``output_filter`` names; there is one signature,
``serving_default``. ``Classify`` and ``Regress`` take examples, whose values are of single precision, and so are the
answers. A version is the start of a ship id, read as a hexadecimal number; ``version_label`` takes it as it is
written, or ``stable`` or ``canary``.

References
----------
https://github.com/tensorflow/serving/blob/master/tensorflow_serving/apis/prediction_service.proto
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.openapi import key_of
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.tensors import Tensors
from shiplap.engineer.deploy.serve.rpc.call import Call
from shiplap.engineer.deploy.serve.rpc.handling import Handling
from shiplap.engineer.deploy.serve.rpc.library import DecodeError, message
from shiplap.engineer.deploy.serve.rpc.tensor_proto import fill, row_of, tensor_info, tensor_of, tensor_proto
from shiplap.engineer.deploy.serve.rpc.work import Outputs, Row, check_count, claimed, work

__all__ = ["Prediction"]

_PACKAGE = "tensorflow.serving"
_SIGNATURE = "serving_default"
_METADATA = "signature_def"


class Prediction:
    """The service.

    Parameters
    ----------
    handling : Handling
        Makes handlers.
    fleet : Fleet
        What is served.
    """

    name = f"{_PACKAGE}.PredictionService"

    def __init__(self, handling: Handling, fleet: Fleet) -> None:
        self._handling = handling
        self.swap(fleet)

    def swap(self, fleet: Fleet) -> None:
        """Answer by another fleet from the next request on."""
        self._endpoints = Endpoints(fleet, Tensors, "{model}")

    def methods(self) -> dict[str, Any]:
        """Return the handlers by method."""
        handlers = {
            "Predict": self._predict,
            "Classify": self._classify,
            "Regress": self._regress,
            "GetModelMetadata": self._metadata,
        }
        return {name: self._handling.unary(f"/{self.name}/{name}", handler) for name, handler in handlers.items()}

    async def _predict(self, call: Call, data: bytes) -> bytes:
        asked = _read("PredictRequest", data)
        tensors = self._found(call, asked.model_spec)
        _check_signature(asked.model_spec)
        check_count(tensors, max(len(asked.inputs), len(asked.output_filter)))
        sent = [tensor_of(name, each) for name, each in asked.inputs.items()]
        wanted = list(asked.output_filter)

        def fill_all() -> None:
            for tensor in sent:
                fill(tensor, asked.inputs[tensor.name], tensors)

        def render(outputs: Outputs) -> bytes:
            told = {tensor.name: tensor_proto(tensor) for tensor in tensors.answers(outputs, wanted)}
            return _bytes("PredictResponse", outputs=told, model_spec=_spec(tensors.model))

        n_values = claimed(tensor.shape for tensor in sent)
        return await work(tensors, call, n_values, partial(tensors.rows, sent, wanted, fill_all), render)

    async def _classify(self, call: Call, data: bytes) -> bytes:
        asked = _read("ClassificationRequest", data)
        tensors = self._found(call, asked.model_spec)
        signature = tensors.model.scorer.signature
        labels = [key_of(label) for label in signature.classes]
        if not labels:
            raise ProblemError(422, f"a {signature.task} has no classes", hint="use Predict or Regress")

        def render(outputs: Outputs) -> bytes:
            orders = np.argsort(-outputs, axis=1, kind="stable").tolist()
            told = [
                {"classes": [{"label": labels[at], "score": row[at]} for at in order]}
                for row, order in zip(outputs.tolist(), orders, strict=True)
            ]
            result = {"classifications": told}
            return _bytes("ClassificationResponse", result=result, model_spec=_spec(tensors.model))

        return await self._examples(call, tensors, asked, render)

    async def _regress(self, call: Call, data: bytes) -> bytes:
        asked = _read("RegressionRequest", data)
        tensors = self._found(call, asked.model_spec)
        task = tensors.model.scorer.signature.task
        if task != "regression":
            raise ProblemError(422, f"a {task} model is no regression", hint="use Predict or Classify")

        def render(outputs: Outputs) -> bytes:
            result = {"regressions": [{"value": value} for value in outputs[:, 0].tolist()]}
            return _bytes("RegressionResponse", result=result, model_spec=_spec(tensors.model))

        return await self._examples(call, tensors, asked, render)

    async def _metadata(self, call: Call, data: bytes) -> bytes:
        asked = _read("GetModelMetadataRequest", data)
        if list(asked.metadata_field) != [_METADATA]:
            told = ", ".join(asked.metadata_field) or "none"
            raise ProblemError(422, "one metadata_field is known", value=told, expected=_METADATA)
        _name(call, asked.model_spec)
        tensors = self._endpoints.known(call)
        definition = {
            "inputs": {each.name: tensor_info(each) for each in tensors.inputs},
            "outputs": {name: tensor_info(each) for name, each in tensors.outputs.items()},
            "method_name": "tensorflow/serving/predict",
        }
        found = {
            "type_url": f"type.googleapis.com/{_PACKAGE}.SignatureDefMap",
            "value": _bytes("SignatureDefMap", signature_def={_SIGNATURE: definition}),
        }
        return _bytes("GetModelMetadataResponse", model_spec=_spec(tensors.model), metadata={_METADATA: found})

    async def _examples(self, call: Call, tensors: Tensors, asked: Any, render: Callable[[Outputs], bytes]) -> bytes:
        _check_signature(asked.model_spec)
        kind = asked.input.WhichOneof("kind")
        if kind is None:
            raise ProblemError(422, "examples are expected", field="input")
        sent = getattr(asked.input, kind)
        most = tensors.model.limits.rows
        if len(sent.examples) > most:
            raise ProblemError(413, f"at most {most} rows are accepted in one request", value=len(sent.examples))

        def read() -> list[Row]:
            context = row_of(sent.context, tensors) if kind == "example_list_with_context" else {}
            return [{**context, **row_of(example, tensors)} for example in sent.examples]

        n_values = claimed([len(sent.examples), *each.shape[1:]] for each in tensors.inputs)
        return await work(tensors, call, n_values, read, render)

    def _found(self, call: Call, spec: Any) -> Tensors:
        _name(call, spec)
        return self._endpoints.find(call)


def _name(call: Call, spec: Any) -> None:
    numbered = spec.WhichOneof("version_choice") == "version"
    call.name(spec.name, f"{spec.version.value:012x}" if numbered else spec.version_label)


def _check_signature(spec: Any) -> None:
    if spec.signature_name not in {"", _SIGNATURE}:
        raise ProblemError(
            422,
            f"there is no signature '{spec.signature_name}'",
            expected=_SIGNATURE,
            hint="output_filter says which outputs are wanted",
        )


def _spec(model: Hosted) -> dict[str, Any]:
    return {"name": model.name, "version": {"value": int(model.version, 16)}, "signature_name": _SIGNATURE}


def _read(name: str, data: bytes) -> Any:
    try:
        return message(f"{_PACKAGE}.{name}").FromString(data)
    except DecodeError as error:
        raise ProblemError(400, f"this is no {name}") from error


def _bytes(name: str, /, **fields: Any) -> bytes:
    return bytes(message(f"{_PACKAGE}.{name}")(**fields).SerializeToString())
