"""Clients of other servers, unchanged, against ours."""

import asyncio
import io
import json

import httpx
import kserve
import numpy as np
import pytest
import requests
import tritonclient.http as triton
from sagemaker.core.deserializers.base import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer
from sagemaker.core.serializers.base import CSVSerializer, JSONLinesSerializer, JSONSerializer
from tritonclient.utils import InferenceServerException

COUNTS = [1, 2, 120]


@pytest.fixture(scope="module")
def client(address):
    with triton.InferenceServerClient(address.removeprefix("http://")) as client:
        yield client


def tensors(rows, *, binary=True):
    made = []
    for name, datatype, dtype in (("age", "FP64", "f8"), ("n", "INT64", "i8"), ("plan", "BYTES", "O")):
        tensor = triton.InferInput(name, [len(rows)], datatype)
        made.append(tensor.set_data_from_numpy(rows[name].to_numpy(dtype), binary_data=binary))
    return made


def test_tritons_client_reads_health_and_metadata(client, scorer):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("churn")
    assert client.is_model_ready("churn", scorer.ship.id[:12])
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert [each["name"] for each in client.get_model_metadata("churn")["inputs"]] == ["age", "n", "plan"]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_tritons_client_gets_the_models_answers(client, model, rows, count, binary_in, binary_out):
    some = rows[:count]
    names = ("probabilities", "prediction")
    outputs = None if binary_out is None else [triton.InferRequestedOutput(n, binary_data=binary_out) for n in names]
    told = client.infer("churn", tensors(some, binary=binary_in), outputs=outputs, request_id="7")
    np.testing.assert_allclose(told.as_numpy("probabilities"), model.predict_proba(some), rtol=0, atol=1e-14)
    expected = model.predict(some)
    labels = told.as_numpy("prediction")
    assert [text.decode() if isinstance(text, bytes) else text for text in labels] == list(expected)
    assert told.get_response()["id"] == "7"
    assert (told.as_numpy("decision") is None) == (outputs is not None)


def test_tritons_client_raises_what_was_refused(client, rows):
    tensor = triton.InferInput("age", [1], "BYTES").set_data_from_numpy(np.array(["forty"], dtype=object))
    with pytest.raises(InferenceServerException, match="expected a number, got the text 'forty'"):
        client.infer("churn", [tensor])
    with pytest.raises(InferenceServerException, match="no model called 'chum'"):
        client.infer("chum", tensors(rows[:1]))


def test_tritons_client_asks_for_many_at_once(address, model, rows):
    with triton.InferenceServerClient(address.removeprefix("http://"), concurrency=4) as client:
        asked = [client.async_infer("churn", tensors(rows[start : start + 1])) for start in range(20)]
        told = np.concatenate([each.get_result().as_numpy("probabilities") for each in asked])
    np.testing.assert_allclose(told, model.predict_proba(rows[:20]), rtol=0, atol=1e-14)


@pytest.mark.parametrize("count", COUNTS)
def test_kserves_client_version_1(address, model, rows, count):
    async def ask():
        async with kserve.InferenceRESTClient(kserve.inference_client.RESTConfig(protocol="v1")) as client:
            assert await client.is_server_live(address)
            assert await client.is_model_ready(address, "churn")
            instances = rows[:count].to_dict("records")
            return await client.infer(address, {"instances": instances}, model_name="churn")

    assert asyncio.run(ask()) == {"predictions": list(model.predict(rows[:count]))}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("binary", [True, False])
def test_kserves_client_version_2(address, model, rows, count, binary):
    inputs = []
    for name, datatype, dtype in (("age", "FP64", "f8"), ("n", "INT64", "i8"), ("plan", "BYTES", "O")):
        tensor = kserve.InferInput(name, [count], datatype)
        values = rows[name][:count].to_numpy(dtype)
        tensor.set_data_from_numpy(np.char.encode(values.astype("U")).astype("O") if dtype == "O" else values, binary)
        inputs.append(tensor)
    request = kserve.InferRequest("churn", inputs, parameters={"binary_data_output": binary})

    async def ask():
        async with kserve.InferenceRESTClient(kserve.inference_client.RESTConfig(protocol="v2")) as client:
            assert await client.is_server_ready(address)
            assert await client.is_model_ready(address, "churn")
            return await client.infer(address, request, model_name="churn")

    told = {output.name: output for output in asyncio.run(ask()).outputs}
    expected = model.predict_proba(rows[:count])
    np.testing.assert_allclose(told["probabilities"].as_numpy(), expected, rtol=0, atol=1e-14)


SERIALIZED = [
    (JSONSerializer(), lambda rows: {"instances": rows.values.tolist()}),
    (JSONSerializer(), lambda rows: rows.to_dict("records")),
    (JSONLinesSerializer(), lambda rows: rows.to_dict("records")),
    (JSONLinesSerializer(), lambda rows: rows.values.tolist()),
    (CSVSerializer(), lambda rows: rows.values.tolist()),
]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("serializer", "sent"), SERIALIZED)
def test_sagemakers_serializers(address, model, rows, count, serializer, sent):
    some = rows[:count]
    expected = list(model.predict(some))
    found = {}
    for deserializer in (JSONDeserializer(), CSVDeserializer(), JSONLinesDeserializer()):
        headers = {"Content-Type": serializer.CONTENT_TYPE, "Accept": deserializer.ACCEPT[0]}
        answer = requests.post(
            f"{address}/invocations", data=serializer.serialize(sent(some)), headers=headers, timeout=9
        )
        assert answer.status_code == 200, answer.text
        found[type(deserializer)] = deserializer.deserialize(io.BytesIO(answer.content), answer.headers["Content-Type"])
    assert found[JSONDeserializer] == {"predictions": expected}
    assert found[CSVDeserializer] == [[label] for label in expected]
    assert [each["prediction"] for each in found[JSONLinesDeserializer]] == expected
    assert requests.get(f"{address}/ping", timeout=9).status_code == 200


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "inputs", "csv"])
def test_frames_as_mlflows_clients_write_them(address, model, rows, form):
    kind = "text/csv" if form == "csv" else "application/json"
    if form == "csv":
        body = rows.to_csv(index=False)
    elif form == "inputs":
        body = json.dumps({form: rows.to_dict("list")})
    else:
        body = json.dumps({form: rows.to_dict(orient=form.removeprefix("dataframe_"))})
    answer = requests.post(f"{address}/invocations", data=body.encode(), headers={"Content-Type": kind}, timeout=9)
    assert answer.json() == {"predictions": list(model.predict(rows))}
    assert httpx.get(f"{address}/version").status_code == 200
