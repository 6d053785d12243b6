"""TensorFlow Serving's REST bodies, and those of version 1 of KServe's protocol."""

import base64
import json

import httpx
import pytest

from shiplap.scoring import load

NAMES = ["age", "plan", "since", "paid"]
ROWS = [
    {"age": 41.5, "plan": "basic", "since": "2013-03-01", "paid": True},
    {"age": None, "plan": "plus", "since": None, "paid": False},
    {"age": 77, "plan": "unheard of", "since": "2014-12-31T10:00:00Z", "paid": None},
]
CELLS = [list(row.values()) for row in ROWS]
PREDICT = "/v1/models/churn:predict"


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="module")
def labels(scorer):
    return scorer.predict(ROWS).tolist()


@pytest.mark.parametrize("rows", [ROWS, CELLS, ROWS[:1]])
def test_the_row_form_gets_predictions(client, scorer, labels, rows):
    told = client.post(PREDICT, json={"instances": rows, "signature_name": "serving_default"}).json()
    assert told == {"predictions": labels[: len(rows)]}
    path = f"/v1/models/churn/versions/{scorer.ship.id[:12]}:predict"
    assert client.post(path, json={"instances": rows}).json() == told


@pytest.mark.parametrize("wrap", [False, True])
def test_the_column_form_gets_outputs(client, labels, wrap):
    columns = {name: [[row[name]] if wrap else row[name] for row in ROWS] for name in NAMES}
    assert client.post(PREDICT, json={"inputs": columns}).json() == {"outputs": labels}
    assert client.post(PREDICT, json={"inputs": CELLS}).json() == {"outputs": labels}


def test_the_signature_name_asks_for_probabilities(client, scorer):
    told = client.post(PREDICT, json={"instances": ROWS, "signature_name": "predict_proba"}).json()
    assert told["predictions"] == [pytest.approx(list(row), rel=1e-15) for row in scorer.predict_proba(ROWS)]


def test_texts_may_come_in_base64(client, labels):
    rows = [{**row, "plan": {"b64": base64.b64encode(row["plan"].encode()).decode()}} for row in ROWS]
    assert client.post(PREDICT, json={"instances": rows}).json() == {"predictions": labels}
    columns = {name: [row[name] for row in rows] for name in NAMES}
    assert client.post(PREDICT, json={"inputs": columns}).json() == {"outputs": labels}
    refused = client.post(PREDICT, json={"instances": [{"plan": {"b64": "/w=="}}]})
    assert (refused.status_code, refused.json()["field"]) == (422, "plan")


def test_classify_gives_the_most_probable_class_first_and_takes_a_context(client, scorer, labels):
    told = client.post("/v1/models/churn:classify", json={"examples": ROWS}).json()["results"]
    assert [each[0][0] for each in told] == labels
    expected = [dict(zip(("no", "yes"), row, strict=True)) for row in scorer.predict_proba(ROWS).tolist()]
    assert [dict(each) for each in told] == [pytest.approx(row, rel=1e-15) for row in expected]
    shared = {"context": {"plan": "plus", "paid": True}, "examples": [{"age": 41}, {"age": 42, "paid": False}]}
    alone = [{"plan": "plus", "paid": True, "age": 41}, {"plan": "plus", "paid": False, "age": 42}]
    answers = [client.post("/v1/models/churn:classify", json=body).json() for body in (shared, {"examples": alone})]
    assert answers[0] == answers[1]


def test_regress_gives_numbers_and_only_a_regression_can(client, start, regression_ship):
    refused = client.post("/v1/models/churn:regress", json={"examples": ROWS})
    assert (refused.status_code, refused.json()["hint"]) == (422, "use :predict or :classify")
    with start(regression_ship) as run:
        told = httpx.post(f"{run.url}/v1/models/delay:regress", json={"examples": ROWS[:2]}).json()
        assert told == {"results": [load(regression_ship).predict_row(ROWS[0]).prediction, None]}
        refused = httpx.post(f"{run.url}/v1/models/delay:classify", json={"examples": ROWS})
        assert "no classes" in refused.json()["error"]
        assert run.stop() == ""


def test_state_and_signature_are_told(client, scorer):
    version = scorer.ship.id[:12]
    for path in ("/v1/models/churn", f"/v1/models/churn/versions/{version}"):
        told = client.get(path).json()
        assert told["model_version_status"][0]["state"] == "AVAILABLE"
        assert (told["name"], told["ready"], told["model_version_status"][0]["version"]) == ("churn", True, version)
        metadata = client.get(f"{path}/metadata").json()
        assert metadata["model_spec"]["name"] == "churn"
        inputs = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]
        assert {name: tensor["dtype"] for name, tensor in inputs.items()} == {
            "age": "DT_DOUBLE",
            "plan": "DT_STRING",
            "since": "DT_STRING",
            "paid": "DT_BOOL",
        }
    assert client.get("/v1/models").json() == {"models": ["churn"]}


@pytest.mark.parametrize(
    ("path", "body", "code", "said"),
    [
        (PREDICT, {"instances": ROWS, "inputs": {}}, 422, "exactly one of instances and inputs"),
        (PREDICT, {"instance": ROWS}, 422, "exactly one of instances and inputs"),
        (PREDICT, {"instances": ROWS, "signature_name": "predict_prob"}, 422, "nothing the model can be asked for"),
        (PREDICT, {"instances": ROWS, "signature_name": {}}, 422, "nothing the model can be asked for"),
        (PREDICT, {"instances": [[1, 2]]}, 422, "row 0: an object, or a list of 4 values"),
        (PREDICT, {"instances": [{"age": 1}, {"age": [1]}]}, 422, "row 1: column 'age'"),
        (PREDICT, {"inputs": {"age": [1, 2], "plan": ["basic"]}}, 422, "one length"),
        (PREDICT, [1], 422, "object"),
        ("/v1/models/chum:predict", {"instances": ROWS}, 404, "no model called 'chum'"),
        ("/v1/models/churn/versions/2:predict", {"instances": ROWS}, 404, "no version '2'"),
        ("/v1/models/churn:predictt", {"instances": ROWS}, 405, "POST is not for this path"),
        ("/v1/models/churn:classify", {"examples": ROWS, "context": 1}, 422, "an object is expected"),
    ],
)
def test_what_does_not_fit_is_refused_with_an_error_that_clients_read(client, path, body, code, said):
    answer = client.post(path, content=json.dumps(body))
    assert answer.status_code == code
    assert said in answer.json()["error"]


def test_long_bodies_are_worked_off_on_a_thread_with_the_same_answer(client, scorer):
    rows = [{"age": index, "plan": "basic"} for index in range(20_000)]
    expected = scorer.predict(rows).tolist()
    assert client.post(PREDICT, json={"instances": rows}, timeout=60).json()["predictions"] == expected
