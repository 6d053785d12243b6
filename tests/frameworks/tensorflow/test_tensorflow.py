"""Models of Keras and TensorFlow become ship files that answer as they do, or are refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import keras_nets as nets
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

import shiplap
from shiplap.core.encoding import Category
from shiplap.core.errors import RefusedError, TableError
from shiplap.core.ship import Ship
from shiplap.scoring import Scorer

RANDOM = np.random.default_rng(0)
PEOPLE = pd.DataFrame(
    {
        "id": ["not an input"] * 40,
        "age": RANDOM.uniform(10, 80, 40),
        "city": RANDOM.choice(["Bergen", "Hamburg", "Ünïcödé", ""], 40),
        "code": RANDOM.choice([7, 11, 13], 40),
        "shop": RANDOM.integers(0, 5, 40),
    }
)


def reals(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RANDOM.normal(size=(40, *shape)).astype(dtype)


def indices(n: int, *shape: int) -> np.ndarray:
    return RANDOM.integers(0, n, size=(40, *shape))


def pack(model: Any, X: Any, folder: Path, **asked: Any) -> Ship:
    return shiplap.pack(model, X, path=folder / "net.ship", **asked)


def own(model: Any, frame: pd.DataFrame) -> np.ndarray:
    """Ask a model of tables itself."""
    tensors = {
        port.name: tf.constant(frame[port.name].tolist(), port.dtype, (len(frame), *port.shape[1:]))
        for port in model.inputs
    }
    return model(tensors, training=False).numpy()


PROVEN = {
    "Keras Sequential: MLP with BatchNormalization and Dropout": (nets.perceptron, reals(4), {"classes": list("abc")}),
    "Keras Sequential: CNN": (nets.convolutions, reals(9, 9, 2), {"classes": list("xyz")}),
    "Keras Sequential: LSTM and GRU": (nets.recurrent, reals(5, 3), {}),
    "Keras Sequential: LSTM with masking": (nets.masked, indices(20, 6), {}),
    "Keras functional: transformer encoder": (nets.attention, indices(20, 6), {"classes": list("abc")}),
    "Keras functional: several outputs": (nets.several, reals(4), {}),
    "Keras subclassed": (nets.subclassed, reals(4), {"classes": ["no", "yes"]}),
    "Keras float64": (nets.double, reals(4, dtype="float64"), {}),
    "lookups, bins, normalization, embedding": (nets.tabular, PEOPLE, {"classes": [0, 1]}),
    "lookups that count, with a mask": (lambda: nets.tabular("", "count"), PEOPLE, {"classes": [0, 1]}),
    "tf.Module with a signature": (nets.Module, reals(4), {"classes": [0, 1]}),
    "tf.function without a signature": (
        lambda: tf.function(lambda x, y: tf.reduce_sum(tf.math.log1p(tf.abs(x)), 1) + tf.math.expm1(y)),
        {"x": reals(4), "y": reals()},
        {},
    ),
}


@pytest.mark.parametrize("name", PROVEN)
def test_a_model_becomes_a_ship_that_answers_as_it_does(name: str, tmp_path: Path, covered: Any) -> None:
    build, X, asked = PROVEN[name]
    keras.utils.set_random_seed(0)
    certificate = pack(build(), X, tmp_path, **asked).certificate
    assert certificate.flips == 0
    assert certificate.rows > 500
    assert certificate.largest_difference < 1e-4
    covered("tensorflow", name, "proven", difference=certificate.largest_difference)


def test_texts_and_codes_are_looked_up_by_the_encoder(tmp_path: Path) -> None:
    model = nets.tabular()
    ship = pack(model, PEOPLE, tmp_path, classes=(0, 1))
    assert ship.manifest.signature.names == ("age", "city", "code", "shop")
    kinds = {operation.column: type(operation) for operation in ship.encoding.operations}
    assert kinds["city"] is kinds["code"] is Category
    scorer = Scorer(ship)
    assert np.allclose(scorer.outputs(PEOPLE)[:, 1:], own(model, PEOPLE), atol=1e-6)
    row = {"age": 30.0, "city": "Hamburg", "code": 11, "shop": 2}
    expected = own(model, pd.DataFrame([row]))[0, 0]
    assert scorer.predict_row(row).probabilities[1] == pytest.approx(expected, abs=1e-6)


def test_a_missing_text_is_the_empty_text(tmp_path: Path) -> None:
    model = nets.tabular(mask="")
    scorer = Scorer(pack(model, PEOPLE, tmp_path, classes=(0, 1)))
    row = {"age": 30.0, "city": "", "code": 11, "shop": 2}
    expected = own(model, pd.DataFrame([row]))[0, 0]
    for nothing in ("", None):
        assert scorer.predict_row({**row, "city": nothing}).probabilities[1] == pytest.approx(expected, abs=1e-6)


def test_a_missing_whole_number_has_no_answer_and_spoils_no_row_beside_it(tmp_path: Path) -> None:
    scorer = Scorer(pack(nets.tabular(), PEOPLE, tmp_path))
    whole = scorer.outputs(PEOPLE)
    answers = scorer.outputs(PEOPLE.assign(shop=[None, *PEOPLE["shop"][1:]]))
    assert np.isnan(answers[0]).all()
    assert np.array_equal(answers[1:], whole[1:])


def test_arrays_by_name_are_read_as_columns_where_texts_are_among_them(tmp_path: Path) -> None:
    arrays = {name: PEOPLE[name].to_numpy().reshape(-1, 1) for name in ("age", "city", "code", "shop")}
    ship = pack(nets.tabular(), arrays, tmp_path)
    assert Scorer(ship).predict_row({"age": 30.0, "city": "Bergen", "code": 7, "shop": 1}) is not None


def test_a_bin_begins_on_its_border(tmp_path: Path) -> None:
    bins = keras.Sequential([keras.Input((1,), name="age"), layers.Discretization([18.0, 65.0], output_mode="one_hot")])
    scorer = Scorer(pack(bins, PEOPLE[["age"]], tmp_path))
    for age, place in ((np.nextafter(np.float32(18), 0), 0), (18.0, 1), (65.0, 2)):
        assert scorer.outputs(pd.DataFrame({"age": [float(age)]})).argmax() == place


def test_a_frame_is_the_features_of_the_only_input(tmp_path: Path) -> None:
    model = nets.perceptron()
    frame = pd.DataFrame(reals(4), columns=["a", "b", "c", "d"])
    ship = pack(model, frame, tmp_path, classes=("x", "y", "z"))
    assert ship.manifest.signature.names == ("a", "b", "c", "d")
    expected = model(frame.iloc[:1].to_numpy())[0]
    assert Scorer(ship).predict_row(frame.iloc[0].to_dict()).prediction == "xyz"[int(np.argmax(expected))]


def test_names_that_keras_numbers_are_not_shipped(tmp_path: Path) -> None:
    assert [pack(nets.perceptron(), reals(4), tmp_path).manifest.signature.names for _ in range(2)] == [("x",)] * 2


def test_preprocessing_as_a_function_is_shipped_too(tmp_path: Path, covered: Any) -> None:
    model, pixels = nets.perceptron(), RANDOM.integers(0, 256, (40, 4)).astype("float32")
    ship = pack(model, pixels, tmp_path, preprocess=lambda x: x / 255.0 - 0.5)
    expected = model(pixels / 255.0 - 0.5, training=False).numpy()
    assert np.allclose(Scorer(ship).outputs({"x": list(pixels)}), expected, atol=1e-6)
    covered("tensorflow", "preprocessing as a function", "proven", difference=ship.certificate.largest_difference)


def test_packing_again_after_more_training_ships_the_new_numbers(tmp_path: Path) -> None:
    model, X = nets.perceptron(), reals(4)
    first = Scorer(pack(model, X, tmp_path)).outputs({"x": list(X)})
    model.layers[-1].bias.assign([3.0, 0.0, 0.0])
    again = Scorer(pack(model, X, tmp_path)).outputs({"x": list(X)})
    assert (again[:, 0] > first[:, 0]).all()


def of_texts(*parts: Any) -> Any:
    return keras.Sequential([keras.Input((1,), dtype="string", name="text"), *parts, layers.Dense(1)])


def of_numbers(*parts: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), *parts])


TEXTS = pd.DataFrame({"text": ["a", "b a"] * 20})
REFUSED = {
    "TextVectorization": (
        lambda: of_texts(layers.TextVectorization(vocabulary=["a", "b"], output_mode="multi_hot")),
        TEXTS,
        "goes into TextVectorization",
    ),
    "Hashing of texts": (lambda: of_texts(layers.Hashing(9), layers.Embedding(9, 2)), TEXTS, "goes into Hashing"),
    "StringLookup that hashes unknown values": (
        lambda: of_texts(layers.StringLookup(vocabulary=["a"], num_oov_indices=3), layers.Embedding(5, 2)),
        TEXTS,
        "num_oov_indices=3",
    ),
    "StringLookup that fails on unknown values": (
        lambda: of_texts(layers.StringLookup(vocabulary=["a", "b a"], num_oov_indices=0), layers.Embedding(5, 2)),
        TEXTS,
        "num_oov_indices=0",
    ),
    "half precision": (lambda: of_numbers(layers.Dense(3, dtype="mixed_float16")), reals(4), "half precision"),
    "a model that is not built": (nets.Subclassed, reals(4), "is not built"),
    "random numbers": (
        lambda: tf.function(lambda x: tf.nn.dropout(x, 0.5)),
        reals(4),
        "random numbers",
    ),
    "statistics of the batch": (lambda: tf.function(lambda x: x - tf.reduce_mean(x, 0)), reals(4), "rows stand beside"),
    "an operator without a form": (lambda: tf.function(tf.math.lgamma), reals(4), "operator Lgamma"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_lowered_is_refused_with_a_reason(name: str, tmp_path: Path, covered: Any) -> None:
    build, X, reason = REFUSED[name]
    with pytest.raises(RefusedError) as refusal:
        pack(build(), X, tmp_path)
    assert reason in refusal.value.message
    assert refusal.value.hint
    covered("tensorflow", name, "refused", reason=refusal.value.message)


def test_rows_of_another_kind_are_told_apart(tmp_path: Path) -> None:
    model = nets.tabular()
    with pytest.raises(TableError, match="no column 'city'"):
        pack(model, PEOPLE.drop(columns="city"), tmp_path)
    with pytest.raises(TableError, match="4 inputs, and the rows are one array"):
        pack(model, reals(4), tmp_path)
    with pytest.raises(TableError, match=r"'code' reads int32, and some values are no whole numbers"):
        pack(model, PEOPLE.assign(code=0.5), tmp_path)
    with pytest.raises(TableError, match="hold"):
        pack(nets.perceptron(), pd.DataFrame({"a": ["x"], "b": [1], "c": [1], "d": [1]}), tmp_path)
