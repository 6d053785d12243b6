"""ONNX Runtime as a runtime."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from shiplap.adapters.frameworks.graph import GraphBuilder
from shiplap.adapters.runtimes import runtimes
from shiplap.core.errors import InputError, ShipError

WEIGHTS = np.random.default_rng(0).normal(size=(3, 2))


def graph(*nodes: onnx.NodeProto, kind: int = TensorProto.DOUBLE, width: int | str = 3) -> bytes:
    rows = helper.make_tensor_value_info("rows", kind, ["n", width])
    out = helper.make_tensor_value_info("out", kind, None)
    steps = list(nodes) or [helper.make_node("MatMul", ["rows", "weights"], ["out"])]
    body = helper.make_graph(steps, "graph", [rows], [out], [numpy_helper.from_array(WEIGHTS, "weights")])
    domains = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    made = helper.make_model(body, opset_imports=domains, ir_version=10)
    return bytes(onnx.shape_inference.infer_shapes(made).SerializeToString())


def test_it_is_found_by_name() -> None:
    assert "onnxruntime" in runtimes.names()
    with pytest.raises(InputError, match="did you mean 'onnxruntime'"):
        runtimes.get("onnxruntim")


@pytest.mark.parametrize("n_rows", [0, 1, 7])
def test_it_computes_in_double(n_rows: int) -> None:
    runtime = runtimes.get("onnxruntime")(graph())
    rows = np.random.default_rng(1).normal(size=(n_rows, 3))
    found = runtime.run(rows)
    assert (found.dtype, found.shape, runtime.width, runtime.n_outputs) == (np.float64, (n_rows, 2), 3, 2)
    np.testing.assert_allclose(found, rows @ WEIGHTS, rtol=1e-14)


def test_bound_rows_are_computed_in_place() -> None:
    runtime = runtimes.get("onnxruntime")(graph(), threads=2)
    first, second = runtime.bound(), runtime.bound()
    first.input[:] = 1.0
    second.input[:] = 2.0
    first.run()
    second.run()
    np.testing.assert_array_equal(first.output, runtime.run(np.ones((1, 3))))
    np.testing.assert_array_equal(second.output, runtime.run(np.full((1, 3), 2.0)))


def test_threads_share_a_runtime() -> None:
    runtime = runtimes.get("onnxruntime")(graph())
    rows = np.random.default_rng(2).normal(size=(64, 3))
    wrong = []

    def work(at: int) -> None:
        bound = runtime.bound()
        for _ in range(200):
            bound.input[0] = rows[at]
            bound.run()
            if not np.array_equal(bound.output[0], runtime.run(rows[at : at + 1])[0]):
                wrong.append(at)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_double_trees_keep_a_threshold_to_the_last_bit() -> None:
    split = 0.1 + 0.2  # no float knows it
    trees = helper.make_node(
        "TreeEnsemble", ["rows"], ["out"], domain="ai.onnx.ml", n_targets=2, aggregate_function=1, post_transform=0,
        tree_roots=[0], nodes_featureids=[0], nodes_splits=numpy_helper.from_array(np.array([split])),
        nodes_modes=numpy_helper.from_array(np.array([0], dtype=np.uint8)), nodes_truenodeids=[0],
        nodes_falsenodeids=[1], nodes_trueleafs=[1], nodes_falseleafs=[1], nodes_missing_value_tracks_true=[1],
        leaf_targetids=[0, 1], leaf_weights=numpy_helper.from_array(np.array([1.0, 2.0])),
    )  # fmt: skip
    runtime = runtimes.get("onnxruntime")(graph(trees))
    above = np.nextafter(split, 1.0)
    rows = np.zeros((3, 3))
    rows[:, 0] = split, above, np.nan
    np.testing.assert_array_equal(runtime.run(rows), [[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (b"", "cannot be loaded"),
        (b"not a graph", "cannot be loaded"),
        (graph()[:-9], "cannot be loaded"),
        (graph(helper.make_node("Nothing", ["rows"], ["out"])), "cannot be loaded"),
        (graph(width="w"), "leaves the width of its input open"),
        (graph(helper.make_node("Identity", ["rows"], ["out"]), kind=TensorProto.FLOAT), "one double matrix"),
        (graph(helper.make_node("Shape", ["rows"], ["out"])), "cannot be loaded|one double matrix"),
    ],
)
def test_graphs_that_it_refuses(made: bytes, says: str) -> None:
    with pytest.raises(ShipError, match=says) as raised:
        runtimes.get("onnxruntime")(made)
    assert "\n" not in str(raised.value)


def test_a_graph_in_the_runtimes_own_format_is_refused(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "graph.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(graph(), options, providers=["CPUExecutionProvider"])
    own = (tmp_path / "graph.ort").read_bytes()
    assert onnxruntime.InferenceSession(own, providers=["CPUExecutionProvider"]).get_inputs()
    with pytest.raises(ShipError, match="cannot be loaded"):
        runtimes.get("onnxruntime")(own)


def test_a_graph_that_fails_on_its_rows_says_so() -> None:
    reshape = helper.make_node("Reshape", ["rows", "weights_shape"], ["out"])
    rows = helper.make_tensor_value_info("rows", TensorProto.DOUBLE, ["n", 3])
    out = helper.make_tensor_value_info("out", TensorProto.DOUBLE, ["m", 3])
    held = numpy_helper.from_array(np.array([1, 3]), "weights_shape")
    body = helper.make_graph([reshape], "graph", [rows], [out], [held])
    made = helper.make_model(body, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    runtime = runtimes.get("onnxruntime")(made.SerializeToString())
    with pytest.raises(ShipError, match="fails"):
        runtime.run(np.zeros((2, 3)))


def test_threads_are_counted_from_one() -> None:
    with pytest.raises(InputError, match="threads must be 1 or more, not 0"):
        runtimes.get("onnxruntime")(graph(), threads=0)


def test_a_number_that_the_graph_cannot_take_is_said_of_one_row_and_of_many():
    builder = GraphBuilder()
    table = builder.constant(np.arange(3.0).reshape(3, 1))
    place = builder.op("Cast", builder.op("Reshape", "rows", builder.constant(np.array([-1], np.int64))), to=7)
    runtime = runtimes.get("onnxruntime")(builder.build(builder.op("Gather", table, place, axis=0), width=1))
    bound = runtime.bound()
    bound.input[:] = 9
    for run in (bound.run, lambda: runtime.run(np.array([[1.0], [9.0]]))):
        with pytest.raises(ShipError, match="fails on these rows"):
            run()
