"""The Open Inference Protocol v2 over gRPC: the answers, refusals and limits of HTTP."""

import math

import grpc
import msgspec
import numpy as np
import pytest

from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.protocols.binary import packed
from shiplap.engineer.deploy.serve.rpc.library import message

NAN = math.nan
ROWS = [
    {"age": 41.5, "plan": "basic", "since": "2013-03-01", "paid": True},
    {"age": NAN, "plan": "plus", "since": "", "paid": False},
    {"age": -7.0, "plan": "unheard of", "since": "2014-12-31T10:00:00Z", "paid": True},
    {"age": 1e300, "plan": "", "since": "", "paid": False},
    {"age": 2.0**60, "plan": "3", "since": "2013-03-01", "paid": True},
]
DATATYPES = {"age": "FP64", "plan": "BYTES", "since": "BYTES", "paid": "BOOL"}
FIELDS = {"FP64": "fp64_contents", "FP32": "fp32_contents", "INT64": "int64_contents", "INT8": "int_contents"}
FIELDS |= {"UINT16": "uint_contents", "UINT64": "uint64_contents", "BOOL": "bool_contents", "BYTES": "bytes_contents"}


def column(name, datatype, data, shape=None, field=None):
    sent = [value.encode() if isinstance(value, str) else value for value in data]
    contents = {field or FIELDS[datatype]: sent}
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "contents": contents}


def by_type(rows, shape=None):
    return {"inputs": [column(name, kind, [row[name] for row in rows], shape) for name, kind in DATATYPES.items()]}


def as_bytes(rows, shape=None):
    named = [{"name": n, "datatype": k, "shape": shape or [len(rows)]} for n, k in DATATYPES.items()]
    raw = [packed(kind, [row[name] for row in rows]) for name, kind in DATATYPES.items()]
    return {"inputs": named, "raw_input_contents": raw}


def values(told):
    """Return the outputs of an answer by name, from either form."""
    found = {}
    for place, tensor in enumerate(told.outputs):
        if told.raw_output_contents:
            piece = told.raw_output_contents[place]
            data = (
                texts(piece) if tensor.datatype == "BYTES" else np.frombuffer(piece, DTYPES[tensor.datatype]).tolist()
            )
        else:
            data = list(getattr(tensor.contents, FIELDS[tensor.datatype]))
            data = [each.decode() for each in data] if tensor.datatype == "BYTES" else data
        found[tensor.name] = np.reshape(np.array(data, dtype=object), tensor.shape).tolist()
    return found


DTYPES = {"FP64": "<f8", "BOOL": "?", "INT64": "<i8"}


def texts(piece):
    found = []
    while piece:
        size = int.from_bytes(piece[:4], "little")
        found.append(piece[4 : 4 + size].decode())
        piece = piece[4 + size :]
    return found


@pytest.mark.parametrize("form", [by_type, as_bytes])
@pytest.mark.parametrize("count", [1, 2, 5, 4_000])
def test_answers_are_the_scorers(talk, ship, scorer, form, count):
    rows = (ROWS * 800)[:count]

    async def scenario(talk):
        told = await talk.ask("ModelInfer", model_name="churn", id="42", **form(rows))
        assert (told.model_name, told.model_version, told.id) == ("churn", scorer.ship.id[:12], "42")
        assert bool(told.raw_output_contents) == (form is as_bytes)
        assert [(each.name, each.datatype, list(each.shape)) for each in told.outputs] == [
            ("prediction", "BYTES", [count]),
            ("probabilities", "FP64", [count, 2]),
            ("decision", "BOOL", [count]),
        ]
        return values(told)

    told = talk(scenario, ship)
    answers = [scorer.predict_row(row) for row in rows]
    assert told["prediction"] == [answer.prediction for answer in answers]
    assert told["decision"] == [answer.decision for answer in answers]
    expected = [list(answer.probabilities) for answer in answers]
    np.testing.assert_allclose(np.array(told["probabilities"], float), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("sent", "row"),
    [
        (column("age", "INT64", [41]), {"age": 41}),
        (column("age", "INT8", [41]), {"age": 41}),
        (column("age", "UINT16", [41], [1, 1]), {"age": 41}),
        (column("age", "UINT64", [2**64 - 1]), {"age": 2**64 - 1}),
        (column("age", "FP32", [0.1]), {"age": float(np.float32(0.1))}),
        (column("age", "BYTES", [" 1e3 "]), {"age": " 1e3 "}),
        (column("age", "BYTES", ["?"]), {"age": "?"}),
        (column("age", "BOOL", [True]), {"age": True}),
        (column("age", "FP64", [math.inf]), {"age": math.inf}),
        (column("paid", "BYTES", ["Y"]), {"paid": "Y"}),
        (column("paid", "INT64", [0]), {"paid": 0}),
        (column("plan", "INT64", [3]), {"plan": 3}),
        (column("plan", "BYTES", ["né"]), {"plan": "né"}),
    ],
)
def test_a_value_means_what_it_means_elsewhere(talk, ship, scorer, sent, row):
    """Columns that are not there are missing, and one that the model does not know is ignored."""

    async def scenario(talk):
        return values(await talk.ask("ModelInfer", inputs=[sent, column("x", "BYTES", ["y"])]))

    told = talk(scenario, ship)
    assert told["probabilities"] == [pytest.approx(scorer.predict_row(row).probabilities, rel=1e-14)]


def test_nan_stands_for_what_cannot_be_answered(talk, regression_ship):
    async def scenario(talk):
        return [values(await talk.ask("ModelInfer", **form(ROWS[1:2]))) for form in (by_type, as_bytes)]

    for told in talk(scenario, regression_ship):
        assert math.isnan(told["prediction"][0])


def test_only_the_outputs_asked_for_come_in_their_order(talk, ship):
    async def scenario(talk):
        asked = [{"name": "decision"}, {"name": "prediction"}]
        return [each.name for each in (await talk.ask("ModelInfer", outputs=asked, **as_bytes(ROWS))).outputs]

    assert talk(scenario, ship) == ["decision", "prediction"]


def test_metadata_is_true(talk, ship, scorer):
    async def scenario(talk):
        assert (await talk.ask("ServerLive")).live
        assert (await talk.ask("ServerReady")).ready
        assert (await talk.ask("ServerMetadata")).name == "shiplap"
        version = scorer.ship.id[:12]
        for asked in (
            {},
            {"name": "churn"},
            {"name": "churn", "version": version},
            {"name": "churn", "version": "stable"},
        ):
            assert (await talk.ask("ModelReady", **asked)).ready
            told = await talk.ask("ModelMetadata", **asked)
            assert (told.name, list(told.versions), told.platform) == ("churn", [version], "shiplap")
            assert {each.name: (each.datatype, list(each.shape)) for each in told.inputs} == {
                name: (kind, [-1]) for name, kind in DATATYPES.items()
            }
            assert {each.name: list(each.shape) for each in told.outputs}["probabilities"] == [-1, 2]
        talk.server.draining = True
        assert not (await talk.ask("ServerReady")).ready

    talk(scenario, ship)


REFUSED = [
    ({"model_name": "chum"}, "NOT_FOUND", "no model called 'chum'"),
    ({"model_name": "churn", "model_version": "2"}, "NOT_FOUND", "no version '2'"),
    ({"inputs": []}, "INVALID_ARGUMENT", "at least one input"),
    ({"inputs": [column("age", "BYTES", ["forty"])]}, "INVALID_ARGUMENT", "expected a number, got the text 'forty'"),
    ({"inputs": [column("agee", "FP64", [1.0])]}, "INVALID_ARGUMENT", "none of the model's columns"),
    ({"inputs": [column("age", "FP64", [1.0], [2])]}, "INVALID_ARGUMENT", "1 values where its shape says 2"),
    ({"inputs": [column("age", "FP64", [1.0], [1, 1, 1])]}, "INVALID_ARGUMENT", "shape that does not fit"),
    ({"inputs": [column("age", "FP64", [1.0], [-1])]}, "INVALID_ARGUMENT", "1 values where its shape says -1"),
    ({"inputs": [column("age", "FP64", [1.0], [2**62] * 1_000)]}, "RESOURCE_EXHAUSTED", "at most 100000 rows"),
    ({"inputs": [column("age", "FP64", [1.0], [1] + [2**62] * 1_000)]}, "INVALID_ARGUMENT", "shape that does not fit"),
    ({"inputs": [column("age", "FP99", [1.0], field="fp64_contents")]}, "INVALID_ARGUMENT", "values stand elsewhere"),
    ({"inputs": [column("age", "FP64", [1.0], field="fp32_contents")]}, "INVALID_ARGUMENT", "values stand elsewhere"),
    ({"inputs": [{"name": "age", "datatype": "FP64", "shape": [1]}]}, "INVALID_ARGUMENT", "'age' has no data"),
    ({"inputs": [column("plan", "BYTES", [b"\xff"])]}, "INVALID_ARGUMENT", "not UTF-8"),
    ({"inputs": [{}] * 1_009}, "RESOURCE_EXHAUSTED", "at most 1008 inputs"),
    ({"outputs": [{}] * 1_009, **by_type(ROWS)}, "RESOURCE_EXHAUSTED", "at most 1008 inputs"),
    ({"outputs": [{"name": "no"}], **by_type(ROWS)}, "INVALID_ARGUMENT", "there is no output 'no'"),
    ({**as_bytes(ROWS), "raw_input_contents": [b""]}, "INVALID_ARGUMENT", "1 raw_input_contents are there for 4"),
    ({**as_bytes(ROWS[:1]), "raw_input_contents": [b"1"] * 4}, "INVALID_ARGUMENT", "no whole number of FP64"),
    (
        {**by_type(ROWS[:2]), "inputs": [column("paid", "BYTES", ["Y", "maybe"])]},
        "INVALID_ARGUMENT",
        "row 1: column",
    ),
]


@pytest.mark.parametrize(("asked", "code", "said"), REFUSED)
def test_what_does_not_fit_is_refused_by_its_name(talk, ship, refusal, asked, code, said):
    async def scenario(talk):
        told = await refusal(talk.ask("ModelInfer", **asked))
        assert told.code() is grpc.StatusCode[code]
        assert said in told.details()
        trailing = dict(told.trailing_metadata())
        problem = msgspec.json.decode(trailing["problem-bin"])
        assert problem["detail"] == told.details()
        assert trailing["x-request-id"].startswith(talk.server.origin)
        assert (await talk.ask("ModelInfer", **by_type(ROWS[:1]))).outputs  # and nobody else notices

    talk(scenario, ship)


def test_a_problem_names_field_and_value(talk, ship, refusal):
    async def scenario(talk):
        told = await refusal(talk.ask("ModelInfer", inputs=[column("age", "BYTES", ["1", "forty"])]))
        return msgspec.json.decode(dict(told.trailing_metadata())["problem-bin"])

    problem = talk(scenario, ship)
    assert (problem["status"], problem["row"], problem["field"], problem["value"]) == (422, 1, "age", "forty")


@pytest.mark.parametrize("method", ["ModelInfer", "ModelMetadata", "ModelReady"])
def test_bytes_that_are_no_message_are_refused(talk, ship, refusal, method):
    async def scenario(talk):
        told = await refusal(talk.channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(b"\xff\xff\xff"))
        assert told.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert told.details() == f"this is no {method}Request"

    talk(scenario, ship)


def test_several_models_are_told_apart_by_name(talk, ship, regression_ship, refusal):
    async def scenario(talk):
        for name, outputs in (("churn", 3), ("delay", 2)):
            told = await talk.ask("ModelInfer", model_name=name, **by_type(ROWS[:1]))
            assert (told.model_name, len(told.outputs)) == (name, outputs)
        assert (await refusal(talk.ask("ModelInfer", **by_type(ROWS)))).code() is grpc.StatusCode.NOT_FOUND

    talk(scenario, ship, regression_ship)


def test_more_rows_than_the_limit_are_refused(talk, ship, refusal):
    async def scenario(talk):
        for form in (by_type, as_bytes):
            told = await refusal(talk.ask("ModelInfer", **form(ROWS[:3])))
            assert told.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "at most 2 rows" in told.details()
            assert (await talk.ask("ModelInfer", **form(ROWS[:2]))).outputs

    talk(scenario, ship, limits=Limits(rows=2))


def test_a_stream_is_answered_in_turn_and_goes_on_after_a_refusal(talk, ship, scorer):
    asked = [by_type(ROWS[:1]), {"model_name": "chum"}, as_bytes(ROWS)]
    sent = message("inference.ModelInferRequest")

    async def scenario(talk):
        stream = talk.channel.stream_stream(
            "/inference.GRPCInferenceService/ModelStreamInfer",
            request_serializer=sent.SerializeToString,
            response_deserializer=message("inference.ModelStreamInferResponse").FromString,
        )(sent(id=str(place), **each) for place, each in enumerate(asked))
        first, second, third = [told async for told in stream]
        assert values(first.infer_response)["prediction"] == [scorer.predict_row(ROWS[0]).prediction]
        assert first.infer_response.id == "0"
        assert second.error_message == "no model called 'chum' is served here"
        assert third.infer_response.id == "2"
        assert values(third.infer_response)["prediction"] == scorer.predict(ROWS).tolist()

    talk(scenario, ship)


def test_models_are_not_loaded_by_clients(talk, ship, refusal):
    async def scenario(talk):
        for method in ("RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload"):
            told = await refusal(talk.ask(method))
            assert told.code() is grpc.StatusCode.UNIMPLEMENTED
            assert "not loaded and unloaded here" in told.details()

    talk(scenario, ship)
