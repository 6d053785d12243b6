"""TensorFlow Serving's own stubs, unchanged, against our gRPC."""

import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

import shiplap as sl
from shiplap.engineer.deploy.serve.rpc.library import message
from shiplap.scoring import load

START = """
import sys
from shiplap.engineer.deploy.serve import serve
serve(sys.argv[1:], port=0, grpc_port=0, ready=lambda places: print(places.grpc, flush=True))
"""


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    plans = generator.choice(["basic", "plus", "naïve"], 60)
    return pd.DataFrame({"age": generator.normal(40, 9, 60), "n": generator.integers(0, 9, 60), "plan": plans})


@pytest.fixture(scope="module")
def model(rows):
    encode = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
    labels = np.where(rows["age"] + 3 * rows["n"] > 52, "yes", "no")
    return make_pipeline(encode, LogisticRegression(max_iter=2_000)).fit(rows, labels)


@pytest.fixture(scope="module")
def ship(tmp_path_factory, model, rows) -> Path:
    path = tmp_path_factory.mktemp("ships") / "churn.ship"
    sl.pack(model, rows, path=path)
    return path


@pytest.fixture(scope="module")
def stub(ship) -> Iterator[prediction_service_pb2_grpc.PredictionServiceStub]:
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(ship)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        with grpc.insecure_channel(process.stdout.readline().strip()) as channel:
            yield prediction_service_pb2_grpc.PredictionServiceStub(channel)
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("count", [1, 3, 60])
def test_predict(stub, ship, model, rows, count):
    some = rows[:count]
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = "churn"
    asked.model_spec.version.value = int(load(ship).ship.id[:12], 16)
    for name in rows:
        asked.inputs[name].CopyFrom(tf.make_tensor_proto(some[name].to_numpy(), shape=[count, 1]))
    told = stub.Predict(asked, timeout=20)
    found = {name: tf.make_ndarray(each) for name, each in told.outputs.items()}
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(some), rtol=0, atol=1e-14)
    assert [each.decode() for each in found["prediction"]] == list(model.predict(some))
    assert found["decision"].shape == (count,)


def test_classify(stub, model, rows):
    asked = classification_pb2.ClassificationRequest()
    for row in rows.to_dict("records"):
        feature = asked.input.example_list.examples.add().features.feature
        feature["age"].float_list.value.append(row["age"])
        feature["n"].int64_list.value.append(row["n"])
        feature["plan"].bytes_list.value.append(row["plan"].encode())
    told = stub.Classify(asked, timeout=20).result.classifications
    found = [
        [next(each.score for each in row.classes if each.label == label) for label in ("no", "yes")] for row in told
    ]
    single = rows.assign(age=rows["age"].astype("f4").astype("f8"))
    np.testing.assert_allclose(found, model.predict_proba(single), rtol=0, atol=1e-6)


def test_metadata_and_refusals(stub):
    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    told = stub.GetModelMetadata(asked, timeout=20)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert told.metadata["signature_def"].Unpack(found)
    assert set(found.signature_def["serving_default"].inputs) == {"age", "n", "plan"}
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(predict_pb2.PredictRequest(), timeout=20)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as refused:
        stub.MultiInference(inference_pb2.MultiInferenceRequest(), timeout=20)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_our_messages_are_theirs():
    """Every field of ours has the number, type and label of theirs; they have more."""
    asked = [predict_pb2.PredictRequest, predict_pb2.PredictResponse, classification_pb2.ClassificationRequest]
    asked += [classification_pb2.ClassificationResponse, get_model_metadata_pb2.GetModelMetadataRequest]
    asked += [get_model_metadata_pb2.SignatureDefMap, get_model_metadata_pb2.GetModelMetadataResponse]
    seen = set()
    for theirs in asked:
        _compare(theirs.DESCRIPTOR, seen)
    assert {"tensorflow.TensorProto", "tensorflow.Feature", "tensorflow.serving.ModelSpec"} <= seen
    ours = message("tensorflow.TensorProto").DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_name
    theirs = tf.make_tensor_proto(1).DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_name
    assert {name: each.number for name, each in ours.items()} == {name: theirs[name].number for name in ours}


def _compare(theirs, seen):
    if theirs.full_name in seen or theirs.full_name.startswith("google."):
        return
    try:
        ours = message(theirs.full_name).DESCRIPTOR
    except KeyError:
        return
    seen.add(theirs.full_name)
    for name, field in ours.fields_by_name.items():
        other = theirs.fields_by_name[name]
        assert (field.number, field.type, field.is_repeated) == (other.number, other.type, other.is_repeated), (
            field.name
        )
        if other.message_type is not None:
            _compare(other.message_type, seen)
