import numpy as np
import onnx

from shiplap.adapters.frameworks.graph import IR_VERSION, ML_OPSET, OPSET, GraphBuilder
from shiplap.adapters.runtimes import runtimes


def test_taking_all_columns_in_order_costs_nothing():
    graph = GraphBuilder()
    output = graph.op("Neg", graph.columns("rows", [0, 1, 2]))
    model = onnx.load_from_string(graph.build(output, width=3))
    assert [node.op_type for node in model.graph.node] == ["Neg"]
    assert [node.op_type for node in onnx.load_from_string(graph.build(output, width=4)).graph.node] == [
        "Gather",
        "Neg",
    ]


def test_versions_are_pinned_and_the_model_is_valid():
    graph = GraphBuilder()
    model = onnx.load_from_string(graph.build(graph.op("Exp", "rows"), width=2))
    onnx.checker.check_model(model)
    assert model.ir_version == IR_VERSION
    assert {one.domain: one.version for one in model.opset_import} == {"": OPSET, "ai.onnx.ml": ML_OPSET}


def test_the_input_itself_can_be_the_output():
    graph = GraphBuilder()
    rows = np.array([[1.0, 2.0]])
    run = runtimes.get("onnxruntime")(graph.build(graph.columns("rows", [0, 1]), width=2)).run
    np.testing.assert_array_equal(run(rows), rows)


def test_a_tensor_read_twice_keeps_its_name():
    graph = GraphBuilder()
    inner = graph.op("Exp", "rows")
    output = graph.op("Add", inner, inner)
    run = runtimes.get("onnxruntime")(graph.build(output, width=1)).run
    assert run(np.array([[0.0]])).item() == 2.0


def test_the_same_node_is_made_once_and_unused_ones_are_left_out():
    graph = GraphBuilder()
    first = graph.op("Exp", "rows")
    assert graph.op("Exp", "rows") == first
    graph.op("Log", "rows")
    assert len(onnx.load_from_string(graph.build(first, width=1)).graph.node) == 1


def test_a_loop_goes_on_until_its_step_says_no():
    def halve(inner, state):
        half = inner.op("Div", state, inner.constant(np.array([2.0])))
        return inner.op("Greater", inner.op("ReduceMax", half, keepdims=0), inner.constant(np.array(1.0))), half

    graph = GraphBuilder()
    go = graph.constant(np.array(True))
    doubled = graph.op("Mul", graph.loop(graph.loop("rows", go, halve), go, halve), graph.constant(np.array([2.0])))
    model = onnx.load_from_string(graph.build(doubled, width=1))
    onnx.checker.check_model(model)
    run = runtimes.get("onnxruntime")(model.SerializeToString()).run
    np.testing.assert_array_equal(run(np.array([[8.0], [3.0]])), [[1.0], [0.375]])


def test_a_loop_that_may_not_begin_leaves_everything():
    def negate(inner, state):
        return inner.constant(np.array(True)), inner.op("Neg", state)

    graph = GraphBuilder()
    never = graph.loop("rows", graph.constant(np.array(False)), negate)
    run = runtimes.get("onnxruntime")(graph.build(never, width=1)).run
    np.testing.assert_array_equal(run(np.array([[8.0]])), [[8.0]])
