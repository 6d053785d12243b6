"""Files of PyTorch: what runs code when it is read is never read without being told to."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import shiplap
from shiplap.adapters.frameworks.files import read_model
from shiplap.adapters.frameworks.torch.files import load
from shiplap.core.errors import InputError, RefusedError, ShiplapError, UntrustedError
from shiplap.scoring import Scorer


class Attack:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def program(path: Path) -> Path:
    made = torch.export.export(nn.Linear(4, 1), (torch.zeros(3, 4),), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    torch.export.save(made, path)
    return path


def swapped(source: Path, target: Path, ending: str, content: bytes) -> Path:
    """Copy an archive with one member replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name.endswith(ending) else old.read(name))
    return target


def test_a_program_whose_sample_inputs_are_an_attack_runs_it_when_pytorch_reads_it(tmp_path: Path) -> None:
    """The reason for what follows: the file has no suspicious suffix, and reading it is enough."""
    mark = tmp_path / "hacked"
    bad = swapped(program(tmp_path / "good.pt2"), tmp_path / "bad.pt2", "model.pt", pickle.dumps(Attack(mark)))
    with pytest.raises(InputError, match="cannot be read by PyTorch"):
        load(bad)
    assert mark.exists()


@pytest.mark.parametrize("suffix", [".pt2", ".pt", ".pth", ".ckpt"])
def test_no_file_of_pytorch_is_read_without_trust(suffix: str, tmp_path: Path) -> None:
    mark = tmp_path / "hacked"
    path = tmp_path / f"model{suffix}"
    if suffix == ".pt2":
        swapped(program(tmp_path / "good.pt2"), path, "model.pt", pickle.dumps(Attack(mark)))
    else:
        torch.save({"state_dict": Attack(mark)}, path)
    with pytest.raises(UntrustedError, match="--trust"):
        read_model(path)
    assert not mark.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", [".pt2", ".pt"])
def test_with_trust_a_file_becomes_the_ship_that_the_live_model_becomes(kind: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    path = tmp_path / f"model{kind}"
    if kind == ".pt2":
        program(path)
    else:
        torch.jit.script(nn.Linear(4, 1)).save(path)
    ship = shiplap.pack(path, rows, path=tmp_path / "file.ship", trust=True)
    assert ship.certificate.flips == 0
    assert np.allclose(Scorer(ship).outputs({"input": list(rows)}), own(load(path), rows), atol=1e-6)


def test_with_trust_an_attack_in_a_program_writes_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "hacked"
    bad = swapped(program(tmp_path / "good.pt2"), tmp_path / "bad.pt2", "model.pt", pickle.dumps(Attack(mark)))
    with pytest.raises(ShiplapError):
        shiplap.pack(bad, np.zeros((20, 4), np.float32), path=tmp_path / "out.ship", trust=True)
    assert not mark.exists()
    assert not (tmp_path / "out.ship").exists()


def own(model: Any, rows: np.ndarray) -> np.ndarray:
    module = model.module() if isinstance(model, torch.export.ExportedProgram) else model
    with torch.no_grad():
        return module(torch.tensor(rows)).numpy()


def test_weights_alone_are_explained(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(nn.Linear(4, 1).state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"weights and no architecture .*shiplap\.pack"):
        read_model(tmp_path / "model.safetensors")
    torch.save(nn.Linear(4, 1).state_dict(), tmp_path / "model.pt")
    with pytest.raises(RefusedError, match=r"weights and no architecture .*shiplap\.pack"):
        load(tmp_path / "model.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_kinds_of_files_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    torch.save(model, tmp_path / "pickled.pt")
    torch.jit.script(model).save(tmp_path / "script.pt")
    assert isinstance(load(tmp_path / "pickled.pt"), nn.Linear)
    assert isinstance(load(tmp_path / "script.pt"), torch.jit.ScriptModule)
    assert isinstance(load(program(tmp_path / "program.pt2")), torch.export.ExportedProgram)


def test_what_is_no_module_or_broken_is_refused(tmp_path: Path) -> None:
    torch.save(torch.zeros(2), tmp_path / "tensor.pt")
    with pytest.raises(RefusedError, match="holds a Tensor, no module"):
        load(tmp_path / "tensor.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "tensor.pt").read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read by PyTorch"):
        load(tmp_path / "cut.pt")
