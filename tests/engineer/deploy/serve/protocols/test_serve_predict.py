"""``POST /predict`` answers as the scorer does, whatever is sent."""

import json
import math

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiplap.core.errors import RowError
from shiplap.scoring import load

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["41", " 7.5 ", "1e3", "nan", "inf", "?", "", "basic", "plus", "3", "Y", "N", "true", "2013-03-01"]
    ),
    st.sampled_from(["2013-01-01T05:00:00Z", "2013/1/2", "NaN", "ünïcode", "\u0000", "0x10", "1_000", "-0"]),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)
ROWS = st.dictionaries(st.sampled_from(["age", "plan", "since", "paid", "unknown", "Age", ""]), VALUES, max_size=6)


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


def expected_of(scorer, row):
    """Return the scorer's own answer to a row as it comes out of JSON, or None where it refuses it."""
    try:
        answer = scorer.predict_row(row)
    except RowError:
        return None
    return {
        "prediction": answer.prediction,
        "probabilities": dict(zip(["no", "yes"], answer.probabilities, strict=True)),
        "decision": answer.decision,
    }


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(row=ROWS)
def test_one_row_is_answered_as_by_the_scorer(client, scorer, row):
    sent = json.dumps(row)
    expected = expected_of(scorer, msgspec.json.decode(sent))
    answer = client.post("/predict", content=sent, headers={"content-type": "application/json"})
    if expected is None:
        assert answer.status_code == 422
        return
    assert answer.status_code == 200
    assert answer.json() == {**expected, "model": "churn", "ship": scorer.ship.id}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(ROWS, max_size=8))
def test_an_array_and_lines_are_answered_as_row_by_row(client, scorer, rows):
    sent = json.dumps(rows)
    expected = [expected_of(scorer, row) for row in msgspec.json.decode(sent)]
    array = client.post("/predict", content=sent)
    lines = client.post(
        "/predict",
        content="\n".join(map(json.dumps, rows)) or "\n",
        headers={"content-type": "application/x-ndjson"},
    )
    if None in expected:
        assert (array.status_code, lines.status_code) == (422, 422)
        assert array.json()["row"] == lines.json()["row"]
        assert expected[array.json()["row"]] is None
        return
    for told, wanted in zip(array.json(), expected, strict=True):
        assert told.pop("probabilities") == pytest.approx(wanted.pop("probabilities"), rel=1e-14)
        assert told == wanted
    assert [json.loads(line) for line in lines.text.split("\n")[:-1]] == array.json()
    assert lines.headers["content-type"] == "application/x-ndjson"


def test_an_unknown_column_is_ignored_and_a_missing_one_is_missing(client):
    bare = client.post("/predict", json={"age": 41}).json()
    assert client.post("/predict", json={"age": 41, "extra": {"deep": [1]}, "plan": None}).json() == bare


@pytest.mark.parametrize(
    "body",
    [
        '{"age": 1, "age": 41}',
        '{"age": [], "age": 41}',
        '{"\\u0061ge": 41}',
        '{"age": 41, "extra": 1e999}',
        '{"age": 41, "extra": [[[{"age": 3}]]]}',
        b'{"age": 41, "extra": "\xff"}',
        ' \n {"age": 41} \t',
    ],
)
def test_the_same_row_in_other_words(client, body):
    expected = client.post("/predict", json={"age": 41}).json()
    assert client.post("/predict", content=body).json() == expected
    body = body if isinstance(body, bytes) else body.encode()
    array = client.post("/predict", content=b"[%b]" % body).json()
    assert array[0]["probabilities"] == pytest.approx(expected["probabilities"], rel=1e-13)


def test_numbers_as_text_and_markers_mean_what_they_mean(client):
    assert client.post("/predict", json={"age": "41"}).json() == client.post("/predict", json={"age": 41}).json()
    missing = client.post("/predict", json={"age": "?", "plan": "basic"}).json()
    assert missing == client.post("/predict", json={"age": None, "plan": "basic"}).json()


def test_a_refused_row_names_field_value_and_what_was_expected(client):
    answer = client.post("/predict", json=[{"age": 1}, {"age": "forty"}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "row 1: column 'age': expected a number, got the text 'forty'",
        "row": 1,
        "field": "age",
        "value": "forty",
        "expected": "a number, a text that is one, true, false or null",
    }


def test_the_place_of_a_bad_row_is_right_past_the_first_slice(client):
    rows = [{"age": 1}] * 3_000 + [{"age": "x"}]
    answer = client.post("/predict", json=rows)
    assert answer.json()["row"] == 3_000
    assert answer.json()["detail"].startswith("row 3000: column 'age'")


def test_a_row_with_none_of_the_columns_is_refused_with_the_nearest(client):
    answer = client.post("/predict", json={"agee": 1})
    assert answer.status_code == 422
    assert answer.json()["hint"] == "did you mean 'age'?"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", 400),
        ("{", 400),
        ('{"age": NaN}', 400),
        ('{"age": 1} x', 400),
        ("[1]", 422),
        ("3", 422),
        ("null", 422),
        ('"text"', 422),
        ('[{"age": 1}, 7]', 422),
        ('{"age": 1e999}', 422),
        (b'{"plan": "\xff"}', 400),
        ('{"plan": "\\ud800"}', 400),
        (" \n {", 400),
        ("[" * 10_000, 400),
    ],
)
def test_a_body_that_is_no_row_is_refused(client, body, code):
    answer = client.post("/predict", content=body)
    assert answer.status_code == code
    assert answer.json()["status"] == code


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/vnd.x+json", "text/json"])
def test_json_goes_by_many_names(client, media_type):
    assert client.post("/predict", content='{"age":1}', headers={"content-type": media_type}).status_code == 200
    assert client.post("/predict", content=' [{"age":1}]', headers={"content-type": media_type}).status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_another_media_type_is_refused(client, media_type):
    answer = client.post("/predict", content='{"age":1}', headers={"content-type": media_type})
    assert answer.status_code == 415
    assert answer.json()["value"] == media_type.partition(";")[0]


def test_a_regression_answers_with_numbers_and_null_for_nan(start, regression_ship):
    scorer = load(regression_ship)
    full = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}
    with start(regression_ship) as run, httpx.Client(base_url=run.url) as client:
        number = scorer.predict_row(full).prediction
        assert math.isfinite(number)
        assert client.post("/predict", json=full).json() == {
            "prediction": number,
            "decision": number,
            "model": "delay",
            "ship": scorer.ship.id,
        }
        assert client.post("/predict", json=[{"age": 1}]).json() == [{"prediction": None, "decision": None}]
        assert client.post("/predict", json={"age": 1}).json()["prediction"] is None
        assert run.stop() == ""


def test_several_models_are_told_apart_by_the_path(start, ship, regression_ship):
    with start(ship, regression_ship) as run, httpx.Client(base_url=run.url) as client:
        assert client.post("/predict/churn", json={"age": 1}).json()["model"] == "churn"
        assert client.post("/predict/delay", json={"age": 1}).json()["model"] == "delay"
        unclear = client.post("/predict", json={"age": 1})
        assert unclear.status_code == 404
        assert unclear.json()["expected"] == "/predict/churn, /predict/delay"
        unknown = client.post("/predict/chum", json={"age": 1})
        assert (unknown.status_code, unknown.json()["hint"]) == (404, "did you mean 'churn'?")
        assert [model["name"] for model in client.get("/health").json()["models"]] == ["churn", "delay"]
        assert run.stop() == ""
