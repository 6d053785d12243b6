"""Triton's client over gRPC, unchanged, against ours."""

import asyncio
import queue
import select
import subprocess
import sys
import warnings
from collections.abc import Iterator
from unittest import mock

import kserve.protocol.grpc.grpc_predict_v2_pb2 as kserve_messages
import kserve.protocol.grpc.grpc_predict_v2_pb2_grpc as kserve_stubs
import numpy as np
import pytest
from google.protobuf import descriptor_pool
from tritonclient.utils import InferenceServerException

from shiplap.engineer.deploy.serve.rpc.library import grpc, message

POOL = descriptor_pool.DescriptorPool()
# The stubs of KServe and of Triton have messages of the same names, and a pool takes only one of each.
with warnings.catch_warnings(), mock.patch.object(descriptor_pool, "Default", return_value=POOL):
    warnings.simplefilter("ignore")  # what they say the first time they are imported
    import tritonclient.grpc as triton
    from tritonclient.grpc import aio as triton_aio

START = """
import sys
from shiplap.engineer.deploy.serve import serve
serve(sys.argv[1:], port=0, grpc_port=0, ready=lambda places: print(places.grpc, flush=True))
"""
COUNTS = [1, 2, 120]


@pytest.fixture(scope="module")
def place(ship) -> Iterator[str]:
    """Where a server listens; it must not have written a word to standard error at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(ship)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def client(place):
    with triton.InferenceServerClient(place) as client:
        yield client


def tensors(rows):
    made = []
    for name, datatype, dtype in (("age", "FP64", "f8"), ("n", "INT64", "i8"), ("plan", "BYTES", "O")):
        tensor = triton.InferInput(name, [len(rows)], datatype)
        made.append(tensor.set_data_from_numpy(rows[name].to_numpy(dtype)))
    return made


def test_health_and_metadata(client, scorer):
    version = scorer.ship.id[:12]
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("churn")
    assert client.is_model_ready("churn", version)
    assert client.get_server_metadata().name == "shiplap"
    told = client.get_model_metadata("churn", version, as_json=True)
    assert [each["name"] for each in told["inputs"]] == ["age", "n", "plan"]
    assert (told["versions"], told["platform"]) == ([version], "shiplap")


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("named", [False, True])
def test_inference_gets_the_models_answers(client, model, rows, count, named):
    some = rows[:count]
    outputs = [triton.InferRequestedOutput(name) for name in ("probabilities", "prediction")] if named else None
    told = client.infer("churn", tensors(some), outputs=outputs, request_id="7")
    np.testing.assert_allclose(told.as_numpy("probabilities"), model.predict_proba(some), rtol=0, atol=1e-14)
    assert [text.decode() for text in told.as_numpy("prediction")] == list(model.predict(some))
    assert told.get_response().id == "7"
    assert (told.as_numpy("decision") is None) == named


def test_compressed_messages_are_read(client, model, rows):
    told = client.infer("churn", tensors(rows), compression_algorithm="gzip")
    np.testing.assert_allclose(told.as_numpy("probabilities"), model.predict_proba(rows), rtol=0, atol=1e-14)


def test_refusals_are_raised(client, rows):
    tensor = triton.InferInput("age", [1], "BYTES").set_data_from_numpy(np.array(["forty"], dtype=object))
    with pytest.raises(InferenceServerException, match="expected a number, got the text 'forty'") as told:
        client.infer("churn", [tensor])
    assert told.value.status() == "StatusCode.INVALID_ARGUMENT"
    with pytest.raises(InferenceServerException, match="no model called 'chum'") as told:
        client.infer("chum", tensors(rows[:1]))
    assert told.value.status() == "StatusCode.NOT_FOUND"
    for ask in (client.get_model_repository_index, lambda: client.load_model("churn"), client.get_log_settings):
        with pytest.raises(InferenceServerException) as told:
            ask()
        assert told.value.status() == "StatusCode.UNIMPLEMENTED"


def test_many_at_once(client, model, rows):
    answers = queue.Queue()
    for start in range(20):
        some = tensors(rows[start : start + 1])
        client.async_infer("churn", some, lambda result, error: answers.put((result, error)), request_id=str(start))
    told = [answers.get(timeout=20) for _ in range(20)]
    assert [error for _, error in told] == [None] * 20
    ordered = sorted((result for result, _ in told), key=lambda result: int(result.get_response().id))
    found = np.concatenate([result.as_numpy("probabilities") for result in ordered])
    np.testing.assert_allclose(found, model.predict_proba(rows[:20]), rtol=0, atol=1e-14)


def test_a_stream(client, model, rows):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for start in range(5):
        client.async_stream_infer("churn", tensors(rows[start : start + 1]))
    client.async_stream_infer("chum", tensors(rows[:1]))
    client.async_stream_infer("churn", tensors(rows[5:6]))
    told = [answers.get(timeout=20) for _ in range(7)]
    client.stop_stream()
    assert "no model called 'chum'" in str(told[5][1])
    found = [result.as_numpy("probabilities")[0] for result, error in told if error is None]
    np.testing.assert_allclose(found, model.predict_proba(rows[:6]), rtol=0, atol=1e-14)


def test_the_client_for_asyncio(place, model, rows):
    async def ask():
        async with triton_aio.InferenceServerClient(place) as client:
            assert await client.is_server_ready()
            return await asyncio.gather(*(client.infer("churn", tensors(rows[at : at + 1])) for at in range(10)))

    found = np.concatenate([each.as_numpy("probabilities") for each in asyncio.run(ask())])
    np.testing.assert_allclose(found, model.predict_proba(rows[:10]), rtol=0, atol=1e-14)


def test_stubs_of_kserve_send_values_by_type(place, model, rows):
    request = kserve_messages.ModelInferRequest(model_name="churn")
    for name, datatype, field in (
        ("age", "FP64", "fp64_contents"),
        ("n", "INT64", "int64_contents"),
        ("plan", "BYTES", "bytes_contents"),
    ):
        values = [value.encode() if isinstance(value, str) else value for value in rows[name].tolist()]
        request.inputs.add(name=name, datatype=datatype, shape=[len(rows), 1], contents={field: values})
    with grpc.insecure_channel(place) as channel:
        told = kserve_stubs.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert [each.decode() for each in told.outputs[0].contents.bytes_contents] == list(model.predict(rows))
    found = np.reshape(told.outputs[1].contents.fp64_contents, told.outputs[1].shape)
    np.testing.assert_allclose(found, model.predict_proba(rows), rtol=0, atol=1e-14)


@pytest.mark.parametrize("package", [triton.service_pb2, kserve_messages])
def test_our_messages_are_theirs(package):
    """Every field of ours that they know has their number, type and label; they may have more."""
    compared = 0
    for name, theirs in package.DESCRIPTOR.message_types_by_name.items():
        if package is kserve_messages and name.startswith("Repository"):  # its own, which no other server speaks
            continue
        try:
            ours = message(f"inference.{name}").DESCRIPTOR
        except KeyError:
            continue
        compared += _compare(ours, theirs)
    assert compared > 60


def _compare(ours, theirs):
    fields = {each.name: each for each in theirs.fields}
    shared = [each for each in ours.fields if each.name in fields]
    for each in shared:
        other = fields[each.name]
        assert (each.number, each.type, each.is_repeated) == (other.number, other.type, other.is_repeated), (
            each.full_name
        )
    nested = theirs.nested_types_by_name
    return len(shared) + sum(
        _compare(each, nested[name]) for name, each in ours.nested_types_by_name.items() if name in nested
    )
