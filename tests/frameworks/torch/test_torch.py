"""Networks of PyTorch become ship files that answer as they do, or are refused with the reason."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
import torch_nets as nets
from torch import nn

import shiplap
from shiplap.core.errors import DoesNotHoldError, RefusedError, TableError
from shiplap.core.ship import Ship
from shiplap.scoring import Scorer

torch.set_num_threads(1)
RANDOM = np.random.default_rng(0)


def reals(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RANDOM.normal(size=(40, *shape)).astype(dtype)


def indices(n: int, *shape: int) -> np.ndarray:
    return RANDOM.integers(0, n, size=(40, *shape))


def pack(model: Any, X: Any, folder: Path, **asked: Any) -> Ship:
    return shiplap.pack(model, X, path=folder / "net.ship", **asked)


def own(model: Any, *arrays: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.eval()(*(torch.tensor(array) for array in arrays)).numpy()


PROVEN = {
    "MLP with BatchNorm and Dropout": (nets.perceptron, reals(4), {"classes": ("a", "b", "c")}),
    "MLP, two classes": (lambda: nn.Linear(4, 2), reals(4), {"classes": (0, 1)}),
    "MLP, one probability": (lambda: nn.Sequential(nn.Linear(4, 1), nn.Sigmoid()), reals(4), {"classes": (0, 1)}),
    "MLP of float64": (lambda: nets.perceptron().double(), reals(4, dtype="float64"), {}),
    "CNN": (nets.convolutions, reals(1, 8, 8), {"classes": ("x", "y", "z")}),
    "LSTM, batch first": (lambda: nets.Recurrent(nn.LSTM), reals(5, 3), {}),
    "LSTM, length first": (lambda: nets.Recurrent(nn.LSTM, batch_first=False), reals(5, 3), {}),
    "GRU": (lambda: nets.Recurrent(nn.GRU), reals(5, 3), {}),
    "transformer encoder with a padding mask": (nets.Attention, indices(20, 6), {"classes": ("a", "b", "c")}),
    "embedding bag, embedding and numbers": (
        nets.Tabular,
        {"items": indices(20, 6), "shop": indices(5), "numbers": reals(2)},
        {},
    ),
    "several outputs": (nets.Several, reals(4), {}),
    "resized images": (nets.Upscaled, reals(2, 4, 4), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", PROVEN)
def test_a_network_becomes_a_ship_that_answers_as_it_does(name: str, tmp_path: Path, covered: Any) -> None:
    build, X, asked = PROVEN[name]
    ship = pack(nets.seeded(build), X, tmp_path, **asked)
    certificate = ship.certificate
    assert certificate.flips == 0
    assert certificate.rows > 500
    assert certificate.largest_difference < 1e-4
    covered("torch", name, "proven", difference=certificate.largest_difference)


def test_answers_are_those_of_evaluation_mode_and_the_mode_is_put_back(tmp_path: Path) -> None:
    model = nets.seeded(nets.perceptron)
    model.train()
    model[1].eval()
    X = reals(4)
    ship = pack(model, X, tmp_path)
    assert [part.training for part in model] == [True, False, True, True, True]
    assert np.allclose(Scorer(ship).outputs({"input": list(X)}), own(model, X), atol=1e-5)


def test_a_batch_of_any_size_is_answered(tmp_path: Path) -> None:
    model = nets.seeded(lambda: nets.Recurrent(nn.LSTM))
    scorer = Scorer(pack(model, reals(5, 3), tmp_path))
    for size in (1, 2, 17):
        rows = np.resize(reals(5, 3), (size, 5, 3))
        assert np.allclose(scorer.outputs({"steps": list(rows)}), own(model, rows), atol=1e-6)


def test_a_frame_is_the_features_of_the_only_input(tmp_path: Path) -> None:
    model = nets.seeded(nets.perceptron)
    frame = pd.DataFrame(reals(4), columns=["a", "b", "c", "d"])
    ship = pack(model, frame, tmp_path, classes=("x", "y", "z"))
    assert ship.manifest.signature.names == ("a", "b", "c", "d")
    row = frame.iloc[0].to_dict()
    expected = own(model, frame.iloc[:1].to_numpy())[0]
    answer = Scorer(ship).predict_row(row)
    assert answer.prediction == ("x", "y", "z")[int(expected.argmax())]


def test_whole_numbers_of_a_frame_are_read_as_real_ones_where_the_network_needs_them(tmp_path: Path) -> None:
    frame = pd.DataFrame(indices(9, 4), columns=list("abcd"))
    assert pack(nets.seeded(nets.perceptron), frame, tmp_path).certificate.flips == 0


def test_an_embedding_reads_whole_numbers_of_a_frame_as_indices(tmp_path: Path) -> None:
    model = nets.seeded(lambda: nn.Sequential(nn.Embedding(9, 3), nn.Flatten(), nn.Linear(12, 1)))
    ship = pack(model, pd.DataFrame(indices(9, 4), columns=list("abcd")), tmp_path)
    assert ship.certificate.flips == 0
    assert ship.certificate.rows > 300


def test_inputs_are_named_as_forward_names_them(tmp_path: Path) -> None:
    ship = pack(nets.seeded(nets.Tabular), PROVEN["embedding bag, embedding and numbers"][1], tmp_path)
    fields = {field.name: (field.kind, field.shape) for field in ship.manifest.signature.inputs}
    assert fields == {"items": ("tensor", (6,)), "shop": ("number", ()), "numbers": ("tensor", (2,))}
    answer = Scorer(ship).predict_row({"items": [1, 2, 3, 4, 5, 6], "shop": 3.0, "numbers": [0.5, -1]})
    given = (np.array([[1, 2, 3, 4, 5, 6]]), np.array([3]), np.array([[0.5, -1.0]], np.float32))
    assert answer.prediction == pytest.approx(own(nets.seeded(nets.Tabular), *given)[0], abs=1e-6)


def test_preprocessing_of_tensors_is_exported_with_the_network(tmp_path: Path, covered: Any) -> None:
    def prepare(picture: torch.Tensor) -> torch.Tensor:
        return (picture.float() / 255 - 0.5) / 0.25

    pictures = RANDOM.integers(0, 256, (40, 1, 8, 8)).astype(np.uint8)
    model = nets.seeded(nets.convolutions)
    ship = pack(model, {"picture": pictures}, tmp_path, preprocess=prepare, classes=("x", "y", "z"))
    expected = own(model, (pictures[:3].astype(np.float32) / 255 - 0.5) / 0.25)
    assert np.allclose(Scorer(ship).outputs({"picture": list(pictures[:3])}), expected, atol=1e-6)
    covered("torch", "preprocessing as a function", "proven", difference=ship.certificate.largest_difference)


def test_preprocessing_as_a_module_may_give_a_dict(tmp_path: Path) -> None:
    class Split(nn.Module):
        def forward(self, both: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"x": both[:, :4], "weight": both[:, 4:]}

    assert pack(nets.seeded(nets.Several), {"both": reals(5)}, tmp_path, preprocess=Split()).certificate.flips == 0


def test_an_exported_program_is_packed_as_it_is(tmp_path: Path, covered: Any) -> None:
    model = nets.seeded(nets.perceptron).eval()
    program = torch.export.export(model, (torch.zeros(3, 4),), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    ship = pack(program, reals(4), tmp_path)
    assert ship.certificate.flips == 0
    covered("torch", "torch.export program", "proven", difference=ship.certificate.largest_difference)


def test_an_exported_program_of_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    program = torch.export.export(nn.Linear(4, 1), (torch.zeros(40, 4),))
    with pytest.raises(RefusedError, match=r"fixed at 40 rows.*dynamic_shapes"):
        pack(program, reals(4), tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("how", ["script", "trace", "loaded"])
def test_torchscript_modules_are_packed(how: str, tmp_path: Path, covered: Any) -> None:
    model = nets.seeded(nets.perceptron).eval()
    module = torch.jit.trace(model, torch.zeros(3, 4)) if how == "trace" else torch.jit.script(model)
    if how == "loaded":
        torch.jit.save(module, tmp_path / "module.pt")
        module = torch.jit.load(tmp_path / "module.pt")
    ship = pack(module, reals(4), tmp_path)
    assert ship.certificate.flips == 0
    covered("torch", f"TorchScript, {how}", "proven", difference=ship.certificate.largest_difference)


def test_a_lightning_module_is_packed_by_its_forward(tmp_path: Path, covered: Any) -> None:
    lightning = pytest.importorskip("lightning")

    class Lit(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.net = nets.perceptron()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(x).softmax(1)

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            raise NotImplementedError

    ship = pack(nets.seeded(Lit), reals(4), tmp_path, classes=("a", "b", "c"))
    assert ship.certificate.flips == 0
    assert not ship.manifest.signature.scores
    covered("torch", "LightningModule", "proven", difference=ship.certificate.largest_difference)


def test_nothing_is_printed_logged_or_warned_and_no_path_of_this_machine_is_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.INFO):
        ship = pack(nets.seeded(lambda: nets.Recurrent(nn.GRU)), reals(5, 3), tmp_path)
    assert not caught
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    assert b".py" not in ship.graph
    names = [node.name for node in onnx.load_model_from_string(ship.graph).graph.node]
    assert any(name.startswith("cells [") for name in names)
    assert any(name.startswith("head [") for name in names)


def _never_called() -> nn.Module:
    return nn.LazyLinear(3)


def _half() -> nn.Module:
    return nn.Linear(4, 3).half()


def _brain() -> nn.Module:
    return nn.Linear(4, 3).bfloat16()


REFUSED = {
    "a way chosen by values": (nets.Branching, "chooses its way by the values", "torch.where"),
    "random numbers in evaluation": (nets.Noisy, "draws random numbers", "self.training"),
    "an operator without a counterpart": (nets.Middle, "'aten::median' to ONNX", "torch.where"),
    "forward(*args)": (nets.Unnamed, "have no names", "a parameter for each"),
    "an output that is no row": (nets.Whole, "output 1 has the shape", "a row for each row"),
    "a layer that was never called": (_never_called, "'weight' was never called", "load its weights"),
    "half precision": (_half, "'weight' is of float16", "model.float"),
    "bfloat16": (_brain, "'weight' is of bfloat16", "model.float"),
    "the meta device": (lambda: nn.Linear(4, 3, device="meta"), "'weight' is on meta", "model.cpu"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_lowered_is_refused_with_the_reason(
    name: str, tmp_path: Path, covered: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    build, reason, hint = REFUSED[name]
    with pytest.raises(RefusedError) as caught:
        pack(build(), reals(4), tmp_path)
    assert reason in caught.value.message
    assert hint in caught.value.hint
    assert not (tmp_path / "net.ship").exists()
    assert capfd.readouterr() == ("", "")
    covered("torch", name, "refused", reason=caught.value.message)


def test_a_norm_that_magnifies_rounding_is_not_passed_off_as_equal(tmp_path: Path, covered: Any) -> None:
    """A flat image has no variance: what PyTorch then answers is its own rounding, three hundred times magnified."""
    model = nn.Sequential(nn.GroupNorm(2, 2), nn.Flatten())
    with pytest.raises(DoesNotHoldError, match="of kind 'extreme'") as caught:
        pack(model, reals(2, 6, 6), tmp_path)
    assert not (tmp_path / "net.ship").exists()
    covered("torch", "GroupNorm or InstanceNorm first, on flat images", "refused", reason=caught.value.message)


@pytest.mark.parametrize(
    ("X", "reason"),
    [
        ({"rows": reals(4)}, "reads no 'rows'"),
        ({"x": reals(4), "items": reals(4)}, "reads no 'items'"),
        ({"weight": reals(4)}, "also reads 'x'"),
        ((reals(4), reals(4), reals(4)), "3 arrays were given"),
        ({"x": np.array(["a"] * 40)}, "not with <U1"),
        (pd.DataFrame({"a": ["u", "v"]}), "column 'a' holds no numbers"),
        (reals(5), "cannot answer these rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(X: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=reason):
        pack(nets.seeded(nets.Several), X, tmp_path)
