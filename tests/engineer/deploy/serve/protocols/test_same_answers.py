"""One row means one thing: over every protocol, in `shiplap score`, and to the original model."""

import csv
import io
import json

import grpc
import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import shiplap as sl
from shiplap.core.errors import RowError, ShiplapError
from shiplap.engineer.deploy.serve.protocols.binary import packed
from shiplap.engineer.deploy.serve.rpc.library import message
from shiplap.scoring import load, score

NAMES = ["age", "fare", "plan"]
ROWS = {
    "usual": {"age": 41.5, "fare": 3.25, "plan": "basic"},
    "whole numbers": {"age": 41, "fare": -3, "plan": "plus"},
    "null": {"age": None, "fare": 1.0, "plan": None},
    "not there": {"age": 7.5},
    "unseen category": {"age": 1.0, "fare": 2.0, "plan": "unheard of"},
    "letters of any script": {"age": 1.0, "fare": 2.0, "plan": "größer 日本 🚢"},
    "a known one too": {"age": 1.0, "fare": 2.0, "plan": "größe"},
    "a big whole number": {"age": 9_007_199_254_740_993, "fare": 0.0, "plan": "basic"},
    "beyond 64 bits": {"age": 2**70 + 1, "fare": 0.0, "plan": "basic"},
    "very small": {"age": 5e-324, "fare": -0.0, "plan": "basic"},
    "very large": {"age": 1e15, "fare": 1.0, "plan": "basic"},
}
"""Rows that the original takes as they are."""
SPELLED = {
    "a number as text": {"age": "41.5", "fare": " 1e1 ", "plan": "basic"},
    "true and false": {"age": True, "fare": False, "plan": "basic"},
    "an empty text": {"age": "", "fare": 1.0, "plan": ""},
    "not a number, as text": {"age": "nan", "fare": 1.0, "plan": "basic"},
    "a column it does not know": {"age": 1.0, "fare": 2.0, "plan": "basic", "other": "x"},
    "only columns it does not know": {"other": 1.0},
    "a word for a number": {"age": "forty", "fare": 1.0, "plan": "basic"},
    "a number that is no category": {"age": 1.0, "fare": 1.0, "plan": 7},
}


@pytest.fixture(scope="module")
def model():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"age": random.normal(40, 9, 400), "fare": random.normal(size=400)})
    X["plan"] = random.choice(["basic", "plus", "größe"], 400)
    y = np.where(X.age + 9 * X.fare + 9 * (X.plan == "plus") > 42, "yes", "no")
    X.loc[::7, "age"] = np.nan
    X.loc[::11, "plan"] = None
    parts = [("number", SimpleImputer(), ["age", "fare"]), ("text", OneHotEncoder(handle_unknown="ignore"), ["plan"])]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression(C=0.01)).fit(X, y), X


@pytest.fixture(scope="module")
def ship(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("same") / "same.ship"
    sl.pack(model[0], model[1], path=path, name="same")
    return path


@pytest.fixture(scope="module")
def client(ship, start):
    with start(ship, grpc_port=0) as run, httpx.Client(base_url=run.url, timeout=30) as client:
        with grpc.insecure_channel(run.addresses.grpc) as client.rpc:
            yield client
        assert run.stop() == ""


def chances(answers):
    return [answer["probabilities"]["yes"] for answer in answers]


def post(client, path, body, kind="application/json", **headers):
    """Return the decoded answer, or None where the rows are refused as such."""
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = client.post(path, content=content, headers={"content-type": kind, **headers})
    assert answer.status_code in {200, 422}, answer.text
    return answer if answer.status_code == 200 else None


def told(answer, member="predictions"):
    if answer is None:
        return None
    found = answer.json()
    return [each[1] for each in (found[member] if member else found)]


def as_csv(rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    spelled = {True: "1", False: "0", None: ""}  # a text that says "true" is no number
    for row in rows:
        writer.writerow(
            {name: spelled[value] if value is None or isinstance(value, bool) else value for name, value in row.items()}
        )
    return text.getvalue()


def arrow(client, rows):
    try:
        table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    except OverflowError:
        pytest.skip("Arrow has no whole numbers that large")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    answer = post(client, "/predict", sink.getvalue().to_pybytes(), "application/vnd.apache.arrow.stream")
    return answer and chances(pa.ipc.open_stream(answer.content).read_all().to_pylist())


KINDS = {bool: "BOOL", str: "BYTES", float: "FP64", int: "FP64", type(None): "FP64"}


def tensors(rows):
    return [
        {"name": name, "shape": [len(rows)], "datatype": KINDS[type(value)], "data": [row[name] for row in rows]}
        for name, value in rows[0].items()
    ]


def v2(client, rows):
    answer = post(client, "/v2/models/same/infer", {"inputs": tensors(rows)})
    return answer and [float(each) for each in answer.json()["outputs"][1]["data"][1::2]]


def as_bytes(rows):
    """Return tensors without data, and their data, in which a number that is not there is NaN."""
    inputs = tensors(rows)
    data = [[float("nan") if value is None else value for value in each.pop("data")] for each in inputs]
    return inputs, [packed(each["datatype"], values) for each, values in zip(inputs, data, strict=True)]


def v2_bytes(client, rows):
    inputs, pieces = as_bytes(rows)
    for each, piece in zip(inputs, pieces, strict=True):
        each["parameters"] = {"binary_data_size": len(piece)}
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    length = {"inference-header-content-length": str(len(head))}
    answer = post(client, "/v2/models/same/infer", head + b"".join(pieces), "application/octet-stream", **length)
    if answer is None:
        return None
    start = int(answer.headers["inference-header-content-length"])
    told = json.loads(answer.content[:start])["outputs"]
    for output in told:
        end = start + output["parameters"]["binary_data_size"]
        if output["name"] == "probabilities":
            return np.frombuffer(answer.content[start:end], "<f8")[1::2].tolist()
        start = end
    raise AssertionError(told)


def v2_rpc(client, rows):
    inputs, pieces = as_bytes(rows)
    asked = message("inference.ModelInferRequest")(model_name="same", inputs=inputs, raw_input_contents=pieces)
    infer = client.rpc.unary_unary(
        "/inference.GRPCInferenceService/ModelInfer",
        request_serializer=lambda asked: asked.SerializeToString(),
        response_deserializer=message("inference.ModelInferResponse").FromString,
    )
    try:
        told = infer(asked, timeout=30)
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT  # noqa: PT017
        return None
    (place,) = (place for place, each in enumerate(told.outputs) if each.name == "probabilities")
    return np.frombuffer(told.raw_output_contents[place], "<f8")[1::2].tolist()


PROBA = {"params": {"predict_method": "predict_proba"}}
PROTOCOLS = {
    "one by one": lambda client, rows: (
        None
        if None in (each := [post(client, "/predict", row) for row in rows])
        else chances(answer.json() for answer in each)
    ),
    "array": lambda client, rows: (answer := post(client, "/predict", rows)) and chances(answer.json()),
    "lines": lambda client, rows: (
        (answer := post(client, "/predict", "\n".join(map(json.dumps, rows)), "application/x-ndjson"))
        and chances(json.loads(line) for line in answer.text.splitlines())
    ),
    "csv": lambda client, rows: (
        (answer := post(client, "/predict", as_csv(rows), "text/csv")) and chances(answer.json())
    ),
    "arrow": arrow,
    "v2": v2,
    "v2 as bytes": v2_bytes,
    "v2 over gRPC": v2_rpc,
    "v1": lambda client, rows: told(
        post(client, "/v1/models/same:predict", {"instances": rows, "signature_name": "predict_proba"})
    ),
    "v1 columns": lambda client, rows: told(
        post(
            client,
            "/v1/models/same:predict",
            {"inputs": {name: [row[name] for row in rows] for name in rows[0]}, "signature_name": "predict_proba"},
        ),
        "outputs",
    ),
    "mlflow split": lambda client, rows: told(
        post(
            client,
            "/invocations",
            {"dataframe_split": {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}, **PROBA},
        )
    ),
    "mlflow records": lambda client, rows: told(post(client, "/invocations", {"dataframe_records": rows, **PROBA})),
    "sagemaker csv": lambda client, rows: told(
        post(
            client,
            "/invocations",
            as_csv(rows),
            "text/csv; header=present",
            **{"x-amzn-sagemaker-custom-attributes": "predict_method=predict_proba"},
        )
    ),
    "azure": lambda client, rows: told(post(client, "/score", {"input_data": rows, **PROBA}), ""),
    "torchserve": lambda client, rows: (
        (answer := post(client, "/predictions/same", rows)) and [each["yes"] for each in answer.json()]
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [*ROWS, *SPELLED])
def test_a_row_is_answered_as_by_the_scorer(client, ship, protocol, name):
    row = {**ROWS, **SPELLED}[name]
    meant = json.loads(json.dumps(row))
    if "csv" in protocol:  # which has no null, but empty texts
        meant = {name: "" if value is None else value for name, value in row.items()}
    try:
        expected = load(ship).predict_row(meant).probabilities[1]
    except RowError:
        expected = None
    for count in (1, 3):
        found = PROTOCOLS[protocol](client, [row] * count)
        assert found == (None if expected is None else pytest.approx([expected] * count, rel=1e-13)), (row, expected)


@pytest.mark.parametrize("name", ROWS)
def test_the_scorer_answers_as_the_original(model, ship, name):
    row = ROWS[name]
    X = pd.DataFrame([{each: row.get(each) for each in NAMES}]).astype(model[1].dtypes)
    expected = model[0].predict_proba(X)[0, 1]
    assert load(ship).predict_row(row).probabilities[1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [*ROWS, *SPELLED])
def test_score_answers_as_the_scorer(ship, tmp_path, name):
    row = {**ROWS, **SPELLED}[name]
    source, output = tmp_path / "rows.jsonl", tmp_path / "answers.csv"
    source.write_text(json.dumps(row) + "\n")
    try:
        expected = load(ship).predict_row(row).probabilities[1]
    except RowError:
        with pytest.raises(ShiplapError):
            score(ship, source, output)
        return
    score(ship, source, output)
    with output.open() as file:
        assert float(next(csv.DictReader(file))["probability"]) == pytest.approx(expected, rel=1e-13)
