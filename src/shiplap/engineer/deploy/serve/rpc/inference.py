"""The Open Inference Protocol v2 over gRPC, ``inference.GRPCInferenceService``: Triton's and KServe's clients speak it.

Tensors are those of `protocols.tensors`. They come by type (``contents``) or as bytes (``raw_input_contents``), and the
answer comes as the request did. NaN, an empty text and a column that is not sent are missing values. Triton's stream
answers every request of it in turn; a refusal is its ``error_message``. Models are not loaded and unloaded here, but by
the operator, on the admin listener.

References
----------
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import shiplap
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.binary import packed, unpacked
from shiplap.engineer.deploy.serve.protocols.tensors import Shape, Tensor, Tensors
from shiplap.engineer.deploy.serve.rpc.call import Call
from shiplap.engineer.deploy.serve.rpc.handling import Handling
from shiplap.engineer.deploy.serve.rpc.library import DecodeError, message
from shiplap.engineer.deploy.serve.rpc.work import MOST_DIMENSIONS, Outputs, check_count, claimed, work

__all__ = ["Inference"]

_PACKAGE = "inference"
_Asked, _Told = message(f"{_PACKAGE}.ModelInferRequest"), message(f"{_PACKAGE}.ModelInferResponse")
_Streamed = message(f"{_PACKAGE}.ModelStreamInferResponse")
_FIELDS = {
    **{f"INT{bits}": "int_contents" for bits in (8, 16, 32)},
    **{f"UINT{bits}": "uint_contents" for bits in (8, 16, 32)},
    "INT64": "int64_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BOOL": "bool_contents",
    "BYTES": "bytes_contents",
}
_REPOSITORY = ("RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload")


class Inference:
    """The service.

    Parameters
    ----------
    handling : Handling
        Makes handlers.
    fleet : Fleet
        What is served.
    """

    name = f"{_PACKAGE}.GRPCInferenceService"

    def __init__(self, handling: Handling, fleet: Fleet) -> None:
        self._handling = handling
        self.swap(fleet)

    def swap(self, fleet: Fleet) -> None:
        """Answer by another fleet from the next request on."""
        self._endpoints = Endpoints(fleet, Tensors, "{model}")

    def methods(self) -> dict[str, Any]:
        """Return the handlers by method."""
        handlers = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._server,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._metadata,
            "ModelInfer": self._infer,
            **dict.fromkeys(_REPOSITORY, self._elsewhere),
        }
        methods = {name: self._handling.unary(f"/{self.name}/{name}", handler) for name, handler in handlers.items()}
        path = f"/{self.name}/ModelStreamInfer"
        return {**methods, "ModelStreamInfer": self._handling.stream(path, self._streamed, _refusal)}

    # -- server and models ---------------------------------------------------------------------------------------

    async def _live(self, call: Call, asked: bytes) -> bytes:
        return _bytes("ServerLiveResponse", live=True)

    async def _ready(self, call: Call, asked: bytes) -> bytes:
        return _bytes("ServerReadyResponse", ready=not self._handling.desk.draining)

    async def _server(self, call: Call, asked: bytes) -> bytes:
        return _bytes("ServerMetadataResponse", name="shiplap", version=shiplap.__version__)

    async def _model_ready(self, call: Call, asked: bytes) -> bytes:
        self._known(call, _read("ModelReadyRequest", asked))
        return _bytes("ModelReadyResponse", ready=True)

    async def _metadata(self, call: Call, asked: bytes) -> bytes:
        tensors = self._known(call, _read("ModelMetadataRequest", asked))
        service = self._endpoints.fleet.asked(call)
        return _bytes(
            "ModelMetadataResponse",
            name=service.name,
            versions=[hosted.version for hosted in service.versions],
            platform="shiplap",
            inputs=[_shape(each) for each in tensors.inputs],
            outputs=[_shape(each) for each in tensors.outputs.values()],
        )

    def _known(self, call: Call, asked: Any) -> Tensors:
        call.name(asked.name, asked.version)
        return self._endpoints.known(call)

    # -- inference -----------------------------------------------------------------------------------------------

    async def _infer(self, call: Call, asked: bytes) -> bytes:
        return await self._answer(call, asked, lambda told: told)

    async def _streamed(self, call: Call, asked: bytes) -> bytes:
        return await self._answer(call, asked, lambda told: _Streamed(infer_response=told))

    async def _answer(self, call: Call, data: bytes, wrap: Callable[[Any], Any]) -> bytes:
        try:
            asked = _Asked.FromString(data)
        except DecodeError as error:
            raise ProblemError(400, "this is no ModelInferRequest") from error
        call.name(asked.model_name, asked.model_version)
        tensors = self._endpoints.find(call)
        check_count(tensors, max(len(asked.inputs), len(asked.outputs)))
        wanted = [each.name for each in asked.outputs]
        raw = list(asked.raw_input_contents)
        if raw and len(raw) != len(asked.inputs):
            detail = f"{len(raw)} raw_input_contents are there for {len(asked.inputs)} inputs"
            raise ProblemError(400, detail, expected="one for each input, or none")
        sent = [Tensor(each.name, list(each.shape[:MOST_DIMENSIONS]), each.datatype) for each in asked.inputs]
        n_values = claimed(tensor.shape for tensor in sent)
        fill = partial(_unpack if raw else _fill, sent, raw or asked.inputs, tensors)
        read = partial(tensors.rows, sent, wanted, fill)

        def render(outputs: Outputs) -> bytes:
            told = _render(tensors.model, tensors.answers(outputs, wanted), raw=bool(raw))
            told.id = asked.id
            return bytes(wrap(told).SerializeToString())

        return await work(tensors, call, n_values, read, render)

    # -- what is not for clients ---------------------------------------------------------------------------------

    async def _elsewhere(self, call: Call, asked: bytes) -> bytes:
        raise ProblemError(501, "models are not loaded and unloaded here", hint="see the admin listener")


def _unpack(sent: list[Tensor], raw: list[bytes], tensors: Tensors) -> None:
    """Give tensors that came as bytes their data."""
    for tensor, piece in zip(sent, raw, strict=True):
        tensor.data = unpacked(tensor, piece, files=tensor.name in tensors.images)


def _fill(sent: list[Tensor], inputs: Any, tensors: Tensors) -> None:
    """Give tensors that came by type their data."""
    for tensor, told in zip(sent, inputs, strict=True):
        field = _FIELDS.get(tensor.datatype)
        values = getattr(told.contents, field) if field else ()
        if not values:
            _check_elsewhere(tensor, told, field or "raw_input_contents")
        tensor.data = _texts(tensor, values, tensors) if tensor.datatype == "BYTES" else list(values)


def _check_elsewhere(tensor: Tensor, told: Any, field: str) -> None:
    """Refuse a tensor whose values are not where its datatype has them; one of no rows has none."""
    used = ", ".join(used.name for used, _ in told.contents.ListFields())
    if used:
        detail = f"input '{tensor.name}' is of datatype {tensor.datatype}, and its values stand elsewhere"
        raise ProblemError(422, detail, field=tensor.name, value=used, expected=field)
    if 0 not in tensor.shape:
        raise ProblemError(422, f"input '{tensor.name}' has no data", field=tensor.name, expected=field)


def _texts(tensor: Tensor, values: Iterable[bytes], tensors: Tensors) -> list[str]:
    if tensor.name in tensors.images:
        return [base64.b64encode(value).decode() for value in values]
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError as error:
        raise ProblemError(422, f"input '{tensor.name}' is not UTF-8", field=tensor.name) from error


def _render(model: Hosted, tensors: Sequence[Tensor], *, raw: bool) -> Any:
    told = _Told(model_name=model.name, model_version=model.version)
    for tensor in tensors:
        form, data = tensor.datatype, tensor.data or []
        out = told.outputs.add(name=tensor.name, datatype=form, shape=tensor.shape)
        if raw:
            told.raw_output_contents.append(packed(form, data))
        else:
            getattr(out.contents, _FIELDS[form]).extend([text.encode() for text in data] if form == "BYTES" else data)
    return told


def _refusal(problem: ProblemError) -> bytes:
    return bytes(_Streamed(error_message=problem.message).SerializeToString())


def _shape(shape: Shape) -> dict[str, Any]:
    return {"name": shape.name, "datatype": shape.datatype, "shape": shape.shape}


def _read(name: str, asked: bytes) -> Any:
    try:
        return message(f"{_PACKAGE}.{name}").FromString(asked)
    except DecodeError as error:
        raise ProblemError(400, f"this is no {name}") from error


def _bytes(name: str, /, **fields: Any) -> bytes:
    return bytes(message(f"{_PACKAGE}.{name}")(**fields).SerializeToString())
