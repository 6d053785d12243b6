"""Every operator against the answers that MXNet 1.9.1 gave; ``golden/make.py`` says how they were made."""

from __future__ import annotations

import io
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from shiplap.adapters.frameworks.mxnet import MxnetModel, known_operators, to_onnx
from shiplap.adapters.frameworks.mxnet.symbol import read_symbol

GOLDEN = Path(__file__).parent / "golden"


def _golden() -> dict[str, dict[str, Any]]:
    cases: dict[str, dict[str, Any]] = {}
    with np.load(io.BytesIO(lzma.decompress((GOLDEN / "operators.npz.xz").read_bytes()))) as held:
        for key in held.files:
            if key == "aliases":
                continue
            name, kind, *place = key.split("|")
            kinds = cases.setdefault(name, {"in": {}, "param": {}, "out": {}})
            if place:
                kinds[kind][place[0]] = held[key]
            else:
                kinds[kind] = held[key].tobytes()
    return cases


def _aliases() -> dict[str, tuple[str, str]]:
    """Other names of operators: what each is another name of, and the case that MXNet answered under it."""
    with np.load(io.BytesIO(lzma.decompress((GOLDEN / "operators.npz.xz").read_bytes()))) as held:
        found: dict[str, tuple[str, str]] = json.loads(held["aliases"].tobytes())
    return found


CASES = _golden()
ALIASES = _aliases()


def answers(model: onnx.ModelProto, rows: dict[str, Any]) -> list[Any]:
    """Return what ONNX Runtime answers."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, rows))


def test_every_known_operator_was_answered_by_mxnet() -> None:
    kinds = {node.kind for case in CASES.values() for node in read_symbol(case["symbol"]).nodes}
    networks = [read_symbol(path.read_bytes()) for path in GOLDEN.glob("*-symbol.json")]
    kinds |= {node.kind for network in networks for node in network.nodes} | set(ALIASES)
    assert set(known_operators()) - kinds == set()
    assert kinds - {"null"} - set(known_operators()) == set()


@pytest.mark.parametrize("name", ALIASES)
def test_an_operator_answers_under_its_other_names(name: str, covered: Any) -> None:
    known, golden = ALIASES[name]
    case = CASES[golden]
    written = case["symbol"].replace(f'"op": "{known}"'.encode(), f'"op": "{name}"'.encode())
    model = MxnetModel(read_symbol(written), case["param"])
    assert name in {node.kind for node in model.symbol.nodes}
    lowered = to_onnx(model, {key: rows.shape[1:] for key, rows in case["in"].items()})
    for place, ours in enumerate(answers(lowered, case["in"])):
        np.testing.assert_allclose(ours, case["out"][str(place)], rtol=2e-6, atol=4e-6)
    covered("mxnet", name, "proven")


@pytest.mark.parametrize("name", CASES)
def test_an_operator_answers_as_mxnet_did(name: str, covered: Any) -> None:
    case = CASES[name]
    model = MxnetModel(read_symbol(case["symbol"]), case["param"])
    lowered = to_onnx(model, {key: rows.shape[1:] for key, rows in case["in"].items()})
    # Recurrent layers were given a first state for two rows.
    fixed = any(node.kind == "RNN" for node in model.symbol.nodes)
    found = answers(lowered, case["in"])
    assert len(found) == len(case["out"])
    for place, ours in enumerate(found):
        theirs = case["out"][str(place)]
        assert ours.shape == theirs.shape
        apart = float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))))
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=4e-6)
    single = answers(lowered, {key: rows[:1] for key, rows in case["in"].items()})
    for one, many in zip(single, found, strict=True):
        np.testing.assert_allclose(one, many[:1], rtol=2e-6, atol=2e-6)
    for node in model.symbol.nodes:
        if node.kind != "null":
            covered("mxnet", node.kind, "proven", difference=apart)
    assert fixed or lowered.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
