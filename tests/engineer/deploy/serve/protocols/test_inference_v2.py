"""The Open Inference Protocol v2, as its specification has it."""

import httpx
import msgspec
import pytest

from shiplap.scoring import load

ROWS = [
    {"age": 41.5, "plan": "basic", "since": "2013-03-01", "paid": True},
    {"age": None, "plan": "plus", "since": None, "paid": False},
    {"age": 7.0, "plan": "unheard of", "since": "2014-12-31T10:00:00Z", "paid": None},
]
DATATYPES = {"age": "FP64", "plan": "BYTES", "since": "BYTES", "paid": "BOOL"}
INFER = "/v2/models/churn/infer"


def tensor(name, datatype, data, shape=None):
    return {"name": name, "shape": [len(data)] if shape is None else shape, "datatype": datatype, "data": data}


def tensors(rows, shape=None):
    return [tensor(name, kind, [row[name] for row in rows], shape) for name, kind in DATATYPES.items()]


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


def test_server_health_and_metadata(client):
    assert client.get("/v2/health/live").json()["live"] is True
    assert client.get("/v2/health/ready").status_code == 200
    assert client.get("/v2").json()["name"] == "shiplap"
    assert client.get("/v2").json().keys() == {"name", "version", "extensions"}


def test_model_metadata_is_true(client, scorer):
    version = scorer.ship.id[:12]
    for path in ("/v2/models/churn", f"/v2/models/churn/versions/{version}"):
        told = client.get(path).json()
        assert (told["name"], told["versions"], told["platform"]) == ("churn", [version], "shiplap")
        assert {each["name"]: each["datatype"] for each in told["inputs"]} == DATATYPES
        assert told["outputs"] == [
            {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
            {"name": "decision", "datatype": "BOOL", "shape": [-1]},
        ]
        assert client.get(f"{path}/ready").json() == {"name": "churn", "ready": True}


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("nested", [False, True])
def test_inference_answers_as_the_scorer(client, scorer, count, nested):
    rows = ROWS[:count]
    inputs = tensors(rows)
    if nested:
        inputs = [{**each, "shape": [count, 1], "data": [[value] for value in each["data"]]} for each in inputs]
    told = client.post(INFER, json={"id": "42", "inputs": inputs}).json()
    answers = [scorer.predict_row(row) for row in rows]
    assert (told["model_name"], told["model_version"], told["id"]) == ("churn", scorer.ship.id[:12], "42")
    prediction, probabilities, decision = told["outputs"]
    assert prediction == tensor("prediction", "BYTES", [answer.prediction for answer in answers])
    assert decision == tensor("decision", "BOOL", [answer.decision for answer in answers])
    assert probabilities["shape"] == [count, 2]
    flat = [number for answer in answers for number in answer.probabilities]
    assert probabilities["data"] == pytest.approx(flat, rel=1e-15)


def test_only_the_outputs_asked_for_come_in_their_order(client):
    body = {"inputs": tensors(ROWS), "outputs": [{"name": "decision"}, {"name": "prediction"}]}
    told = client.post(INFER, json=body).json()
    assert [each["name"] for each in told["outputs"]] == ["decision", "prediction"]
    assert "id" not in told


def test_columns_left_out_are_missing_and_unknown_ones_ignored(client):
    few = client.post(INFER, json={"inputs": [tensor("age", "INT32", [41])]}).json()
    more = client.post(INFER, json={"inputs": [tensor("age", "FP32", [41.0]), tensor("x", "BYTES", ["y"])]}).json()
    assert few == more
    one = client.post("/predict", json={"age": 41}).json()
    assert few["outputs"][1]["data"] == list(one["probabilities"].values())


@pytest.mark.parametrize(
    ("inputs", "code", "said"),
    [
        ([], 422, "at least one input"),
        ([tensor("age", "FP63", [1])], 422, "unknown datatype"),
        ([tensor("age", "FP64", ["1"])], 422, "of datatype FP64"),
        ([tensor("age", "FP64", [True])], 422, "of datatype FP64"),
        ([tensor("age", "INT64", [1.5])], 422, "of datatype INT64"),
        ([tensor("paid", "BOOL", [1])], 422, "of datatype BOOL"),
        ([tensor("plan", "BYTES", [1])], 422, "of datatype BYTES"),
        ([tensor("age", "FP64", [1, 2], [3])], 422, "has 2 values where its shape says 3"),
        ([tensor("age", "FP64", [1, 2], [1, 2])], 422, "shape"),
        ([tensor("age", "FP64", [1, 2]), tensor("paid", "BOOL", [True])], 422, "shape"),
        ([tensor("age", "FP64", [], [])], 422, "shape"),
        ([tensor("agee", "FP64", [1])], 422, "none of the model's columns"),
        ([tensor("since", "BYTES", ["tomorrow"])], 422, "expected a date"),
        ([{"name": "age"}], 422, "shape"),
        ([tensor("age", "FP64", [1] * 100_001)], 413, "100000 rows"),
        ([tensor("age", "FP64", [-5], [-1])], 422, "shape says -1"),
    ],
)
def test_what_does_not_fit_is_refused_with_an_error_that_clients_read(client, inputs, code, said):
    answer = client.post(INFER, json={"inputs": inputs})
    assert answer.status_code == code
    assert said in answer.json()["error"]


def test_no_rows_are_no_answers(client):
    told = client.post(INFER, json={"inputs": [tensor("age", "FP64", [])]}).json()
    assert [each["data"] for each in told["outputs"]] == [[], [], []]


def test_unknown_names_are_refused(client):
    assert client.get("/v2/models/chum").json()["error"].startswith("no model called 'chum'")
    assert client.get("/v2/models/churn/versions/9/ready").status_code == 404
    answer = client.post(INFER, json={"inputs": tensors(ROWS), "outputs": [{"name": "odds"}]})
    assert answer.status_code == 422
    assert answer.json()["expected"] == "prediction, probabilities, decision"


def test_a_regression_gives_numbers_and_null_for_nan(start, regression_ship):
    scorer = load(regression_ship)
    with start(regression_ship) as run:
        told = httpx.post(f"{run.url}/v2/models/delay/infer", json={"inputs": tensors(ROWS[:2])}).json()
        number = scorer.predict_row(ROWS[0]).prediction
        assert told["outputs"] == [tensor(name, "FP64", [number, None]) for name in ("prediction", "decision")]
        assert run.stop() == ""


def test_a_long_inference_is_worked_off_on_a_thread_with_the_same_answer(client, scorer):
    rows = [{**ROWS[0], "age": float(index)} for index in range(20_000)]
    told = client.post(INFER, content=msgspec.json.encode({"inputs": tensors(rows)}), timeout=60).json()
    expected = scorer.predict_proba(rows).ravel().tolist()
    assert told["outputs"][1]["data"] == pytest.approx(expected, rel=1e-15)
