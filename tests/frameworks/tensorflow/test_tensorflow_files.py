"""Files of Keras and TensorFlow: nothing that is in them runs when they are read."""

from __future__ import annotations

import json
import zipfile
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
from shiplap.adapters.frameworks.files import read_model
from shiplap.core.errors import InputError, RefusedError
from shiplap.scoring import Scorer

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
SPEC = tf.TensorSpec((None, 4), tf.float32)


def saved(function: Any, folder: Path) -> Path:
    module = tf.Module()
    module.run = tf.function(function, input_signature=[SPEC])
    tf.saved_model.save(module, folder, signatures=module.run)
    return folder


def test_a_keras_file_is_packed_with_its_lookups(tmp_path: Path, covered: Any) -> None:
    model = nets.tabular()
    model.save(tmp_path / "model.keras")
    rows = {"age": [20.0, 70.0] * 9, "city": ["Bergen", "Oslo"] * 9, "code": [7, 8] * 9, "shop": [0, 4] * 9}
    ship = shiplap.pack(read_model(tmp_path / "model.keras"), pd.DataFrame(rows), path=tmp_path / "net.ship")
    expected = model({name: tf.constant(values) for name, values in _columns(rows).items()}).numpy()
    assert np.allclose(Scorer(ship).outputs(pd.DataFrame(rows)), expected, atol=1e-6)
    covered("tensorflow", ".keras file", "proven", difference=ship.certificate.largest_difference)


def _columns(rows: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    return {name: np.array(values).reshape(-1, *(() if name == "shop" else (1,))) for name, values in rows.items()}


@pytest.mark.parametrize("kind", ["Keras", "tf.Module"])
def test_a_saved_model_is_packed(kind: str, tmp_path: Path, covered: Any) -> None:
    model = nets.perceptron() if kind == "Keras" else nets.Module()
    if kind == "Keras":
        model.export(tmp_path / "saved", verbose=False)
    else:
        tf.saved_model.save(model, tmp_path / "saved", signatures=model.__call__.get_concrete_function())
    ship = shiplap.pack(read_model(tmp_path / "saved"), X, path=tmp_path / "net.ship")
    assert ship.certificate.flips == 0
    assert np.allclose(Scorer(ship).outputs({"x": list(X)}), model(X), atol=1e-6)
    covered("tensorflow", f"SavedModel of {kind}", "proven", difference=ship.certificate.largest_difference)


def test_a_lambda_in_a_file_is_refused(tmp_path: Path, covered: Any) -> None:
    keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2)]).save(tmp_path / "model.keras")
    with pytest.raises(RefusedError, match="Lambda layer, which is code") as refusal:
        read_model(tmp_path / "model.keras")
    covered("tensorflow", "Lambda layer in a .keras file", "refused", reason=refusal.value.message)


@pytest.mark.parametrize("way", ["a file", "Python", "the log"])
def test_a_saved_model_that_does_more_than_compute_is_not_loaded(way: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def wicked(x: Any) -> Any:
        if way == "a file":
            tf.io.write_file(str(mark), "x")
        elif way == "the log":
            tf.print(x, output_stream=f"file://{mark}")
        else:
            x = tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), (None, 4))
        return x * 2

    with pytest.raises(RefusedError, match=r"reaches the operator (WriteFile|PyFunc|PrintV2|StringFormat)"):
        read_model(saved(wicked, tmp_path / "saved"))
    assert not mark.exists()


def test_a_saved_model_that_writes_while_it_is_loaded_is_not_loaded(tmp_path: Path) -> None:
    class Table(tf.saved_model.experimental.TrackableResource):
        def _create_resource(self) -> Any:
            return tf.raw_ops.HashTableV2(key_dtype=tf.int64, value_dtype=tf.int64)

        def _initialize(self) -> Any:
            tf.io.write_file(str(tmp_path / "mark"), "x")
            return tf.constant(1)

    with tf.init_scope():
        module = tf.Module()
        module.table = Table()
    module.run = tf.function(lambda x: x, input_signature=[SPEC])
    module.table.resource_handle  # noqa: B018  # made where it is first asked for
    (tmp_path / "mark").unlink(missing_ok=True)
    tf.saved_model.save(module, tmp_path / "saved", signatures=module.run)
    (tmp_path / "mark").unlink(missing_ok=True)
    with pytest.raises(RefusedError, match="WriteFile"):
        read_model(tmp_path / "saved")
    assert not (tmp_path / "mark").exists()


def test_a_class_that_is_not_kerass_own_is_named(tmp_path: Path) -> None:
    nets.subclassed().save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="Subclassed"):
        read_model(tmp_path / "model.keras")


HOSTILE = {
    "a call of the system": {"module": "os", "class_name": "mkdir", "config": "MARK"},
    "a function of Python": {"module": "builtins", "class_name": "function", "config": "exec"},
    "a download": {
        "module": "keras.utils",
        "class_name": "get_file",
        "config": {"fname": "MARK", "origin": "file:///"},
    },
    "a file of this machine": {
        "module": "keras.layers",
        "class_name": "StringLookup",
        "config": {"vocabulary": "/etc/hostname"},
    },
}


@pytest.mark.parametrize("way", HOSTILE)
def test_a_keras_file_that_names_other_code_or_files_is_not_read(way: str, tmp_path: Path) -> None:
    parts = [keras.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a"]), layers.Embedding(3, 2)]
    keras.Sequential(parts).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as good, zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad:
        for name in good.namelist():
            content = good.read(name).decode("latin-1")
            if name == "config.json":
                changed = json.loads(content)
                changed["config"]["layers"][1] |= HOSTILE[way]
                content = json.dumps(changed).replace("MARK", str(tmp_path / "mark"))
            bad.writestr(name, content.encode("latin-1"))
    with pytest.raises(InputError, match="cannot be read"):
        read_model(tmp_path / "bad.keras")
    assert not (tmp_path / "mark").exists()


def test_the_old_format_of_keras_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match="old format"):
        read_model(tmp_path / "model.h5")


def test_damaged_files_are_told(tmp_path: Path) -> None:
    nets.perceptron().save(tmp_path / "model.keras")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "model.keras").read_bytes()[:900])
    with pytest.raises(InputError, match=r"no \.keras file"):
        read_model(tmp_path / "cut.keras")
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 99)
    with pytest.raises(InputError, match="is damaged"):
        read_model(tmp_path)
