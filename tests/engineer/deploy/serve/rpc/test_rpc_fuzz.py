"""Bytes that nobody meant: they are refused as the client's own fault, and others are answered on."""

import asyncio
import random

import grpc
import pytest

from shiplap.engineer.deploy.serve.rpc.library import message

ROW = {"name": "age", "datatype": "FP64", "shape": [1], "contents": {"fp64_contents": [41.0]}}
THEIRS = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"}
MESSAGES = {
    "/inference.GRPCInferenceService/ModelInfer": (
        "inference.ModelInferRequest",
        {"model_name": "churn", "id": "7", "inputs": [ROW], "outputs": [{"name": "decision"}]},
    ),
    "/inference.GRPCInferenceService/ModelMetadata": ("inference.ModelMetadataRequest", {"name": "churn"}),
    "/inference.GRPCInferenceService/RepositoryIndex": ("inference.RepositoryIndexRequest", {"ready": True}),
    "/tensorflow.serving.PredictionService/Predict": (
        "tensorflow.serving.PredictRequest",
        {
            "model_spec": {"name": "churn"},
            "inputs": {"age": {"dtype": 2, "tensor_shape": {"dim": [{"size": 2}]}, "double_val": [41.0]}},
        },
    ),
    "/tensorflow.serving.PredictionService/Classify": (
        "tensorflow.serving.ClassificationRequest",
        {
            "input": {
                "example_list": {"examples": [{"features": {"feature": {"paid": {"int64_list": {"value": [1]}}}}}]}
            }
        },
    ),
    "/tensorflow.serving.PredictionService/GetModelMetadata": (
        "tensorflow.serving.GetModelMetadataRequest",
        {"metadata_field": ["signature_def"]},
    ),
    "/grpc.health.v1.Health/Check": ("grpc.health.v1.HealthCheckRequest", {"service": ""}),
}


def bent(data, chance):
    """Change, drop, add and repeat some bytes."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) + 1)
        act = chance.randrange(4)
        if act == 0:
            made[at : at + 1] = bytes([chance.randrange(256)])
        elif act == 1:
            del made[at : at + chance.randint(1, 8)]
        elif act == 2:
            made[at:at] = chance.randbytes(chance.randint(1, 8))
        else:
            made += made[at:]
    return bytes(made)


@pytest.mark.parametrize("path", MESSAGES)
def test_whatever_comes_is_answered_or_refused(talk, ship, path, capfd):
    kind, fields = MESSAGES[path]
    whole = message(kind)(**fields).SerializeToString()
    chance = random.Random(path)
    sent = [bent(whole, chance) if place % 4 else chance.randbytes(chance.randrange(60)) for place in range(400)]

    async def scenario(talk):
        ask = talk.channel.unary_unary(path)

        async def code(data):
            try:
                await ask(data)
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        codes = await asyncio.gather(*map(code, sent))
        assert await code(whole) in THEIRS
        return set(codes)

    assert talk(scenario, ship) <= THEIRS
    assert capfd.readouterr().err == ""
