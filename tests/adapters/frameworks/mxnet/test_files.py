"""Whole networks as MXNet 1.9.1 and versions before wrote them, read without MXNet; and files that are none."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import shiplap as sl
from shiplap.adapters.frameworks.files import read_model
from shiplap.adapters.frameworks.mxnet import MxnetModel, load, to_onnx
from shiplap.adapters.frameworks.mxnet.arrays import read_arrays
from shiplap.adapters.frameworks.mxnet.symbol import read_symbol
from shiplap.core.errors import InputError, RefusedError
from shiplap.engineer.deploy import pack

GOLDEN = Path(__file__).parent / "golden"
NETWORKS = ("image", "lstm", "gru", "attention", "module", "version05", "version08")


def _answer(model: MxnetModel, rows: Any) -> Any:
    lowered = to_onnx(model, {"data": rows.shape[1:]}).SerializeToString()
    return onnxruntime.InferenceSession(lowered, providers=["CPUExecutionProvider"]).run(None, {"data": rows})[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_as_mxnet_did(name: str, covered: Any) -> None:
    model = load(GOLDEN / f"{name}-symbol.json")
    assert model.inputs == ("data",)
    with np.load(GOLDEN / f"{name}.npz") as golden:
        rows, theirs = golden["data"], golden["out"]
    ours = _answer(model, rows)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=3e-6, atol=3e-6)
    np.testing.assert_allclose(_answer(model, rows[:1]), theirs[:1], rtol=3e-6, atol=3e-6)
    covered("mxnet", f"network: {name}", "proven", difference=float(np.abs(ours - theirs).max()))


def test_a_network_opens_by_either_of_its_files() -> None:
    by_weights = load(GOLDEN / "module-0003.params")
    assert sorted(by_weights.params) == sorted(load(GOLDEN / "module-symbol.json").params)


def test_arrays_of_every_type_are_read() -> None:
    arrays = read_arrays((GOLDEN / "types.params").read_bytes())
    assert set(arrays) == {"float32", "float64", "float16", "uint8", "int32", "int8", "int64"}
    for kind, array in arrays.items():
        assert str(array.dtype) == kind
        assert array.tolist() == [[0, 1, 2], [3, 4, 5]]


def _params(body: bytes, *, count: int = 1, names: bytes = struct.pack("<QQ", 1, 1) + b"w") -> bytes:
    return struct.pack("<QQQ", 0x112, 0, count) + body + names


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no MXNet .params"),
        (b"PK\x03\x04" + bytes(60), "no MXNet .params"),
        (struct.pack("<QQQ", 0x112, 0, 2**60), "claims to hold"),
        (struct.pack("<QQQ", 0x112, 0, 9), "ends too early"),
        (_params(struct.pack("<Iii2qiii", 0xF993FAC9, 0, 2, 2**40, 2**40, 1, 0, 0)), "ends too early"),
        (_params(struct.pack("<Iii", 0xF993FAC9, 0, 10**6)), "axes"),
        (_params(struct.pack("<Iii1qiii", 0xF993FAC9, 0, 1, -4, 1, 0, 0)), "negative"),
        (_params(struct.pack("<Iii1qiii", 0xF993FAC9, 0, 1, 1, 1, 0, 99) + bytes(8)), "unknown type"),
        (_params(struct.pack("<Ii", 0xF993FAC9, 1)), "sparse"),
        (_params(struct.pack("<Iii1qiii", 0xF993FAC9, 0, 1, 1, 1, 0, 0) + bytes(4)) + b"more", "follow its end"),
        (_params(struct.pack("<Iii1qiii", 0xF993FAC9, 0, 1, 1, 1, 0, 0) + bytes(4), names=bytes(8)), "0 names"),
    ],
)
def test_a_file_of_weights_that_is_none_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_arrays(content)


def test_every_way_to_cut_a_file_of_weights_short_is_refused() -> None:
    whole = (GOLDEN / "version08-0000.params").read_bytes()
    for size in range(len(whole)):
        with pytest.raises(InputError):
            read_arrays(whole[:size])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"nodes": [{"op": "relu", "name": "a", "inputs": [[0, 0, 0]]}], "heads": [[0, 0]]}',
        b'{"nodes": [], "heads": [[0, 0]]}',
        b'{"nodes": [{"op": 3, "name": "a", "inputs": []}], "heads": []}',
    ],
)
def test_a_symbol_file_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="symbol file"):
        read_symbol(content)


def _one(kind: str, weights: dict[str, Any] | None = None, **attributes: str) -> MxnetModel:
    names = ["data", *(weights or {})]
    nodes: list[dict[str, Any]] = [{"op": "null", "name": name, "inputs": []} for name in names]
    inputs = [[place, 0, 0] for place in range(len(names))]
    nodes.append({"op": kind, "name": "it", "attrs": attributes, "inputs": inputs})
    written = json.dumps({"nodes": nodes, "heads": [[len(names), 0, 0]]}).encode()
    return MxnetModel(read_symbol(written), weights or {})


def test_an_unknown_operator_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="operator ROIPooling \\('it'\\)"):
        to_onnx(_one("ROIPooling"), {"data": (3,)})


def test_an_unknown_attribute_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="relu \\('it'\\) has the attribute 'twist'"):
        to_onnx(_one("relu", twist="3"), {"data": (3,)})


def test_what_mixes_rows_is_refused() -> None:
    for model in (
        _one("sum", axis="0", keepdims="True"),
        _one("softmax", axis="0"),
        _one("reverse", axis="0"),
        _one("slice_axis", axis="0", begin="0", end="1"),
    ):
        with pytest.raises(RefusedError, match="along the batch"):
            to_onnx(model, {"data": (3,)})
    with pytest.raises(RefusedError, match="no row for each row"):
        to_onnx(_one("transpose"), {"data": (3,)})


def test_dropout_that_stays_on_is_refused() -> None:
    with pytest.raises(RefusedError, match="at random"):
        to_onnx(_one("Dropout", mode="always", p="0.5"), {"data": (3,)})


def test_weights_that_do_not_fit_are_refused() -> None:
    model = _one("FullyConnected", {"w": np.ones((2, 5), np.float32)}, num_hidden="2", no_bias="True")
    with pytest.raises(RefusedError, match="'it' does not fit"):
        to_onnx(model, {"data": (3,)})


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (_one("LayerNorm"), "does not fit what it reads"),
        (_one("Cast", dtype="nothing"), "does not fit what it reads"),
        (_one("Pad", mode="odd", pad_width="(0,0,1,1)"), "does not fit what it reads"),
        (_one("slice", begin="(0,", end="(1, 2)"), "does not fit what it reads"),
        (_one("clip", a_min="few", a_max="1"), "has 'a_min' of 'few'"),
        (_one("tile", reps="x"), "has 'reps'"),
    ],
)
def test_an_operator_that_is_written_wrongly_is_refused_by_name(model: MxnetModel, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        to_onnx(model, {"data": (3,)})


def test_a_constant_too_large_for_any_memory_is_refused() -> None:
    nodes = [
        {"op": "null", "name": "data", "inputs": []},
        {"op": "_zeros", "name": "it", "attrs": {"shape": "(99999999999, 9)"}, "inputs": []},
        {"op": "elemwise_add", "name": "sum", "inputs": [[0, 0, 0], [1, 0, 0]]},
    ]
    model = MxnetModel(read_symbol(json.dumps({"nodes": nodes, "heads": [[2, 0, 0]]}).encode()), {})
    with pytest.raises(RefusedError, match="constant of 899,999,999,991 numbers"):
        to_onnx(model, {"data": (3,)})
    nodes[1] = {"op": "_arange", "name": "it", "attrs": {"start": "0", "stop": "1e15"}, "inputs": []}
    model = MxnetModel(read_symbol(json.dumps({"nodes": nodes, "heads": [[2, 0, 0]]}).encode()), {})
    with pytest.raises(RefusedError, match="constant of more than"):
        to_onnx(model, {"data": (3,)})


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    symbol = tmp_path / "net-symbol.json"
    symbol.write_bytes((GOLDEN / "module-symbol.json").read_bytes())
    with pytest.raises(InputError, match=r"no 'net-0000\.params'"):
        load(symbol)


@pytest.mark.parametrize(
    ("name", "classes", "task"),
    [("image", (), "tensor"), ("gru", (), "regression"), ("attention", ("a", "b", "c"), "multiclass")],
)
def test_a_network_becomes_a_ship_that_answers_as_mxnet_did(
    name: str, classes: tuple[str, ...], task: str, tmp_path: Path
) -> None:
    with np.load(GOLDEN / f"{name}.npz") as golden:
        rows, theirs = golden["data"], golden["out"]
    ship = pack(read_model(GOLDEN / f"{name}-symbol.json"), rows, path=tmp_path / "a.ship", classes=classes)
    assert (ship.signature.task, ship.certificate.flips) == (task, 0)
    ours = sl.load(ship.path).outputs({"data": rows})
    np.testing.assert_allclose(ours, theirs.reshape(len(rows), -1), rtol=3e-6, atol=3e-6)


def test_named_classes_of_a_table_network_are_predicted(tmp_path: Path) -> None:
    with np.load(GOLDEN / "module.npz") as golden:
        rows, theirs = golden["data"], golden["out"]
    model = read_model(GOLDEN / "module-0003.params")
    ship = pack(model, rows, path=tmp_path / "a.ship", classes=("low", "middle", "high"))
    assert sl.verify(ship.path).holds
    expected = np.array(["low", "middle", "high"])[theirs.argmax(axis=1)]
    assert sl.load(ship.path).predict({"data": rows}).tolist() == expected.tolist()
