"""Small graphs and ships to test with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number
from shiplap.core.policy import Policy
from shiplap.core.ship import Ship
from shiplap.core.signature import Field, Signature
from shiplap.scoring import write_ship

ENCODING = Encoding(
    operations=(
        Number(column="age", missing=("?",)),
        Boolean(column="paid", true=("Y",), false=("N",)),
        Category(column="color", categories=("red", "blue"), values=((1.0, 0.0), (0.0, 1.0)), if_missing=(0.0, 0.0),
                 if_unseen=(0.0, 0.0)),
        Date(column="at", parts=("month", "hour")),
    )
)  # fmt: skip
SIGNATURE = Signature(
    inputs=(
        Field(name="age", kind="number"),
        Field(name="paid", kind="boolean"),
        Field(name="color", kind="category"),
        Field(name="at", kind="date"),
    ),
    task="binary",
    classes=("no", "yes"),
)
POLICY = Policy(task="binary", classes=("no", "yes"), positive=1, threshold=0.25)


def linear_graph(width: int, n_outputs: int = 2, *, seed: int = 0) -> bytes:
    """Return a graph that replaces NaN by 0, multiplies by a matrix and, for classes, takes the softmax."""
    weights = np.random.default_rng(seed).normal(scale=0.2, size=(width, n_outputs))
    nodes = [
        helper.make_node("IsNaN", ["rows"], ["gone"]),
        helper.make_node("Where", ["gone", "zero", "rows"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["sums" if n_outputs > 1 else "out"]),
    ]
    if n_outputs > 1:
        nodes.append(helper.make_node("Softmax", ["sums"], ["out"], axis=1))
    held = [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.zeros(()), "zero")]
    return model_of(nodes, held, width=width, n_outputs=n_outputs)


def model_of(nodes: list[Any], held: list[Any], *, width: int, n_outputs: int) -> bytes:
    """Serialize a graph of one double matrix in and one out."""
    rows = helper.make_tensor_value_info("rows", TensorProto.DOUBLE, ["n", width])
    out = helper.make_tensor_value_info("out", TensorProto.DOUBLE, ["n", n_outputs])
    graph = helper.make_graph(nodes, "graph", [rows], [out], held)
    domains = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=domains, ir_version=10)
    return bytes(model.SerializeToString())


@pytest.fixture
def make_ship(tmp_path: Path) -> Callable[..., Ship]:
    """Write a small ship, some of its parts replaced; its graph fits them unless `fit` is False."""

    def make(name: str = "small.ship", *, fit: bool = True, **parts: Any) -> Ship:
        usual = {
            "name": "small",
            "signature": SIGNATURE,
            "encoding": ENCODING,
            "policy": POLICY,
            "lineage": {"table": "0" * 64},
            "evidence": {"card.md": b"# small"},
            **parts,
        }
        shape = (usual["encoding"].width, max(len(usual["policy"].classes), 1)) if fit else (6, 2)
        return write_ship(tmp_path / name, **{"graph": linear_graph(*shape), **usual})

    return make
