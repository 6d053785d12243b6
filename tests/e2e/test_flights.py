"""The example of the README, whole: 336,776 flights, one command, a proven and served ship."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import shiplap as sl

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from shiplap.cli.main import main; main()"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("flights")
    subprocess.run([sys.executable, str(ROOT / "examples/flights/prepare.py"), str(folder)], check=True)
    run = subprocess.run([*PROGRAM, "run", str(folder), "--json"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr
    return folder, json.loads(run.stdout)


def parts(report: dict[str, object]) -> dict[str, dict[str, object]]:
    return {part["verb"]: part for part in report["parts"]}  # type: ignore[index, attr-defined]


def test_the_leaks_are_found_by_evidence(late: tuple[Path, dict[str, object]]) -> None:
    folder, report = late
    held_back = set(report["findings"][0]["columns"])  # type: ignore[index]
    assert {"dep_delay", "arr_time", "arr_delay", "dep_time", "air_time"} <= held_back
    kept = set(sl.load(folder / "late.ship").signature.names)
    assert {"sched_dep_time", "carrier", "origin", "dest", "precip", "visib"} <= kept
    assert not kept & held_back


def test_the_ship_is_proven_and_the_model_learned(late: tuple[Path, dict[str, object]]) -> None:
    part = parts(late[1])
    proof, train, bench = (part[verb]["metrics"] for verb in ("pack", "train", "bench"))
    assert proof["flips"] == 0
    assert proof["rows"] >= 20_000
    assert train["test_auc"] > 0.7
    assert train["test_log_loss"] < train["linear_log_loss"]
    assert train["money_low"] > 0
    assert bench["speedup"] > 20
    assert late[1]["verdict"] == "go"


def test_rows_without_a_label_are_dropped_and_said(late: tuple[Path, dict[str, object]]) -> None:
    findings = [f for part in late[1]["parts"] for f in part["findings"]]  # type: ignore[attr-defined]
    assert any(re.search(r"9,430", f["means"]) for f in findings)


def test_score_streams_parquet_and_agrees_with_the_scorer(late: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    folder, _ = late
    scorer = sl.load(folder / "late.ship")
    rows = pd.read_csv(folder / "flights.csv", nrows=5000)
    for name in set(scorer.signature.names) - set(rows.columns):
        rows[name] = None
    rows.to_parquet(tmp_path / "new.parquet")
    command = ["score", str(folder / "late.ship"), str(tmp_path / "new.parquet"), "-o", str(tmp_path / "out.parquet")]
    subprocess.run([*PROGRAM, *command], check=True, capture_output=True)
    answers = pd.read_parquet(tmp_path / "out.parquet")
    assert len(answers) == 5000
    positive = list(scorer.signature.classes).index(True)
    assert np.allclose(answers["probability"], scorer.predict_proba(rows)[:, positive], rtol=0, atol=1e-12)
    assert (answers["decision"].to_numpy() == scorer.decide(rows)).all()


def test_serve_answers_as_the_scorer(late: tuple[Path, dict[str, object]]) -> None:
    folder, _ = late
    process = subprocess.Popen(
        [*PROGRAM, "serve", str(folder / "late.ship"), "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        address = json.loads(process.stdout.readline())["listening"]
        row = {"carrier": "UA", "origin": "EWR", "dest": "IAH", "sched_dep_time": 515, "month": 1, "distance": 1400}
        request = urllib.request.Request(
            f"{address}/predict", json.dumps(row).encode(), {"Content-Type": "application/json"}
        )
        answer = json.loads(urllib.request.urlopen(request, timeout=10).read())
        expected = sl.load(folder / "late.ship").predict_row(row)
        assert answer["prediction"] == expected.prediction
        assert answer["decision"] == expected.decision
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        process.stdout.close()
