"""The base of all networks, with a perceptron in numpy whose ONNX form is written out here."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from shiplap.adapters.frameworks import frameworks
from shiplap.adapters.frameworks.neural import Neural
from shiplap.adapters.frameworks.protocol import Ask
from shiplap.core.errors import RefusedError, TableError
from shiplap.engineer.deploy import pack
from shiplap.proof import certify, lower
from shiplap.scoring import Scorer, load, verify, write_ship

GENERATOR = np.random.default_rng(3)


class Perceptron:
    """``relu(x @ first) @ second``; a second input, an index, picks a row that is added.

    Its inner tensor is called ``rows`` and its output ``output``, as the ship's own ports are.
    """

    def __init__(self, outputs=3, ending="", names=("x", "output"), *, table=False):
        self.first = GENERATOR.normal(size=(6, 8)).astype(np.float32)
        self.second = GENERATOR.normal(size=(8, outputs)).astype(np.float32)
        self.table = GENERATOR.normal(size=(5, 6)).astype(np.float32) if table else None
        self.ending, self.names = ending, names
        self.wrong = False


class Numpy:
    """What a framework offers about perceptrons."""

    name = "numpy"

    def inputs(self, model, X):
        if isinstance(X, dict):
            if set(X) != ({model.names[0], "index"} if model.table is not None else {model.names[0]}):
                raise TableError("other inputs")
            return {name: np.asarray(X[name]).astype(np.int64 if name == "index" else np.float32) for name in X}
        return {model.names[0]: np.asarray(X, np.float32)}

    def call(self, model, arrays, ask):
        x = arrays[model.names[0]].reshape(-1, 6)
        if model.table is not None:
            if ((arrays["index"] < -5) | (arrays["index"] >= 5)).any():
                raise ValueError("outside the table")
            x = x + model.table[arrays["index"]]
        y = np.maximum(x @ model.first, np.float32(0)) @ model.second
        if model.ending == "Sigmoid":
            y = 1 / (1 + np.exp(-y))
        if model.ending == "Softmax":
            y = np.exp(y - y.max(axis=1, keepdims=True))
            y = y / y.sum(axis=1, keepdims=True)
        return (y.astype(np.float32),)

    def export(self, model, arrays, ask):
        first, last = model.names
        node, held = helper.make_node, numpy_helper.from_array
        nodes = [node("Reshape", [first, "flat"], ["f"])]
        constants = [held(np.array([-1, 6], np.int64), "flat"), held(model.first, "a")]
        constants.append(held(-model.second if model.wrong else model.second, "b"))
        last_of = "f"
        if model.table is not None:
            nodes += [node("Gather", ["table", "index"], ["picked"]), node("Add", ["f", "picked"], ["g"])]
            constants.append(held(model.table, "table"))
            last_of = "g"
        nodes += [node("MatMul", [last_of, "a"], ["h"]), node("Relu", ["h"], ["rows"])]
        nodes.append(node("MatMul", ["rows", "b"], [last if not model.ending else "y"]))
        if model.ending:
            nodes.append(node(model.ending, ["y"], [last]))
        kinds = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
        ports = [helper.make_tensor_value_info(n, kinds[str(a.dtype)], ["n", *a.shape[1:]]) for n, a in arrays.items()]
        out = [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", model.second.shape[1]])]
        graph = helper.make_graph(nodes, "perceptron", ports, out, constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    names = frameworks.names()
    monkeypatch.setattr(type(frameworks), "names", lambda self: [*names, "numpy"])
    monkeypatch.setattr(type(frameworks), "get", _get(type(frameworks).get))


def _get(usual):
    return lambda self, name: Neural(Numpy()) if name == "numpy" else usual(self, name)


def rows(*shape):
    return GENERATOR.normal(size=(60, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("model", "classes", "task", "scores"),
    [
        (Perceptron(3), (), "tensor", False),
        (Perceptron(1), (), "regression", False),
        (Perceptron(3), ("a", "b", "c"), "multiclass", True),
        (Perceptron(3, "Softmax"), ("a", "b", "c"), "multiclass", False),
        (Perceptron(1, "Sigmoid"), ("no", "yes"), "binary", False),
        (Perceptron(1), ("no", "yes"), "binary", True),
        (Perceptron(2), (0, 1), "binary", True),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_outputs_become_what_their_classes_say(tmp_path, model, classes, task, scores):
    X = rows(6)
    ship = pack(model, X, path=tmp_path / "net.ship", framework="numpy", classes=classes)
    assert (ship.signature.task, ship.signature.scores) == (task, scores)
    assert ship.certificate.flips == 0
    assert {kind.name for kind in ship.certificate.kinds} >= {"data", "missing", "a missing number", "tensors as lists"}
    assert verify(ship.path).holds
    [own] = Numpy().call(model, {"x": X}, Ask())
    if task == "multiclass":
        assert (load(ship.path).predict(X) == np.array(classes)[own.argmax(axis=1)]).all()


def test_arrays_of_several_axes_and_indices_have_columns_of_their_own(tmp_path):
    model = Perceptron(3, table=True)
    X = {"x": rows(2, 3), "index": GENERATOR.integers(0, 5, 60)}
    ship = pack(model, X, path=tmp_path / "net.ship", framework="numpy")
    assert [(field.name, field.kind, field.shape) for field in ship.signature.inputs] == [
        ("x", "tensor", (2, 3)),
        ("index", "number", ()),
    ]
    [answer] = load(ship.path).predict([{"x": X["x"][0].tolist(), "index": int(X["index"][0])}])
    [own] = Numpy().call(model, {name: array[:1] for name, array in X.items()}, Ask())
    assert answer == pytest.approx(own[0], abs=1e-5)


def test_columns_of_a_frame_are_the_features_of_the_only_input(tmp_path):
    model = Perceptron(1)
    frame = pd.DataFrame(rows(6), columns=list("abcdef"))
    ship = pack(model, frame, path=tmp_path / "net.ship", framework="numpy")
    assert ship.signature.names == tuple("abcdef")
    assert ship.certificate.flips == 0


def test_an_exporter_that_answers_otherwise_is_found_out():
    model = Perceptron(3)
    model.wrong = True
    subject = lower(model, rows(6), framework="numpy")
    ship_like = _draft(subject)
    assert certify(subject, ship_like).flips > 50


def test_classes_that_name_no_outputs_are_refused():
    with pytest.raises(RefusedError, match=r"\[3\] numbers a row, which 2 classes do not name"):
        lower(Perceptron(3), rows(6), framework="numpy", ask=Ask(classes=("no", "yes")))


def test_an_input_of_another_name_is_refused():
    with pytest.raises(TableError, match="other inputs"):
        lower(Perceptron(3), {"z": rows(6)}, framework="numpy")


def _draft(subject):
    with tempfile.TemporaryDirectory() as folder:
        ship = write_ship(
            Path(folder) / "draft.ship",
            name="draft",
            signature=subject.signature,
            encoding=subject.lowered.encoding,
            graph=subject.lowered.graph,
            policy=subject.policy,
        )
        return Scorer(ship)
