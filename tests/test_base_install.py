"""The base install alone scores, verifies, shows and serves; a verb that needs more names the line to install it."""

import json
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import shiplap as sl

BASE = Path(__file__).parents[1] / ".venv-base" / "bin"
pytestmark = pytest.mark.skipif(not BASE.exists(), reason="no base environment at .venv-base: `make setup` makes it")


def base(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BASE / "shiplap"), *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tumor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    X, y = load_breast_cancer(as_frame=True, return_X_y=True)
    sl.pack(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, y), X, path=folder / "tumor.ship")
    X.head(100).to_csv(folder / "rows.csv", index=False)
    X.head(100).to_json(folder / "rows.jsonl", orient="records", lines=True)
    return folder


def test_no_training_library_is_installed(tumor: Path) -> None:
    check = (
        "import importlib.util as u; print([m for m in ('sklearn', 'pandas', 'pyarrow', 'duckdb') if u.find_spec(m)])"
    )
    run = subprocess.run([str(BASE / "python"), "-c", check], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["doctor"], ["show", "tumor.ship"], ["verify", "tumor.ship"]])
def test_what_the_base_install_can_do(tumor: Path, arguments: list[str]) -> None:
    run = base(*arguments, cwd=tumor)
    assert run.returncode == 0, run.stdout + run.stderr


def test_it_scores_csv_and_json_lines_to_the_same_answers(tumor: Path) -> None:
    for kind in ("csv", "jsonl"):
        run = base("score", "tumor.ship", f"rows.{kind}", "-o", f"{kind}.jsonl", cwd=tumor)
        assert run.returncode == 0, run.stderr
    first, second = ((tumor / f"{kind}.jsonl").read_text() for kind in ("csv", "jsonl"))
    assert first == second
    assert len(first.splitlines()) == 100


@pytest.mark.parametrize(
    "arguments",
    [["run", "rows.csv", "-t", "x"], ["explore", "rows.csv"], ["score", "tumor.ship", "rows.parquet", "-o", "o.csv"]],
)
def test_a_verb_that_lacks_a_library_names_the_line(tumor: Path, arguments: list[str]) -> None:
    (tumor / "rows.parquet").write_bytes(b"PAR1")
    run = base(*arguments, cwd=tumor)
    assert run.returncode == 2
    assert 'pip install "shiplap[lab]"' in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def test_grpc_names_its_line_before_anything_is_served(tumor: Path) -> None:
    run = base("serve", "tumor.ship", "--port", "0", "--grpc-port", "0", cwd=tumor)
    assert run.returncode == 2
    assert 'pip install "shiplap[grpc]"' in run.stderr
    assert run.stdout == ""


def test_it_serves(tumor: Path) -> None:
    command = [str(BASE / "shiplap"), "serve", "tumor.ship", "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=tumor, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = json.loads(process.stdout.readline())["listening"]
        row = (tumor / "rows.jsonl").read_text().splitlines()[0].encode()
        request = urllib.request.Request(f"{address}/predict", row, {"Content-Type": "application/json"})
        answer = json.loads(urllib.request.urlopen(request, timeout=10).read())
        assert answer["prediction"] == sl.load(tumor / "tumor.ship").predict_row(json.loads(row)).prediction
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        process.stdout.close()
