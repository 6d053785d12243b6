"""Tensors as bytes, in and out, as Triton's extension of the protocol has them."""

import json
import struct

import httpx
import numpy as np
import pytest

INFER = "/v2/models/churn/infer"
HEADER = "Inference-Header-Content-Length"
AGES, PLANS = [41.5, float("nan"), 77.0], ["basic", "", "plus"]
ROWS = [{"age": None if age != age else age, "plan": plan} for age, plan in zip(AGES, PLANS, strict=True)]


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


def texts(values):
    return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)


def sent(name, datatype, data, count):
    parameters = {"binary_data_size": len(data)}
    return {"name": name, "shape": [count], "datatype": datatype, "parameters": parameters}, data


def body_of(*tensors, **members):
    head = json.dumps({"inputs": [tensor for tensor, _ in tensors], **members}).encode()
    return head + b"".join(data for _, data in tensors), {HEADER: str(len(head))}


def post(client, *tensors, **members):
    content, headers = body_of(*tensors, **members)
    return client.post(INFER, content=content, headers={**headers, "Content-Type": "application/octet-stream"})


@pytest.mark.parametrize(("datatype", "dtype"), [("FP64", "<f8"), ("FP32", "<f4"), ("FP16", "<f2")])
@pytest.mark.parametrize("count", [1, 3])
def test_numbers_and_texts_come_as_bytes(client, scorer, datatype, dtype, count):
    ages = np.array(AGES[:count], dtype).tobytes()
    told = post(client, sent("age", datatype, ages, count), sent("plan", "BYTES", texts(PLANS[:count]), count)).json()
    expected = [number for row in ROWS[:count] for number in scorer.predict_row(row).probabilities]
    assert told["outputs"][1]["data"] == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("datatype", ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"])
def test_whole_numbers_of_every_size(client, datatype):
    data = np.array([7, 100], datatype.lower()).tobytes()
    told = post(client, sent("age", datatype, data, 2), sent("paid", "BOOL", b"\x01\x00", 2)).json()
    rows = [{"age": 7, "paid": True}, {"age": 100, "paid": False}]
    plain = client.post("/predict", json=rows).json()
    assert told["outputs"][1]["data"] == [number for each in plain for number in each["probabilities"].values()]


@pytest.mark.parametrize("count", [1, 3, 20_000])
def test_outputs_go_as_bytes_where_that_is_asked_for(client, scorer, count):
    ages = np.arange(count, dtype="<f8")
    answer = post(client, sent("age", "FP64", ages.tobytes(), count), parameters={"binary_data_output": True})
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers[HEADER])
    told, rest = json.loads(answer.content[:length]), answer.content[length:]
    found = {}
    for tensor in told["outputs"]:
        size = tensor["parameters"]["binary_data_size"]
        found[tensor["name"]], rest = rest[:size], rest[size:]
        assert "data" not in tensor
    assert rest == b""
    rows = [{"age": age} for age in ages.tolist()]
    assert np.frombuffer(found["probabilities"]) == pytest.approx(scorer.predict_proba(rows).ravel(), rel=1e-15)
    assert found["prediction"] == texts(scorer.predict(rows).tolist())
    assert found["decision"] == bytes(scorer.decide(rows).tolist())


def test_bytes_and_json_may_be_mixed(client):
    wanted = [{"name": "prediction"}, {"name": "decision", "parameters": {"binary_data": True}}]
    listed = {"name": "plan", "shape": [1], "datatype": "BYTES", "data": ["plus"]}, b""
    answer = post(client, listed, sent("age", "FP64", struct.pack("<d", 90), 1), outputs=wanted)
    length = int(answer.headers[HEADER])
    first, second = json.loads(answer.content[:length])["outputs"]
    plain = client.post("/predict", json={"plan": "plus", "age": 90}).json()
    assert (first["data"], second["parameters"]) == ([plain["prediction"]], {"binary_data_size": 1})
    assert answer.content[length:] == bytes([plain["decision"]])


def test_one_output_can_stay_json_where_all_are_asked_for_as_bytes(client):
    wanted = [{"name": "prediction", "parameters": {"binary_data": False}}]
    members = {"outputs": wanted, "parameters": {"binary_data_output": True}}
    answer = post(client, sent("age", "FP64", struct.pack("<d", 90), 1), **members)
    assert HEADER not in answer.headers
    assert answer.json()["outputs"][0]["data"] == ["yes"]


def test_no_rows_are_no_bytes(client):
    answer = post(client, sent("age", "FP64", b"", 0), parameters={"binary_data_output": True})
    assert [each["parameters"] for each in answer.json()["outputs"]] == [{"binary_data_size": 0}] * 3


@pytest.mark.parametrize(
    ("tensor", "code", "said"),
    [
        (sent("age", "FP64", b"1234567", 1), 422, "7 bytes, no whole number of FP64"),
        (sent("age", "FP64", bytes(16), 1), 422, "has 2 values where its shape says 1"),
        (sent("age", "BF16", bytes(2), 1), 422, "unknown datatype"),
        (sent("plan", "BYTES", b"\x05\x00\x00\x00abc", 1), 422, "ends within an element"),
        (sent("plan", "BYTES", b"\x05\x00", 1), 422, "ends within an element"),
        (sent("plan", "BYTES", b"\x01\x00\x00\x00\xff", 1), 422, "not UTF-8"),
        (sent("age", "BYTES", texts(["forty"]), 1), 422, "expected a number, got the text 'forty'"),
        ((sent("age", "FP64", bytes(8), 1)[0], b"1234"), 400, "binary_data_size that does not fit"),
        ((sent("age", "FP64", bytes(8), 1)[0], bytes(9)), 400, "1 bytes follow"),
        (({"name": "age", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": -1}}, b""), 400, "fit"),
        (({"name": "age", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": "8"}}, b""), 400, "fit"),
        (({"name": "age", "shape": [1], "datatype": "FP64"}, b""), 422, "has no data"),
        (sent("age", "FP64", bytes(8 * 100_001), 100_001), 413, "100000 rows"),
    ],
)
def test_bytes_that_do_not_fit_are_refused(client, tensor, code, said):
    answer = post(client, tensor)
    assert answer.status_code == code
    assert said in answer.json()["error"]


@pytest.mark.parametrize("length", ["-1", "x", "", "9999", "1_0", "٣"])
def test_a_header_that_is_no_length_in_the_body_is_refused(client, length):
    answer = client.post(INFER, content=b"{}", headers={HEADER: length.encode()})
    assert answer.status_code == 400
    assert HEADER in answer.json()["error"]
