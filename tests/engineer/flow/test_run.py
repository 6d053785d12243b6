"""The main job: what it leaves, what it remembers, what it survives."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import shiplap as sl
from shiplap.core.errors import BriefError
from shiplap.core.store import open_store

PROGRAM = [sys.executable, "-c", "from shiplap.cli.main import main; main()"]
QUESTION = ["-t", "target", "--budget", "train_seconds=10"]


@pytest.fixture
def tumors(tmp_path: Path) -> Path:
    load_breast_cancer(as_frame=True).frame.to_csv(tmp_path / "tumor.csv", index=False)
    return tmp_path


def shiplap(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which the main job was done once, and what it said."""
    folder = tmp_path_factory.mktemp("finished")
    load_breast_cancer(as_frame=True).frame.to_csv(folder / "tumor.csv", index=False)
    return folder, shiplap("run", "tumor.csv", *QUESTION, "--json", cwd=folder)


@pytest.fixture
def remembered(finished: tuple[Path, object], tmp_path: Path) -> Path:
    """A copy of that folder, with its memory."""
    return shutil.copytree(finished[0], tmp_path / "copy")


def done(folder: Path) -> dict[str, int]:
    """How often each step was computed to its end."""
    with open_store(folder / ".shiplap") as store:
        verbs = [run.verb for run in store.runs() if run.outcome == "done"]
    return {verb: verbs.count(verb) for verb in verbs}


ONCE = {"explore": 1, "assess": 1, "train": 1, "pack": 1, "bench": 1, "present": 1}


def test_leaves_a_proven_ship_and_a_page_and_remembers(
    finished: tuple[Path, subprocess.CompletedProcess[str]], remembered: Path
) -> None:
    first, tumors = finished[1], remembered
    assert first.returncode == 0, first.stdout + first.stderr
    report = json.loads(first.stdout)
    assert report["verdict"] == "go"
    assert [part["verb"] for part in report["parts"]] == ["explore", "assess", "train", "pack", "bench"]
    ship, page = (tumors / "tumor.ship").read_bytes(), (tumors / "tumor.html").read_text()
    assert sl.load(tumors / "tumor.ship").ship.certificate.flips == 0
    assert page.count("<html") == 1
    assert done(tumors) == ONCE

    again = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from shiplap.engineer.flow import run; "
            "run('tumor.csv', target='target', budget={'train_seconds': 10}); "
            "print([m for m in ('sklearn', 'lightgbm', 'bokeh', 'pandas') if m in sys.modules])",
        ],
        cwd=tumors,
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout.strip() == "[]", "a run from memory loads no training library"
    assert done(tumors) == ONCE
    assert ((tumors / "tumor.ship").read_bytes(), (tumors / "tumor.html").read_text()) == (ship, page)


def test_goes_on_where_it_was_killed(tumors: Path) -> None:
    for step in ("train", "bench"):
        process = subprocess.Popen(
            [*PROGRAM, "run", "tumor.csv", *QUESTION], cwd=tumors, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        for line in process.stderr:
            if line.rstrip().endswith(f"] {step}"):
                os.kill(process.pid, signal.SIGKILL)
                break
        process.wait()
        process.stderr.close()
        assert process.returncode == -signal.SIGKILL
        assert {path.name for path in tumors.iterdir()} == {"tumor.csv", ".shiplap"}
    rest = shiplap("run", "tumor.csv", *QUESTION, cwd=tumors)
    assert rest.returncode == 0, rest.stderr
    assert done(tumors) == ONCE
    assert (tumors / "tumor.ship").exists()


def test_a_changed_row_is_a_new_question(remembered: Path) -> None:
    lines = (remembered / "tumor.csv").read_text().splitlines(keepends=True)
    (remembered / "tumor.csv").write_text("".join(lines[:-1]))
    assert shiplap("run", "tumor.csv", *QUESTION, cwd=remembered).returncode == 0
    assert done(remembered) == dict.fromkeys(ONCE, 2)


def test_noise_is_no_go_and_still_reported(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = pd.DataFrame(random.normal(size=(3000, 5)), columns=list("abcde"))
    rows["y"] = random.random(3000) < 0.3
    rows.to_csv(tmp_path / "noise.csv", index=False)
    arguments = ["run", "noise.csv", "-t", "y", "--value", "tp=1", "--value", "fp=-4", "--budget", "train_seconds=5"]
    run = shiplap(*arguments, "--json", cwd=tmp_path)
    assert run.returncode == 1, run.stderr
    assert json.loads(run.stdout)["verdict"] == "no-go"
    assert (tmp_path / "noise.html").exists()


def test_a_budget_that_is_missed_is_exit_code_1(remembered: Path) -> None:
    run = shiplap("run", "tumor.csv", *QUESTION, "--budget", "p99_ms=0.000001", "--json", cwd=remembered)
    assert run.returncode == 1, run.stderr
    findings = [f for part in json.loads(run.stdout)["parts"] for f in part["findings"]]
    assert any(f["check"] == "budget.p99_ms" and f["verdict"] == "fail" for f in findings)
    assert (remembered / "tumor.ship").exists()


def test_leaks_are_left_out_unless_kept(tumors: Path) -> None:
    rows = pd.read_csv(tumors / "tumor.csv")
    rows["answer"] = np.where(rows["target"] == 1, "fine", "ill")
    rows.to_csv(tumors / "tumor.csv", index=False)
    for keep, leaked in (([], False), (["--keep", "answer"], True)):
        run = shiplap("run", "tumor.csv", *QUESTION, *keep, "--json", cwd=tumors)
        assert run.returncode == 0, run.stderr
        assert ("answer" in sl.load(tumors / "tumor.ship").signature.names) is leaked
        findings = json.loads(run.stdout)["findings"]
        assert findings[0]["check"] == ("run.kept" if leaked else "run.quarantine")
        assert findings[0]["columns"] == ["answer"]
        if leaked:
            assert findings[1]["check"] == "run.still_perfect"


@pytest.mark.parametrize("load", [load_wine, load_diabetes], ids=["multiclass", "regression"])
def test_other_tasks(load: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame = load(as_frame=True).frame  # type: ignore[operator]
    report = sl.run(frame, target="target", name="other", budget={"train_seconds": 10}, out=tmp_path / "out")
    assert report.part("pack").metrics["flips"] == 0
    answers = sl.load(tmp_path / "out" / "other.ship").predict(frame)
    score = np.mean(answers == frame["target"]) if load is load_wine else np.corrcoef(answers, frame["target"])[0, 1]
    assert score > 0.6


def test_a_folder_without_a_table_says_so(tmp_path: Path) -> None:
    (tmp_path / "shiplap.toml").write_text('target = "y"\n')
    with pytest.raises(BriefError, match="names no table"):
        sl.run(tmp_path)
