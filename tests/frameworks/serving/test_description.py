"""The OpenAPI description is true: Schemathesis sends what it allows and what it forbids, and looks at every answer."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from openapi_spec_validator import validate

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number, Tensor, Text
from shiplap.core.policy import Policy
from shiplap.core.signature import Field, Signature
from shiplap.scoring import write_ship

OPERATIONS = (
    Number(column="height", missing=("?", "-1")),
    Category(column="plan", categories=("basic", "plus"), if_unseen=(-1.0,)),
    Date(column="since", parts=("month", "epoch_s")),
    Boolean(column="paid", true=("Y",), false=("N",)),
)
INPUTS = (
    Field(name="height", kind="number", example=1.8),
    Field(name="plan", kind="category", example="basic"),
    Field(name="since", kind="date", example="2013-03-01T05:00:00Z"),
    Field(name="paid", kind="boolean", example=True),
)
NOTE = Field(name="note", kind="text", example="Call now")
GRID = Field(name="grid", kind="tensor", shape=(2, 2))
CONFIGURATION = """
hooks = "{hooks}"

[checks]
# In their place stand `described_is_answered` and `forbidden_is_refused`.
positive_data_acceptance.enabled = false
negative_data_rejection.enabled = false
negative_data_rejection.expected-statuses = [400, 404, 405, 406, 411, 413, 414, 415, 422, 431]
"""


def write(path, operations, inputs, *, task, classes=(), shape=()):
    """Write a ship that adds up what its encoder writes; one of a tensor answers it as it is."""
    encoding = Encoding(operations=operations)
    nodes = [
        helper.make_node("IsNaN", ["rows"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "rows"], ["known"]),
        helper.make_node("ReduceSum", ["known", "axis"], ["sum"], keepdims=1),
        helper.make_node("Sigmoid", ["sum"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["both"], axis=1),
    ]
    last = {"binary": "both", "regression": "sum", "tensor": "rows"}[task]
    signature = Signature(inputs=inputs, task=task, classes=classes, shape=shape)
    ends = [("rows", encoding.width), ("answer", signature.n_outputs)]
    tensors = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", width]) for name, width in ends]
    constants = {"zero": np.array(0.0), "one": np.array(1.0), "axis": np.array([1], dtype=np.int64)}
    graph = helper.make_graph(
        [*nodes, helper.make_node("Identity", [last], ["answer"])],
        "sum",
        tensors[:1],
        tensors[1:],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    policy = Policy(task=task, classes=classes, positive=1 if classes else -1)
    write_ship(
        path,
        name=path.stem,
        signature=signature,
        encoding=encoding,
        graph=model.SerializeToString(),
        policy=policy,
    )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    labels = {"task": "binary", "classes": ("no", "yes")}
    write(folder / "every.ship", OPERATIONS, INPUTS, **labels)
    write(folder / "number.ship", OPERATIONS[:1], INPUTS[:1], task="regression")
    write(folder / "note.ship", (Text(column="note", vocabulary=("call", "now")),), (NOTE,), **labels)
    write(folder / "grid.ship", (Tensor(column="grid", shape=(2, 2)),), (GRID,), task="tensor", shape=(4,))
    (folder / "schemathesis.toml").write_text(CONFIGURATION.format(hooks=Path(__file__).parent / "hooks.py"))
    return folder


def checked(address, folder, *options):
    """Run Schemathesis against a server, and return how many requests it sent."""
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", folder / "schemathesis.toml", "run"]
    fixed = ["--generation-deterministic", "--no-color", "--workers", "1", "--warnings", "off"]
    done = subprocess.run(
        [*command, f"{address}/openapi.json", *fixed, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    found = re.search(r"(\d+) generated", done.stdout)
    assert found is not None, done.stdout
    return int(found[1])


def test_what_every_protocol_says_of_itself_is_true(start, folder):
    with start(folder / "every.ship") as address:
        assert validate(httpx.get(f"{address}/openapi.json").json()) is None
        n_cases = checked(address, folder, "--phases", "examples,fuzzing", "--max-examples", "50")
        # The paths of a version and of a name take the same; the alternatives of /score take a minute to go through.
        alike = "version|/models/every/invoke|/predict/every|/score"
        n_cases += checked(address, folder, "--phases", "coverage", "--exclude-path-regex", alike)
    assert n_cases > 2_000


def test_it_is_true_of_several_models(start, folder):
    with start(*(folder / f"{name}.ship" for name in ("number", "note", "grid"))) as address:
        assert validate(httpx.get(f"{address}/openapi.json").json()) is None
        n_cases = checked(
            address, folder, "--phases", "examples,fuzzing", "--max-examples", "30", "--exclude-path-regex", "version"
        )
    assert n_cases > 500
