"""Constants outside the graph: sealed, audited, mapped where they are many, and read by nothing but the graph."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from shiplap.core.encoding import Encoding, Number
from shiplap.core.errors import ShipError
from shiplap.core.policy import Policy
from shiplap.core.ship import Ship
from shiplap.core.signature import Field, Signature
from shiplap.scoring import Scorer, container, load, read_ship, shipfile, write_ship
from shiplap.scoring.container import pack_members, unpack_members
from shiplap.scoring.graph import audit_graph
from shiplap.scoring.shipfile import attach

RNG = np.random.default_rng(0)
W = RNG.normal(size=(3, 4))
B = RNG.normal(size=4).astype(np.float32)
X = RNG.normal(size=(7, 3))


def _outside(name: str, array: Any, at: int, **said: str) -> TensorProto:
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
    where = {"location": "graph.data", "offset": str(at), "length": str(array.nbytes), **said}
    for key, value in where.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def _graph(*constants: TensorProto, nodes: tuple[Any, ...] = ()) -> bytes:
    graph = helper.make_graph(
        [
            *nodes,
            helper.make_node("MatMul", ["rows", "w"], ["m"]),
            helper.make_node("Cast", ["b"], ["d"], to=TensorProto.DOUBLE),
            helper.make_node("Add", ["m", "d"], ["output"]),
        ],
        "model",
        [helper.make_tensor_value_info("rows", TensorProto.DOUBLE, ["n", 3])],
        [helper.make_tensor_value_info("output", TensorProto.DOUBLE, ["n", 4])],
        list(constants),
    )
    opsets = [helper.make_opsetid("", 18)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return content


# The second constant begins at an odd place, which no processor likes.
GRAPH = _graph(_outside("w", W, 0), _outside("b", B, 97))
WEIGHTS = W.tobytes() + b"\0" + B.tobytes()


def _ship(path: Path, graph: Any) -> Ship:
    return write_ship(
        path,
        name="weights",
        signature=Signature(
            inputs=tuple(Field(name=f"x{index}", kind="number") for index in range(3)), task="tensor", shape=(4,)
        ),
        encoding=Encoding(operations=tuple(Number(column=f"x{index}") for index in range(3))),
        graph=graph,
        policy=Policy(task="tensor"),
    )


def test_a_ship_answers_from_weights_outside_its_graph(tmp_path: Path) -> None:
    made = _ship(tmp_path / "a.ship", (GRAPH, WEIGHTS))
    np.testing.assert_allclose(Scorer(made).outputs(X), X @ W + B, rtol=1e-12)
    np.testing.assert_allclose(load(tmp_path / "a.ship").outputs(X), X @ W + B, rtol=1e-12)
    whole = _ship(tmp_path / "b.ship", _graph(numpy_helper.from_array(W, "w"), numpy_helper.from_array(B, "b")))
    np.testing.assert_array_equal(Scorer(whole).outputs(X), Scorer(made).outputs(X))
    assert made.sealed_bytes > len(WEIGHTS)
    with zipfile.ZipFile(tmp_path / "a.ship") as file:
        assert file.namelist() == ["manifest.json", "encode.json", "graph.onnx", "policy.json", "graph.data"]
        assert file.read("graph.data") == WEIGHTS


def test_the_ship_id_names_the_weights(tmp_path: Path) -> None:
    one = _ship(tmp_path / "a.ship", (GRAPH, WEIGHTS))
    other = _ship(tmp_path / "b.ship", (GRAPH, WEIGHTS[:-1] + b"\1"))
    assert one.id != other.id
    assert read_ship(one.path).id == one.id


def test_an_altered_weight_is_noticed(tmp_path: Path) -> None:
    path = _ship(tmp_path / "a.ship", (GRAPH, WEIGHTS)).path
    content = path.read_bytes()
    path.write_bytes(content.replace(B.tobytes(), (B + 1).tobytes()))
    with pytest.raises(ShipError, match=r"altered at 'graph\.data'"):
        read_ship(path)
    members = {name: bytes(body) for name, body in unpack_members(content).items()}
    members["graph.data"] = WEIGHTS[:-1] + b"\1"
    path.write_bytes(b"".join(pack_members(members)))
    with pytest.raises(ShipError, match=r"altered at 'graph\.data'"):
        read_ship(path)


def test_a_file_too_large_for_memory_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _ship(tmp_path / "a.ship", (GRAPH, WEIGHTS)).path
    monkeypatch.setattr(shipfile, "LIMIT_BYTES", path.stat().st_size - 1)
    ship = read_ship(path)
    assert isinstance(ship.weights, memoryview)
    assert bytes(ship.weights) == WEIGHTS
    np.testing.assert_allclose(Scorer(ship).outputs(X), X @ W + B, rtol=1e-12)
    later = attach(path, {"notes.md": b"on top"})
    assert (later.id, later.evidence["notes.md"]) == (ship.id, b"on top")
    np.testing.assert_array_equal(load(path).outputs(X), Scorer(ship).outputs(X))
    with pytest.raises(ShipError, match="larger than 100 bytes"):
        read_ship(path, limit_bytes=100)


def test_everything_but_the_weights_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _ship(tmp_path / "a.ship", (GRAPH, WEIGHTS)).path
    monkeypatch.setattr(shipfile, "LIMIT_BYTES", 600)
    with pytest.raises(ShipError, match="larger than a ship file may be"):
        read_ship(path)


@pytest.mark.parametrize(
    ("graph", "weights", "told"),
    [
        (_graph(_outside("w", W, 0), _outside("b", B, 90)), WEIGHTS, "overlap"),
        (_graph(_outside("w", W, 0), _outside("b", B, 98)), WEIGHTS, "reach beyond"),
        (_graph(_outside("w", W, 0), _outside("b", B, 97, location="/etc/passwd")), WEIGHTS, "other files"),
        (_graph(_outside("w", W, 0), _outside("b", B, 97, length="15")), WEIGHTS, "another size than its shape"),
        (_graph(_outside("w", W, 0), _outside("b", B, 97, offset="-1")), WEIGHTS, "cannot be read"),
        (_graph(_outside("w", W, 0), _outside("b", B, 97, checksum="x")), WEIGHTS, "other files"),
        (_graph(_outside("w", W, 0), _outside("w", B, 97)), WEIGHTS, "a constant twice"),
        (_graph(_outside("w", W, 0), _outside("b", B, 97)), b"", "other files"),
        (_graph(numpy_helper.from_array(W, "w"), numpy_helper.from_array(B, "b")), WEIGHTS, "does not read"),
        (_graph(_outside("w", W.astype("c16"), 0), _outside("b", B, 200)), bytes(400), "a type that it may not"),
        (
            _graph(
                *(_outside("w", W, 0), _outside("b", B, 97)),
                nodes=(helper.make_node("Constant", [], ["k"], value=_outside("k", B, 0)),),
            ),
            WEIGHTS,
            "other files",
        ),
    ],
)
def test_a_graph_that_reaches_elsewhere_is_refused(graph: bytes, weights: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(ShipError, match=told):
        _ship(tmp_path / "a.ship", (graph, weights))


def test_a_constant_given_inside_and_outside_is_refused(tmp_path: Path) -> None:
    twice = _outside("b", B, 97)
    twice.raw_data = B.tobytes()
    with pytest.raises(ShipError, match="given twice"):
        _ship(tmp_path / "a.ship", (_graph(_outside("w", W, 0), twice), WEIGHTS))


def test_shapes_are_read_however_they_are_written() -> None:
    model = onnx.load_from_string(GRAPH)
    assert [one.shape for one in audit_graph(GRAPH, n_data=len(WEIGHTS)).outside] == [(3, 4), (4,)]
    # The same shape as one packed field, as other writers of Protocol Buffers have it.
    tensor = model.graph.initializer[0].SerializeToString()
    plain, packed = b"\x08\x03\x08\x04", b"\x0a\x02\x03\x04"
    assert plain in tensor
    altered = GRAPH.replace(plain, packed)
    assert [one.shape for one in audit_graph(altered, n_data=len(WEIGHTS)).outside] == [(3, 4), (4,)]


@pytest.mark.parametrize("least", [60, 150, 250, 400])
def test_numbers_too_large_for_a_plain_zip_are_written_in_the_one_way_that_is_valid(
    least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {"manifest.json": b"{}", "a": b"x" * 50, "graph.data": b"y" * 300, "evidence/z": b"hello"}
    plain = b"".join(pack_members(members))
    monkeypatch.setattr(container, "_LARGE", least)
    packed = b"".join(pack_members(members))
    assert packed != plain
    assert {name: bytes(body) for name, body in unpack_members(packed).items()} == members
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == members
    for place in range(len(packed)):
        altered = bytearray(packed)
        altered[place] ^= 1
        with pytest.raises(ShipError):
            unpack_members(bytes(altered))
        with pytest.raises(ShipError):
            unpack_members(packed[:place])
    monkeypatch.undo()
    with pytest.raises(ShipError):
        unpack_members(packed)  # nothing there needs the larger fields
