"""MLflow's scoring requests and SageMaker's, on the endpoint they share."""

import csv
import io
import json

import httpx
import pytest

NAMES = ["age", "plan", "since", "paid"]
ROWS = [
    {"age": 41.5, "plan": "basic", "since": "2013-03-01", "paid": True},
    {"age": None, "plan": "plus", "since": None, "paid": False},
    {"age": 77, "plan": "unheard of", "since": "2014-12-31T10:00:00Z", "paid": None},
]
CELLS = [list(row.values()) for row in ROWS]
FORMS = {
    "dataframe_split": {"columns": NAMES, "index": [7, 8, 9], "data": CELLS},
    "dataframe_records": ROWS,
    "instances": ROWS,
    "inputs": {name: [row[name] for row in ROWS] for name in NAMES},
}
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="module")
def labels(scorer):
    return [scorer.predict_row(row).prediction for row in ROWS]


def as_csv(rows, *, header):
    text = io.StringIO()
    csv.writer(text).writerows(
        [NAMES] * header + [[str(v).lower() if v is True or v is False else v for v in r] for r in rows]
    )
    return text.getvalue()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_each_form_of_mlflow_gets_its_predictions(client, labels, form, kind):
    assert len(set(labels)) == 2
    answer = client.post("/invocations", content=json.dumps({form: FORMS[form]}), headers={"Content-Type": kind})
    assert answer.json() == {"predictions": labels}
    assert answer.headers["content-type"] == "application/json"


def test_params_say_what_is_asked_for(client, scorer):
    body = {"dataframe_records": ROWS, "params": {"predict_method": "predict_proba"}}
    told = client.post("/invocations", json=body).json()["predictions"]
    assert told == [pytest.approx(scorer.predict_row(row).probabilities, rel=1e-15) for row in ROWS]
    body["params"] = {"predict_method": "decide"}
    assert client.post("/invocations", json=body).json()["predictions"] == scorer.decide(ROWS).tolist()
    body["params"] = {"predict_method": "predict_probability"}
    refused = client.post("/invocations", json=body)
    assert (refused.status_code, refused.json()["hint"]) == (422, "did you mean 'predict_proba'?")


@pytest.mark.parametrize("columns", [NAMES, None, [*NAMES, "more"]])
def test_a_split_frame_may_leave_out_its_columns_or_have_more(client, labels, columns):
    table = {"data": [[*row, *["x"] * (len(columns or NAMES) - 4)] for row in CELLS]}
    body = {"dataframe_split": table if columns is None else {**table, "columns": columns}}
    assert client.post("/invocations", json=body).json()["predictions"] == labels


@pytest.mark.parametrize("header", [True, False])
def test_csv_with_and_without_a_header(client, labels, header):
    headers = {"Content-Type": "text/csv"}
    answer = client.post("/invocations", content=as_csv(CELLS, header=header), headers=headers)
    assert answer.json() == {"predictions": labels}


def test_csv_can_say_whether_it_has_a_header_and_leave_columns_out(client, scorer):
    headers = {"Content-Type": "text/csv; header=absent"}
    refused = client.post("/invocations", content="age,basic,,\n", headers=headers)
    assert refused.status_code == 422
    assert refused.json()["field"] == "age"
    few = client.post("/invocations", content="plan,age\r\nplus,77\r\n", headers={"Content-Type": "text/csv"})
    assert few.json()["predictions"] == [scorer.predict_row({"plan": "plus", "age": 77}).prediction]


def test_plain_json_and_json_lines_of_sagemaker(client, labels):
    assert client.post("/invocations", json=ROWS[0]).json() == {"predictions": labels[:1]}
    assert client.post("/invocations", json=CELLS[0]).json() == {"predictions": labels[:1]}
    assert client.post("/invocations", json=CELLS).json() == {"predictions": labels}
    assert client.post("/invocations", json=ROWS).json() == {"predictions": labels}
    lines = "\n".join([json.dumps(ROWS[0]), json.dumps(CELLS[1]), json.dumps({"features": CELLS[2]})])
    for kind in ("application/jsonlines", "application/x-ndjson"):
        answer = client.post("/invocations", content=lines, headers={"Content-Type": kind})
        assert answer.json() == {"predictions": labels}


@pytest.mark.parametrize("count", [1, 3])
def test_accept_chooses_the_answer(client, scorer, labels, count):
    told = {}
    for accept in ("text/csv", "application/jsonlines", "*/*", "text/html, text/csv;q=0.5"):
        answer = client.post("/invocations", json=ROWS[:count], headers={"Accept": accept})
        told[accept] = (answer.headers["content-type"], answer.text)
    lines = "".join(f"{label}\n" for label in labels[:count])
    assert told["text/csv"] == told["text/html, text/csv;q=0.5"] == ("text/csv", lines)
    assert told["*/*"][0] == "application/json"
    kind, text = told["application/jsonlines"]
    assert kind == "application/jsonlines"
    answers = [json.loads(line) for line in text.splitlines()]
    assert [each["prediction"] for each in answers] == labels[:count]
    assert tuple(answers[0]["probabilities"].values()) == pytest.approx(scorer.predict_row(ROWS[0]).probabilities)
    refused = client.post("/invocations", json=ROWS, headers={"Accept": "application/x-npy"})
    assert (refused.status_code, refused.json()["value"]) == (406, "application/x-npy")


def test_custom_attributes_ask_for_probabilities(client, scorer):
    headers = {"Content-Type": "text/csv", "Accept": "text/csv", ATTRIBUTES: "predict_method=predict_proba"}
    told = client.post("/invocations", content=as_csv(CELLS, header=False), headers=headers).text
    for line, row in zip(told.splitlines(), ROWS, strict=True):
        assert tuple(map(float, line.split(","))) == pytest.approx(scorer.predict_row(row).probabilities, rel=1e-15)


def test_health_and_version(client):
    assert client.get("/ping").status_code == 200
    assert client.get("/version").text.startswith("0.")


@pytest.mark.parametrize(
    ("body", "kind", "code", "said"),
    [
        ('{"instances": [{"age": 1}], "inputs": {"age": [1]}}', "application/json", 422, "exactly one form"),
        ('{"instances": [{"age": "forty"}]}', "application/json", 422, "expected a number, got the text 'forty'"),
        ('{"instances": [{"age": 1}, {"age": "x"}]}', "application/json", 422, "row 1: column 'age'"),
        ('{"instances": [{"agee": 1}]}', "application/json", 422, "none of the model's columns"),
        ('{"instances": [1, 2]}', "application/json", 422, "row 0: an object, or a list of 4 values"),
        ('{"instances": [{"age": NaN}]}', "application/json", 400, "JSON is malformed"),
        ('{"instances": 3}', "application/json", 422, "array"),
        ('{"inputs": {"age": [1], "plan": []}}', "application/json", 422, "one length"),
        ('{"inputs": {"age": 1}}', "application/json", 422, "array"),
        ('{"inputs": {}}', "application/json", 422, "one length"),
        (
            '{"dataframe_split": {"columns": ["age", "age"], "data": [[1, 2]]}}',
            "application/json",
            422,
            "more than once",
        ),
        (
            '{"dataframe_split": {"columns": ["age"], "data": [[1], [1, 2]]}}',
            "application/json",
            422,
            "row 1: 1 values",
        ),
        ('{"dataframe_split": [1]}', "application/json", 422, "object"),
        ("[" * 40, "application/json", 400, "deeper"),
        ('{"a', "application/json", 400, "truncated"),
        ("", "application/json", 400, "empty"),
        ("age\n1\n1,2\n", "text/csv", 422, "row 1: 1 values are expected, not 2"),
        ('age\n"1', "text/csv", 400, "not CSV"),
        ("1,2\n", "text/csv", 422, "row 0: 4 values"),
        ("age\nforty\n", "text/csv", 422, "expected a number"),
        (b"age\n\xff\n", "text/csv", 400, "not UTF-8"),
        ("age\n" + "1\n" * 100_001, "text/csv", 413, "100000 rows"),
        ("1", "application/x-npy", 415, "expected to be"),
        ('{"age": 1}\nx', "application/jsonlines", 400, "malformed"),
    ],
)
def test_what_does_not_fit_is_refused_where_mlflows_client_looks(client, body, kind, code, said):
    answer = client.post("/invocations", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (code, "application/problem+json")
    assert said in answer.json()["message"] == answer.json()["detail"]


@pytest.mark.parametrize(
    "row",
    [
        {"age": "41", "plan": "basic"},
        {"age": None, "nothing": 3},
        {"plan": "unseen", "paid": "Y"},
        {"age": True, "plan": 3},
        {"age": 10**30},
        {"age": "?", "plan": ""},
    ],
)
def test_a_value_means_what_it_means_to_predict(client, row):
    expected = list(client.post("/predict", json=row).json()["probabilities"].values())
    body = {"params": {"predict_method": "predict_proba"}}
    for form, sent in (
        ("dataframe_records", [row]),
        ("inputs", {name: [value] for name, value in row.items()}),
        ("dataframe_split", {"columns": list(row), "data": [list(row.values())]}),
    ):
        assert client.post("/invocations", json={**body, form: sent}).json()["predictions"] == [expected]


def test_no_rows_are_no_predictions(client):
    assert client.post("/invocations", json={"dataframe_records": []}).json() == {"predictions": []}
    assert client.post("/invocations", json={"dataframe_split": {"columns": ["age"], "data": []}}).status_code == 200


def test_long_bodies_are_worked_off_on_a_thread_with_the_same_answer(client, scorer):
    rows = [{"age": index, "plan": "basic"} for index in range(20_000)]
    expected = scorer.predict(rows).tolist()
    assert client.post("/invocations", json={"dataframe_records": rows}, timeout=60).json()["predictions"] == expected
    lines = "plan,age\n" + "".join(f"basic,{index}\n" for index in range(20_000))
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    assert client.post("/invocations", content=lines, headers=headers, timeout=60).text.split() == expected


def test_several_models_are_named_in_the_path(start, ship, regression_ship):
    with start(ship, regression_ship) as run:
        refused = httpx.post(f"{run.url}/invocations", json=ROWS)
        assert refused.status_code == 404
        assert refused.json()["expected"] == "/models/churn/invoke, /models/delay/invoke"
        told = httpx.post(f"{run.url}/models/delay/invoke", json={"instances": ROWS}).json()
        assert [type(value) for value in told["predictions"]] == [float, type(None), type(None)]
        assert httpx.post(f"{run.url}/models/chum/invoke", json=ROWS).json()["hint"] == "did you mean 'churn'?"
        assert run.stop() == ""
