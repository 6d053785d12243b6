"""The audit of graphs: nothing in one reaches outside, and its ports are what a ship's are."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from shiplap.core.errors import ShipError
from shiplap.scoring.graph import Ports, audit_graph

ROWS = helper.make_tensor_value_info("rows", TensorProto.DOUBLE, ["n", 3])
OUT = helper.make_tensor_value_info("out", TensorProto.DOUBLE, ["n", 2])
WEIGHTS = numpy_helper.from_array(np.ones((3, 2)), "weights")


def model(nodes: Any = None, *, inputs: Any = (ROWS,), outputs: Any = (OUT,), held: Any = (WEIGHTS,)) -> Any:
    nodes = nodes or [helper.make_node("MatMul", ["rows", "weights"], ["out"])]
    graph = helper.make_graph(nodes, "graph", list(inputs), list(outputs), list(held))
    domains = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5), helper.make_opsetid("mine", 1)]
    return helper.make_model(graph, opset_imports=domains, ir_version=10)


def port(name: str, kind: int, *sizes: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, sizes)


def external() -> Any:
    tensor = TensorProto()
    tensor.CopyFrom(WEIGHTS)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def function(name: str, *nodes: Any) -> Any:
    return helper.make_function("mine", name, ["a"], ["b"], list(nodes), [helper.make_opsetid("", 21)])


def branch(*nodes: Any, held: Any = ()) -> Any:
    return helper.make_graph(list(nodes), "branch", [], [OUT], list(held))


def test_the_ports_of_a_plain_graph() -> None:
    assert audit_graph(model().SerializeToString()) == Ports(input="rows", output="out", width=3, n_outputs=2)


def test_an_initializer_that_is_listed_as_an_input_is_none() -> None:
    listed = helper.make_tensor_value_info("weights", TensorProto.DOUBLE, [3, 2])
    assert audit_graph(model(inputs=(ROWS, listed)).SerializeToString()).input == "rows"


def test_functions_that_the_model_holds_are_fine() -> None:
    made = model([helper.make_node("Twice", ["rows"], ["out"], domain="mine")])
    made.functions.append(function("Twice", helper.make_node("Add", ["a", "a"], ["b"])))
    assert audit_graph(made.SerializeToString()).width == 3


def test_trees_are_fine() -> None:
    node = helper.make_node("TreeEnsemble", ["rows"], ["out"], domain="ai.onnx.ml", nodes_splits=WEIGHTS)
    assert audit_graph(model([node]).SerializeToString()).width == 3


def hostile() -> dict[str, tuple[bytes, str]]:
    evil = helper.make_node("Evil", ["rows"], ["out"], domain="com.evil")
    constant = helper.make_node("Constant", [], ["out"], value=external())
    test = helper.make_node("Constant", [], ["test"], value_int=1)
    inside = helper.make_node("If", ["test"], ["out"], then_branch=branch(evil), else_branch=branch())
    hidden = helper.make_node("If", ["test"], ["out"], then_branch=branch(held=[external()]), else_branch=branch())
    sparse = onnx.SparseTensorProto(values=external())
    sparse_constant = helper.make_node("Constant", [], ["out"], sparse_value=sparse)
    trained = model()
    trained.training_info.add()
    wrapped, twice = model(), model()
    wrapped.functions.append(function("Call", evil))
    graph = twice.graph.SerializeToString()
    made = {
        "an unknown operator": (model([evil]), "the operator 'com.evil:Evil'"),
        "an operator in a branch": (model([test, inside]), "the operator 'com.evil:Evil'"),
        "an operator in a function": (wrapped, "the operator 'com.evil:Evil'"),
        "a function that is not there": (model([helper.make_node("No", [], ["out"], domain="mine")]), "'mine:No'"),
        "a tensor elsewhere": (model(held=[external()]), "keeps tensors in other files"),
        "an attribute elsewhere": (model([constant]), "keeps tensors in other files"),
        "a tensor elsewhere in a branch": (model([test, hidden]), "keeps tensors in other files"),
        "a sparse tensor elsewhere": (model([sparse_constant]), "keeps tensors in other files"),
        "training": (trained, "carries training information"),
        "two inputs": (model(inputs=[ROWS, port("b", 11, "n", 3)]), "2 inputs and 1 outputs"),
        "no output": (model(outputs=[]), "1 inputs and 0 outputs"),
        "floats in": (model(inputs=[port("rows", 1, "n", 3)]), "input is no double matrix"),
        "a vector out": (model(outputs=[port("out", 11, "n")]), "output is no double matrix"),
        "an open width": (model(inputs=[port("rows", 11, "n", "w")]), "width of its input open"),
    }
    raw = {name: (graph.SerializeToString(), says) for name, (graph, says) in made.items()}
    raw["the graph twice"] = (twice.SerializeToString() + b"\x3a" + _varint(len(graph)) + graph, "is given twice")
    raw["no graph"] = (b"\x08\x0a", "is no ONNX model")
    raw["no message"] = (b"\xff" * 20, "is no ONNX model")
    raw["a number for a graph"] = (b"\x38\x01", "is no ONNX model")
    raw["half a graph"] = (model().SerializeToString()[:-3], "is no ONNX model")
    return raw


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@pytest.mark.parametrize("name", hostile())
def test_what_a_ship_may_not_hold(name: str) -> None:
    graph, says = hostile()[name]
    with pytest.raises(ShipError, match=f"^has a graph .*{says}"):
        audit_graph(graph)


def test_no_field_hides_behind_a_number_that_readers_cut_off() -> None:
    """Some readers keep 32 bits of a field's key: 2**29 + 5 is then field 5, a tensor in another file."""
    body = model(held=[WEIGHTS]).graph.SerializeToString()
    content = external().SerializeToString()
    hidden = _varint((1 << 32) | (5 << 3) | 2) + _varint(len(content)) + content
    plain = model(held=[WEIGHTS])
    plain.ClearField("graph")
    graph = body + hidden
    with pytest.raises(ShipError, match="no ONNX model"):
        audit_graph(plain.SerializeToString() + _varint((7 << 3) | 2) + _varint(len(graph)) + graph)


def test_branches_have_an_end() -> None:
    graph = branch()
    for _ in range(30):
        node = helper.make_node("If", ["test"], ["out"], then_branch=graph, else_branch=branch())
        graph = branch(node)
    with pytest.raises(ShipError, match="nests deeper than 24 levels"):
        audit_graph(model([node]).SerializeToString())


@settings(max_examples=300)
@given(data=st.data())
def test_no_bytes_break_the_audit(data: st.DataObject) -> None:
    sound = model().SerializeToString()
    at = data.draw(st.integers(0, len(sound)))
    broken = sound[:at] + data.draw(st.binary(max_size=8)) + sound[at + data.draw(st.integers(0, 8)) :]
    with contextlib.suppress(ShipError):
        assert audit_graph(broken).width > 0
