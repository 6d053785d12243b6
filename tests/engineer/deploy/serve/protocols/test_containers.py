"""What Vertex AI, Azure ML and TorchServe ask of a server that runs in their place."""

import httpx
import pytest
from click.testing import CliRunner
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import shiplap as sl
from shiplap.cli.serve import command
from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.protocols import Vertex

NAMES = ["age", "plan", "since", "paid"]
ROWS = [
    {"age": 41.5, "plan": "basic", "since": "2013-03-01", "paid": True},
    {"age": None, "plan": "plus", "since": None, "paid": False},
    {"age": 77, "plan": "unheard of", "since": "2014-12-31T10:00:00Z", "paid": None},
]
CELLS = [list(row.values()) for row in ROWS]


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="module")
def labels(scorer):
    return scorer.predict(ROWS).tolist()


@pytest.mark.parametrize(
    ("predict", "health"), [("/v1/endpoints/1/deployedModels/2:predict", "/alive"), ("/predict", "/health")]
)
def test_vertex_says_in_the_environment_where_it_asks(start, ship, scorer, labels, monkeypatch, predict, health):
    monkeypatch.setenv("AIP_PREDICT_ROUTE", predict)
    monkeypatch.setenv("AIP_HEALTH_ROUTE", health)
    with start(ship) as run, httpx.Client(base_url=run.url) as client:
        assert client.get(health).json() == {"healthy": True}
        assert client.post(predict, json={"instances": CELLS, "parameters": {}}).json() == {"predictions": labels}
        body = {"instances": ROWS[:1], "parameters": {"predict_method": "predict_proba"}}
        told = client.post(predict, json=body).json()["predictions"]
        assert told == [pytest.approx(scorer.predict_row(ROWS[0]).probabilities, rel=1e-15)]
        assert client.post(predict, json={"rows": ROWS}).json()["error"] == "an object with instances is expected"
        described = client.get("/openapi.json").json()["paths"]
        assert described[predict]["post"]["tags"] == ["Google Vertex AI"]
        assert run.stop() == ""


def test_a_route_of_vertex_that_is_no_path_is_refused():
    with pytest.raises(InputError, match="AIP_HEALTH_ROUTE is expected to be a path"):
        Vertex(Fleet({}), {"AIP_HEALTH_ROUTE": "health"})


@pytest.mark.parametrize("variable", ["AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT"])
def test_the_port_may_stand_in_the_environment(ship, variable):
    told = CliRunner().invoke(command, [str(ship)], env={variable: "70000"})
    assert told.exit_code == 2
    assert "70000 is not in the range 0<=x<=65535" in told.output


def test_azure_gets_an_array_for_the_bodies_its_clients_send(client, scorer, labels):
    table = {"columns": NAMES, "index": [0, 1, 2], "data": CELLS}
    for body in ({"input_data": table}, {"input_data": CELLS}, {"data": ROWS}, {"data": CELLS}):
        assert client.post("/score", json=body).json() == labels
    assert client.post("/score", json={"Inputs": {"data": ROWS}}).json() == {"Results": labels}
    asked = {"Inputs": {"data": ROWS}, "GlobalParameters": {"method": "predict_proba"}}
    told = client.post("/score", json=asked).json()["Results"]
    assert told == [pytest.approx(list(row), rel=1e-15) for row in scorer.predict_proba(ROWS)]
    asked = {"input_data": table, "params": {"predict_method": "decide"}}
    assert client.post("/score", json=asked).json() == scorer.decide(ROWS).tolist()


def test_azures_description_leads_to_an_answer(client):
    described = client.get("/swagger.json").json()
    assert described["swagger"] == "2.0"
    schema = described["paths"]["/score"]["post"]["parameters"][0]["schema"]
    columns = schema["properties"]["data"]["items"]["properties"]
    row = {name: column["example"] for name, column in columns.items()}
    assert len(client.post("/score", json={"data": [row]}).json()) == 1
    assert client.get("/swagger.json?version=4").status_code == 404
    assert client.get("/").status_code == 200


def test_torchserve_gets_probabilities_by_class(client, scorer, labels):
    one = client.post("/predict", json=ROWS[0]).json()["probabilities"]
    for path in ("/predictions/churn", f"/predictions/churn/{scorer.ship.id[:12]}"):
        assert client.post(path, json=ROWS[0]).json() == one
        assert client.post(path, json={"data": ROWS[0]}).json() == one
        many = client.post(path, json=ROWS).json()
        assert [max(each, key=each.get) for each in many] == labels
        assert client.post(path, json={"body": CELLS}).json() == many
        assert client.post(path, json={"instances": ROWS}).json() == {"predictions": many}
    assert client.get("/ping").json() == {"status": "Healthy"}


def test_torchserve_takes_a_bare_text(start, tmp_path):
    texts = ["free prize, call now", "see you at the café", "WIN a free holiday", "I'm late, 5 minutes"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts * 2, [1, 0, 1, 0] * 2)
    path = tmp_path / "spam.ship"
    sl.pack(model, texts, path=path)
    expected = model.predict_proba(texts)[:, 1].tolist()
    with start(path) as run:
        url = f"{run.url}/predictions/spam"
        told = [
            httpx.post(url, content=text.encode(), headers={"Content-Type": kind}).json()["1"]
            for kind in ("text/plain", "")
            for text in texts
        ]
        assert told == pytest.approx([*expected, *expected], abs=1e-12)
        assert httpx.post(url, json={"text": texts[0]}).json()["1"] == pytest.approx(expected[0], abs=1e-12)
        assert httpx.post(url, content=b"\xff").status_code == 400
        rows = {"instances": texts}
        assert httpx.post(f"{run.url}/v1/models/spam:predict", json=rows).json() == {"predictions": [1, 0, 1, 0]}
        assert run.stop() == ""


@pytest.mark.parametrize(
    ("path", "body", "code", "said"),
    [
        ("/score", {"data": ROWS, "input_data": ROWS}, 422, "exactly one form"),
        ("/score", {"rows": ROWS}, 422, "exactly one form"),
        ("/score", {"data": [{"age": "forty"}]}, 422, "expected a number, got the text 'forty'"),
        ("/score", {"Inputs": {}}, 422, "one array of rows"),
        ("/score", {"input_data": {"columns": ["age"], "data": [[1, 2]]}}, 422, "row 0: 1 values"),
        ("/score", {"data": ROWS, "params": {"predict_method": "no"}}, 422, "nothing the model can be asked for"),
        ("/predictions/chum", ROWS, 404, "no model called 'chum'"),
        ("/predictions/churn/2", ROWS, 404, "no version '2'"),
        ("/predictions/churn", {"agee": 1}, 422, "none of the model's columns"),
        ("/predictions/churn", [ROWS[0], {"paid": "maybe"}], 422, "row 1: column 'paid'"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_message(client, path, body, code, said):
    answer = client.post(path, json=body)
    assert answer.status_code == code
    assert said in answer.json()["message"]


def test_several_models_leave_out_what_cannot_name_one(start, ship, regression_ship):
    with start(ship, regression_ship) as run:
        assert httpx.post(f"{run.url}/score", json={"data": ROWS}).json()["expected"].startswith("/v1/models/churn:")
        numbers = httpx.post(f"{run.url}/predictions/delay", json=ROWS).json()
        assert [type(number) for number in numbers] == [float, type(None), type(None)]
        assert run.stop() == ""
