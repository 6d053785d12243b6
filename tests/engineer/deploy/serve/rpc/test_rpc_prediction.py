"""TensorFlow Serving over gRPC, by messages of our own; its own stubs are run in the environment of TensorFlow."""

import base64
import io
import math

import grpc
import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image as Picture

from shiplap.core.encoding import Encoding, Image, Tensor
from shiplap.core.policy import Policy
from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.tensors import Tensors
from shiplap.engineer.deploy.serve.rpc.library import message
from shiplap.engineer.deploy.serve.rpc.tensor_proto import row_of
from shiplap.scoring import load, write_ship

NAN = math.nan
ROWS = [
    {"age": 41.5, "plan": "basic", "since": "2013-03-01", "paid": True},
    {"age": NAN, "plan": "plus", "since": "", "paid": False},
    {"age": -7.0, "plan": "unheard of", "since": "2014-12-31T10:00:00Z", "paid": True},
]
TYPES = {"age": ("DT_DOUBLE", "double_val"), "plan": ("DT_STRING", "string_val")}
TYPES |= {"since": ("DT_STRING", "string_val"), "paid": ("DT_BOOL", "bool_val")}


def tensor(dtype, field, values, shape=None):
    sent = [value.encode() if isinstance(value, str) else value for value in values]
    sizes = [{"size": size} for size in (shape or [len(values)])]
    return {"dtype": dtype, "tensor_shape": {"dim": sizes}, field: sent}


def tensors(rows):
    return {name: tensor(*form, [row[name] for row in rows]) for name, form in TYPES.items()}


def values(told):
    fields = {2: "double_val", 7: "string_val", 9: "int64_val", 10: "bool_val"}
    flat = list(getattr(told, fields[told.dtype]))
    flat = [each.decode() for each in flat] if told.dtype == 7 else flat
    return np.reshape(np.array(flat, dtype=object), [each.size for each in told.tensor_shape.dim]).tolist()


def example(**columns):
    fields = {str: "bytes_list", float: "float_list", int: "int64_list", bool: "int64_list"}
    found = {}
    for name, value in columns.items():
        sent = value.encode() if isinstance(value, str) else value
        found[name] = {fields[type(value)]: {"value": [sent]}}
    return {"features": {"feature": found}}


@pytest.mark.parametrize("count", [1, 3, 3_000])
def test_predict_answers_as_the_scorer(talk, ship, scorer, count):
    rows = (ROWS * 1_000)[:count]

    async def scenario(talk):
        return await talk.predict("Predict", model_spec={"name": "churn"}, inputs=tensors(rows))

    told = talk(scenario, ship)
    assert (told.model_spec.name, told.model_spec.signature_name) == ("churn", "serving_default")
    assert f"{told.model_spec.version.value:012x}" == scorer.ship.id[:12]
    answers = [scorer.predict_row(row) for row in rows]
    found = {name: values(each) for name, each in told.outputs.items()}
    assert found["prediction"] == [answer.prediction for answer in answers]
    assert found["decision"] == [answer.decision for answer in answers]
    expected = [list(answer.probabilities) for answer in answers]
    np.testing.assert_allclose(np.array(found["probabilities"], float), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("sent", "ages"),
    [
        (tensor("DT_FLOAT", "float_val", [0.1, 2.0]), [float(np.float32(0.1)), 2.0]),
        (tensor("DT_HALF", "half_val", [int(np.float16(1.5).view(np.uint16))] * 2), [1.5, 1.5]),
        (tensor("DT_INT32", "int_val", [-3, 41], [2, 1]), [-3, 41]),
        (tensor("DT_UINT8", "int_val", [3, 41]), [3, 41]),
        (tensor("DT_INT64", "int64_val", [2**62, 41]), [2**62, 41]),
        (tensor("DT_UINT64", "uint64_val", [2**63, 41]), [2**63, 41]),
        (tensor("DT_UINT32", "uint32_val", [2**31, 41]), [2**31, 41]),
        (tensor("DT_STRING", "string_val", ["41", "?"]), ["41", "?"]),
        (tensor("DT_DOUBLE", "double_val", [41.0], [2]), [41, 41]),
        (
            tensor("DT_DOUBLE", "tensor_content", [], [2]) | {"tensor_content": np.array([1.5, NAN]).tobytes()},
            [1.5, None],
        ),
        (
            tensor("DT_INT16", "tensor_content", [], [2]) | {"tensor_content": np.array([1, -2], "<i2").tobytes()},
            [1, -2],
        ),
    ],
)
def test_values_come_by_type_or_as_bytes(talk, ship, scorer, sent, ages):
    async def scenario(talk):
        told = await talk.predict("Predict", inputs={"age": sent}, output_filter=["probabilities"])
        assert list(told.outputs) == ["probabilities"]
        return values(told.outputs["probabilities"])

    expected = [pytest.approx(scorer.predict_row({"age": age}).probabilities, rel=1e-14) for age in ages]
    assert talk(scenario, ship) == expected


@pytest.mark.parametrize("context", [False, True])
def test_classify_ranks_the_classes_of_examples(talk, ship, scorer, context):
    rows = [{"age": 41.5, "plan": "basic", "paid": 1}, {"age": 2.0, "plan": "plus", "paid": 1}]
    if context:
        each = [example(age=row["age"], plan=row["plan"]) for row in rows]
        sent = {"example_list_with_context": {"examples": each, "context": example(paid=1)}}
    else:
        sent = {"example_list": {"examples": [example(**row) for row in rows]}}

    async def scenario(talk):
        return (await talk.predict("Classify", input=sent)).result.classifications

    for told, row in zip(talk(scenario, ship), rows, strict=True):
        found = {each.label: each.score for each in told.classes}
        no, yes = scorer.predict_row(row).probabilities
        assert found == {"no": pytest.approx(no, rel=1e-6), "yes": pytest.approx(yes, rel=1e-6)}
        assert [each.label for each in told.classes] == sorted(found, key=found.get, reverse=True)


def test_regress_gives_a_number_for_each_example(talk, ship, regression_ship, refusal):
    sent = {"example_list": {"examples": [example(age=41.5, plan="basic", since="2013-03-01", paid=1)]}}

    async def scenario(talk):
        told = await talk.predict("Regress", model_spec={"name": "delay"}, input=sent)
        predicted = await talk.predict("Predict", model_spec={"name": "delay"}, inputs=tensors(ROWS[:1]))
        assert told.result.regressions[0].value == pytest.approx(values(predicted.outputs["prediction"])[0], rel=1e-6)
        for method, name in (("Regress", "churn"), ("Classify", "delay")):
            refused = await refusal(talk.predict(method, model_spec={"name": name}, input=sent))
            assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT

    talk(scenario, ship, regression_ship)


def test_metadata_names_the_tensors(talk, ship, scorer):
    version = int(scorer.ship.id[:12], 16)

    async def scenario(talk):
        for spec in ({}, {"name": "churn", "version": {"value": version}}, {"version_label": "stable"}):
            told = await talk.predict("GetModelMetadata", model_spec=spec, metadata_field=["signature_def"])
            assert told.model_spec.version.value == version
            found = message("tensorflow.serving.SignatureDefMap").FromString(told.metadata["signature_def"].value)
            signature = found.signature_def["serving_default"]
            assert set(signature.inputs) == set(TYPES)
            assert [each.size for each in signature.outputs["probabilities"].tensor_shape.dim] == [-1, 2]

    talk(scenario, ship)


@pytest.mark.parametrize(
    ("method", "asked", "code", "said"),
    [
        ("Predict", {"model_spec": {"name": "chum"}}, "NOT_FOUND", "no model called 'chum'"),
        ("Predict", {"model_spec": {"version": {"value": 2}}}, "NOT_FOUND", "no version '000000000002'"),
        ("Predict", {"model_spec": {"version_label": "best"}}, "NOT_FOUND", "no version 'best'"),
        ("Predict", {"model_spec": {"signature_name": "no"}}, "INVALID_ARGUMENT", "no signature 'no'"),
        ("Predict", {}, "INVALID_ARGUMENT", "at least one input"),
        ("Predict", {"inputs": {str(at): {} for at in range(1_009)}}, "RESOURCE_EXHAUSTED", "at most 1008 inputs"),
        ("Predict", {"inputs": {"age": {"dtype": 8}}}, "INVALID_ARGUMENT", "unknown type"),
        ("Predict", {"inputs": tensors(ROWS), "output_filter": ["no"]}, "INVALID_ARGUMENT", "no output 'no'"),
        ("Predict", {"inputs": {"age": tensor("DT_STRING", "string_val", ["forty"])}}, "INVALID_ARGUMENT", "'forty'"),
        (
            "Predict",
            {"inputs": {"age": tensor("DT_DOUBLE", "double_val", [1.0], [9])}},
            "RESOURCE_EXHAUSTED",
            "at most 3",
        ),
        (
            "Predict",
            {"inputs": {"age": tensor("DT_DOUBLE", "double_val", [1.0], [1, 2**40])}},
            "INVALID_ARGUMENT",
            "shape that does not fit",
        ),
        (
            "Predict",
            {"inputs": {"plan": tensor("DT_STRING", "string_val", [b"\xff"])}},
            "INVALID_ARGUMENT",
            "not UTF-8",
        ),
        (
            "Predict",
            {"inputs": {"plan": {"dtype": 7, "tensor_content": b"x"}}},
            "INVALID_ARGUMENT",
            "expected in string_val",
        ),
        ("Classify", {}, "INVALID_ARGUMENT", "examples are expected"),
        ("Classify", {"input": {"example_list": {"examples": [{}] * 4}}}, "RESOURCE_EXHAUSTED", "at most 3 rows"),
        (
            "Classify",
            {"input": {"example_list": {"examples": [{}]}}},
            "INVALID_ARGUMENT",
            "none of the model's columns",
        ),
        (
            "Classify",
            {"input": {"example_list": {"examples": [example(age=1.0), example(age="forty")]}}},
            "INVALID_ARGUMENT",
            "row 1: column 'age'",
        ),
        ("GetModelMetadata", {"metadata_field": ["no"]}, "INVALID_ARGUMENT", "one metadata_field is known"),
    ],
)
def test_what_does_not_fit_is_refused(talk, ship, refusal, method, asked, code, said):
    async def scenario(talk):
        told = await refusal(talk.predict(method, **asked))
        assert told.code() is grpc.StatusCode[code]
        assert said in told.details()

    talk(scenario, ship, limits=Limits(rows=3))


def test_arrays_and_images_go_in_and_arrays_come_out(talk, tmp_path, refusal):
    doubled(
        tmp_path / "grid.ship", "grid", Tensor(column="x", shape=(2, 2)), Field(name="x", kind="tensor", shape=(2, 2))
    )
    photo = Image(column="photo", size=(1, 1))
    doubled(tmp_path / "photo.ship", "photo", photo, Field(name="photo", kind="image"))
    picture = io.BytesIO()
    Picture.new("RGB", (1, 1), (255, 0, 0)).save(picture, "PNG")
    numbers = [1.0, 2.0, 3.0, 4.0]

    async def scenario(talk):
        asked = {"x": tensor("DT_DOUBLE", "double_val", numbers, [1, 2, 2])}
        told = await talk.predict("Predict", model_spec={"name": "grid"}, inputs=asked)
        assert values(told.outputs["prediction"]) == [[2.0, 4.0, 6.0, 8.0]]
        sent = {"contents": {"fp64_contents": numbers}, "shape": [1, 2, 2], "datatype": "FP64", "name": "x"}
        told = await talk.ask("ModelInfer", model_name="grid", inputs=[sent])
        assert list(told.outputs[0].contents.fp64_contents) == [2.0, 4.0, 6.0, 8.0]
        asked = {"photo": tensor("DT_STRING", "string_val", [picture.getvalue()])}
        told = await talk.predict("Predict", model_spec={"name": "photo"}, inputs=asked)
        by_tensor = values(told.outputs["prediction"])
        sent = {
            "contents": {"bytes_contents": [picture.getvalue()]},
            "shape": [1],
            "datatype": "BYTES",
            "name": "photo",
        }
        told = await talk.ask("ModelInfer", model_name="photo", inputs=[sent])
        assert by_tensor == [list(told.outputs[0].contents.fp64_contents)]
        return by_tensor

    (told,) = talk(scenario, tmp_path / "grid.ship", tmp_path / "photo.ship")
    row = {"photo": base64.b64encode(picture.getvalue()).decode()}
    assert told == (2 * load(tmp_path / "photo.ship").encoder.matrix([row])[0]).tolist()


def doubled(path, name, operation, field):
    """A ship whose answer is twice what its encoder writes."""
    width = operation.width
    ends = [helper.make_tensor_value_info(end, TensorProto.DOUBLE, ["n", width]) for end in ("rows", "output")]
    graph = helper.make_graph([helper.make_node("Add", ["rows", "rows"], ["output"])], "twice", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    write_ship(
        path,
        name=name,
        signature=Signature(inputs=(field,), task="tensor", shape=(width,)),
        encoding=Encoding(operations=(operation,)),
        graph=model.SerializeToString(),
        policy=Policy(task="tensor"),
    )


def test_arrays_of_examples_take_the_shape_of_the_input(tmp_path):
    operation, field = Tensor(column="x", shape=(2, 2)), Field(name="x", kind="tensor", shape=(2, 2))
    doubled(tmp_path / "grid.ship", "grid", operation, field)
    limits = Limits()
    jobs = Jobs(most=1)
    tensors = Tensors(Hosted(load(tmp_path / "grid.ship"), limits, jobs))
    jobs.close()
    made = message("tensorflow.Example")
    numbers = {"float_list": {"value": [1.0, 2.0, 3.0, 4.0]}}
    sent = made(features={"feature": {"x": numbers, "y": {}, "z": {"int64_list": {"value": [1, 2]}}}})
    assert row_of(sent, tensors) == {"x": [[1.0, 2.0], [3.0, 4.0]], "y": None, "z": [1, 2]}
    with pytest.raises(ProblemError, match="'x' has 1 values where its shape says 4"):
        row_of(made(features={"feature": {"x": {"float_list": {"value": [1.0]}}}}), tensors)
