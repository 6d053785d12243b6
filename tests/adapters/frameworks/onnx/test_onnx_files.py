"""ONNX files as they are: what others exported becomes a ship that answers as ONNX Runtime does with the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

import shiplap as sl
from shiplap.adapters.frameworks.files import read_model
from shiplap.adapters.frameworks.onnx import files
from shiplap.core.errors import InputError, RefusedError, TableError
from shiplap.engineer.deploy import pack

GOLDEN = Path(__file__).parent / "golden"
ROWS = np.random.default_rng(2).normal(size=(200, 3)).astype(np.float32)


def _own(path, feeds):
    """What ONNX Runtime answers with the file itself, on one thread: sums of trees depend on how they are shared."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, feeds), strict=True))


def _model(nodes, inputs, outputs, constants=(), *, opset=18, ir=10, domains=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def _port(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


@pytest.mark.parametrize("name", ["zipmap", "labels", "linear", "opset11"])
def test_a_classifier_keeps_its_classes_and_probabilities(name, tmp_path, covered):
    ship = pack(read_model(GOLDEN / f"{name}.onnx"), ROWS, path=tmp_path / "a.ship")
    assert ship.certificate.flips == 0
    theirs = list(_own(GOLDEN / f"{name}.onnx", {"X": ROWS}).values())
    scorer = sl.load(ship.path)
    assert ship.signature.classes == ((0, 1, 2) if name == "linear" else ("no", "yes"))
    assert not ship.signature.scores
    np.testing.assert_array_equal(scorer.predict(ROWS), theirs[0])
    probabilities = pd.DataFrame(theirs[1]).to_numpy() if name == "zipmap" else theirs[1]
    np.testing.assert_array_equal(scorer.predict_proba(ROWS), probabilities)
    covered("onnx", f"skl2onnx classifier: {name}", "proven", difference=ship.certificate.largest_difference)


def test_a_regression_gives_its_number(tmp_path):
    ship = pack(read_model(GOLDEN / "regression.onnx"), ROWS, path=tmp_path / "a.ship")
    assert (ship.signature.task, ship.certificate.parity) == ("regression", "exact")
    theirs = _own(GOLDEN / "regression.onnx", {"X": ROWS})["variable"]
    np.testing.assert_array_equal(sl.load(ship.path).predict(ROWS), theirs[:, 0])


@pytest.mark.parametrize("name", ["isolation", "clusters"])
def test_several_outputs_stand_side_by_side(name, tmp_path, covered):
    ship = pack(read_model(GOLDEN / f"{name}.onnx"), ROWS, path=tmp_path / "a.ship")
    assert (ship.signature.task, ship.certificate.flips) == ("tensor", 0)
    theirs = [part.reshape(200, -1) for part in _own(GOLDEN / f"{name}.onnx", {"X": ROWS}).values()]
    np.testing.assert_array_equal(sl.load(ship.path).outputs(ROWS), np.hstack(theirs))
    covered("onnx", f"several outputs: {name}", "proven", difference=ship.certificate.largest_difference)


def test_columns_of_one_number_keep_their_names_and_types(tmp_path):
    frame = pd.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1], "n": np.arange(200) % 7})
    ship = pack(read_model(GOLDEN / "columns.onnx"), frame, path=tmp_path / "a.ship")
    assert ship.signature.names == ("a", "b", "n")
    assert {field.kind for field in ship.signature.inputs} == {"number"}
    assert ship.certificate.flips == 0
    feeds = {name: frame[[name]].to_numpy() for name in frame}
    np.testing.assert_array_equal(
        sl.load(ship.path).predict_proba(frame), _own(GOLDEN / "columns.onnx", feeds)["probabilities"]
    )
    again = pack(read_model(GOLDEN / "columns.onnx"), feeds, path=tmp_path / "b.ship")
    assert again.signature.names == ship.signature.names


def test_texts_that_are_only_looked_up_go_to_the_encoder(tmp_path, covered):
    rows = np.random.default_rng(4)
    frame = pd.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1], "n": np.arange(200) % 7})
    frame = frame.assign(w=rows.choice(["x", "ü ñ", "never seen"], 200), v=rows.choice(["", "b", "c"], 200))
    ship = pack(read_model(GOLDEN / "mixed.onnx"), frame, path=tmp_path / "a.ship")
    assert ship.certificate.flips == 0
    feeds = {name: frame[[name]].to_numpy(dtype=object if name in "wv" else None) for name in frame}
    theirs = _own(GOLDEN / "mixed.onnx", feeds)
    scorer = sl.load(ship.path)
    np.testing.assert_array_equal(scorer.predict_proba(frame), theirs["probabilities"])
    np.testing.assert_array_equal(scorer.predict(frame), theirs["label"])
    np.testing.assert_array_equal(scorer.outputs(frame.assign(v=None)), scorer.outputs(frame.assign(v="")))
    frame.to_csv(tmp_path / "rows.csv", index=False)
    read_back = pack(read_model(GOLDEN / "mixed.onnx"), sl.read(tmp_path / "rows.csv"), path=tmp_path / "b.ship")
    np.testing.assert_array_equal(sl.load(read_back.path).predict_proba(frame), theirs["probabilities"])
    covered("onnx", "inputs of texts that are looked up", "proven", difference=ship.certificate.largest_difference)


def test_a_text_that_the_file_fails_on_is_answered_with_no_number(tmp_path):
    frame = pd.DataFrame({"w": ["x", "y"] * 20})
    ship = pack(read_model(GOLDEN / "texts.onnx"), frame, path=tmp_path / "a.ship")
    assert ship.certificate.flips == 0
    answers = sl.load(ship.path).outputs({"w": ["x", "never seen"]})
    assert np.isfinite(answers[0]).all()
    assert np.isnan(answers[1]).all()


@pytest.mark.parametrize("kind", ["int64", "float"])
def test_a_label_encoder_of_texts_goes_to_the_encoder(kind, tmp_path):
    values = {"int64": [5, 7], "float": [0.5, 1.5]}[kind]
    look_up = helper.make_node(
        "LabelEncoder", ["w"], ["c"], domain="ai.onnx.ml", keys_strings=["x", "y"], **{f"values_{kind}s": values}
    )
    nodes = [look_up, helper.make_node("Cast", ["c"], ["y"], to=TensorProto.DOUBLE)]
    texts = _port("w", ["n", 1], TensorProto.STRING)
    model = _model(nodes, [texts], [_port("y", ["n", 1], TensorProto.DOUBLE)], domains=("ai.onnx.ml",))
    model.opset_import[1].version = 2
    ship = pack(model, pd.DataFrame({"w": ["x", "y", "z"]}), path=tmp_path / "a.ship")
    assert ship.certificate.parity == "exact"
    default = -1 if kind == "int64" else 0
    assert sl.load(ship.path).predict({"w": ["y", "x", "q", ""]}).tolist() == [values[1], values[0], default, default]


def test_texts_that_are_worked_with_are_refused_with_the_way_to_have_them(tmp_path, covered):
    first, second = {"keys_strings": ["x"], "values_strings": ["X"]}, {"keys_strings": ["X"], "values_int64s": [1]}
    nodes = [
        helper.make_node("LabelEncoder", ["w"], ["u"], domain="ai.onnx.ml", **first),
        helper.make_node("LabelEncoder", ["u"], ["c"], domain="ai.onnx.ml", **second),
        helper.make_node("Cast", ["c"], ["y"], to=TensorProto.DOUBLE),
    ]
    texts = _port("w", ["n"], TensorProto.STRING)
    model = _model(nodes, [texts], [_port("y", ["n"], TensorProto.DOUBLE)], domains=("ai.onnx.ml",))
    model.opset_import[1].version = 2
    with pytest.raises(RefusedError, match="'w' takes texts, which LabelEncoder turns into texts") as refused:
        pack(model, pd.DataFrame({"w": ["x", "y"]}), path=tmp_path / "a.ship")
    assert "pipeline that was exported" in refused.value.hint
    covered("onnx", "texts that are worked with", "refused", reason="a ship's graph holds numbers alone")


def test_a_label_that_is_not_of_the_largest_number_is_refused(tmp_path, covered):
    covered("onnx", "labels by vote (SVMClassifier)", "refused", reason="the label is not that of the largest number")
    with pytest.raises(RefusedError, match="not that of its largest number"):
        pack(read_model(GOLDEN / "svc.onnx"), ROWS, path=tmp_path / "a.ship")


def _dense(batch, *, reshape=None):
    weights = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    nodes = [helper.make_node("Flatten", ["x"], ["f"], axis=1), helper.make_node("MatMul", ["f", "w"], ["d"])]
    constants = [numpy_helper.from_array(weights, "w")]
    if reshape:
        nodes.append(helper.make_node("Reshape", ["d", "s"], ["y"]))
        constants.append(numpy_helper.from_array(np.array(reshape, np.int64), "s"))
    else:
        nodes.append(helper.make_node("Relu", ["d"], ["y"]))
    return _model(nodes, [_port("x", [batch, 2, 2])], [_port("y", [batch, 3])], constants)


def test_a_model_of_one_row_at_a_time_takes_many_where_that_changes_nothing(tmp_path):
    rows = np.random.default_rng(0).normal(size=(9, 2, 2)).astype(np.float32)
    ship = pack(_dense(1), {"x": rows}, path=tmp_path / "a.ship")
    assert ship.certificate.flips == 0
    onnx.save(_dense(1), tmp_path / "a.onnx")
    theirs = np.vstack([_own(tmp_path / "a.onnx", {"x": rows[row : row + 1]})["y"] for row in range(9)])
    np.testing.assert_allclose(sl.load(ship.path).outputs({"x": rows}), theirs, rtol=1e-6)


@pytest.mark.parametrize(("batch", "shape"), [(1, [1, 3]), (4, None)])
def test_a_batch_that_cannot_be_opened_is_refused_with_a_hint(batch, shape, tmp_path):
    rows = np.ones((8, 2, 2), np.float32)
    with pytest.raises(RefusedError, match="row") as refused:
        pack(_dense(batch, reshape=shape), {"x": rows}, path=tmp_path / "a.ship")
    assert "dynamic batch axis" in refused.value.hint


def test_operators_of_one_runtime_are_refused_by_name(tmp_path, covered):
    covered("onnx", "operators of one runtime", "refused", reason="they belong to no standard")
    node = helper.make_node("FastGelu", ["x"], ["y"], domain="com.microsoft")
    model = _model([node], [_port("x", ["n", 3])], [_port("y", ["n", 3])], domains=("com.microsoft",))
    with pytest.raises(RefusedError, match=r"com\.microsoft:FastGelu"):
        pack(model, ROWS, path=tmp_path / "a.ship")


@pytest.mark.parametrize("opset", [9, 12])
def test_old_versions_are_brought_up_and_answer_the_same(opset, tmp_path, covered):
    nodes = [
        helper.make_node("Squeeze", ["x"], ["s"], axes=[1]),
        helper.make_node("Softmax", ["s"], ["p"], axis=1),
        helper.make_node("ReduceSum", ["p"], ["t"], axes=[1], keepdims=1),
        helper.make_node("Add", ["p", "t"], ["y"]),
    ]
    model = _model(nodes, [_port("x", ["n", 1, 5])], [_port("y", ["n", 5])], opset=opset, ir=4)
    onnx.save(model, tmp_path / "old.onnx")
    rows = np.random.default_rng(0).normal(size=(30, 1, 5)).astype(np.float32)
    ship = pack(read_model(tmp_path / "old.onnx"), {"x": rows}, path=tmp_path / "a.ship")
    assert ship.certificate.flips == 0
    theirs = _own(tmp_path / "old.onnx", {"x": rows})["y"]
    np.testing.assert_allclose(sl.load(ship.path).outputs({"x": rows}), theirs, rtol=1e-6)
    covered("onnx", f"operators of version {opset}", "proven", difference=ship.certificate.largest_difference)


def test_weights_in_files_beside_it_are_read_and_sealed(tmp_path):
    model = _dense("n")
    onnx.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    assert (tmp_path / "m.data").stat().st_size > 0
    ship = pack(read_model(tmp_path / "m.onnx"), {"x": np.ones((5, 2, 2), np.float32)}, path=tmp_path / "a.ship")
    (tmp_path / "m.data").unlink()
    assert sl.verify(ship.path).holds


def test_weights_outside_its_folder_are_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64))
    folder = tmp_path / "model"
    folder.mkdir()
    onnx.save_model(_dense("n"), folder / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    altered = onnx.load(folder / "m.onnx", load_external_data=False)
    for entry in altered.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../secret"
    (folder / "m.onnx").write_bytes(altered.SerializeToString())
    with pytest.raises(InputError, match="cannot be read"):
        read_model(folder / "m.onnx")


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x0a"])
def test_a_file_that_is_no_model_is_refused(content, tmp_path):
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(InputError, match="no ONNX model"):
        read_model(tmp_path / "m.onnx")


def test_rows_of_another_shape_are_refused(tmp_path):
    with pytest.raises(TableError, match="'X' takes \\(3\\) a row"):
        pack(read_model(GOLDEN / "labels.onnx"), ROWS[:, :2], path=tmp_path / "a.ship")
    rows = pd.DataFrame({"a": [1.0], "b": [1.0]})
    with pytest.raises(TableError, match="lack the model's input 'n'"):
        pack(read_model(GOLDEN / "columns.onnx"), rows, path=tmp_path / "a.ship")


@pytest.mark.parametrize("in_one_file", [True, False])
def test_weights_too_many_for_one_message_lie_beside_the_graph_in_the_ship(in_one_file, tmp_path, monkeypatch, covered):
    """The limit is lowered: the way is the same."""
    monkeypatch.setattr(files, "_LARGEST", 100)
    onnx.save_model(
        _dense("n"),
        tmp_path / "m.onnx",
        save_as_external_data=True,
        location="m.data",
        size_threshold=0,
        all_tensors_to_one_file=in_one_file,
    )
    model = read_model(tmp_path / "m.onnx")
    assert isinstance(model, files.LargeOnnx)
    rows = np.random.default_rng(0).normal(size=(9, 2, 2)).astype(np.float32)
    ship = pack(model, {"x": rows}, path=tmp_path / "a.ship")
    assert ship.certificate.flips == 0
    assert bytes(ship.weights[:4]) not in ship.graph
    theirs = _own(tmp_path / "m.onnx", {"x": rows})["y"]
    for beside in tmp_path.glob("*"):
        if beside.suffix != ".ship":
            beside.unlink()
    np.testing.assert_array_equal(sl.load(ship.path).outputs({"x": rows}), theirs)
    assert sl.verify(ship.path).holds
    with pytest.raises(RefusedError, match="more than one ONNX file holds"):
        sl.export(ship.path, tmp_path / "a.onnx")
    covered("onnx", "weights beyond 2 GB", "proven", difference=ship.certificate.largest_difference)


def test_large_weights_outside_its_folder_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_LARGEST", 100)
    folder = tmp_path / "model"
    folder.mkdir()
    onnx.save_model(_dense("n"), folder / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    (folder / "m.data").rename(tmp_path / "m.data")
    (folder / "m.data").symlink_to(tmp_path / "m.data")
    with pytest.raises(InputError, match="no file beside the model"):
        read_model(folder / "m.onnx")


@pytest.mark.parametrize("deep", [False, True])
def test_weights_of_a_node_in_another_file_are_not_read(deep, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64))
    constant = helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(np.ones(3, np.float32), "k"))
    tensor = constant.attribute[0].t
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "secret"
    nodes = [constant, helper.make_node("Add", ["x", "k"], ["y"])]
    if deep:
        branch = helper.make_graph([constant], "b", [], [_port("k", [3])])
        nodes = [helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)]
    (tmp_path / "m.onnx").write_bytes(_model(nodes, [_port("x", ["n", 3])], [_port("y", ["n", 3])]).SerializeToString())
    with pytest.raises(InputError, match="weights of a node"):
        read_model(tmp_path / "m.onnx")
