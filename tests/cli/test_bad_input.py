"""What a person gives wrong, and what they are told: one line, what to do, exit code 2, nothing half-written."""

import gzip
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shiplap.cli.main import main

PROGRAM = [sys.executable, "-c", "from shiplap.cli.main import main; main()"]
ROWS = "age,plan,churned\n" + "".join(
    f"{20 + i % 50},{'basic' if i % 3 else 'gold'},{'no' if i % 4 else 'yes'}\n" for i in range(400)
)


def shiplap(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


def rows(text: str | bytes, name: str = "data.csv") -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        content = text.encode() if isinstance(text, str) else text
        (folder / name).write_bytes(content)

    return write


def brief(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "data.csv").write_text(ROWS)
        (folder / "shiplap.toml").write_text(text)

    return write


TABLE: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "missing file": (rows(ROWS), ["run", "date.csv", "-t", "churned"], r"no file .*date.csv.*data\.csv"),
    "empty file": (rows(""), ["run", "data.csv", "-t", "churned"], "empty"),
    "header only": (rows("age,plan,churned\n"), ["run", "data.csv", "-t", "churned"], "no rows"),
    "one class only": (rows(ROWS.replace("yes", "no")), ["run", "data.csv", "-t", "churned"], "one|single"),
    "target absent": (rows(ROWS), ["run", "data.csv", "-t", "churn"], "did you mean 'churned'"),
    "no target at all": (rows(ROWS), ["run", "data.csv"], "target"),
    "target expression names an absent column": (
        rows(ROWS), ["run", "data.csv", "-t", "agee > 30"], "did you mean 'age'"),
    "no labelled row": (
        rows("age,plan,churned\n" + "30,basic,\n" * 50), ["run", "data.csv", "-t", "churned"], "label"),
    "duplicate column names": (
        rows(ROWS.replace("age,plan", "age,age")), ["run", "data.csv", "-t", "churned"], "'age'.*(twice|more than once)|duplicate.*'age'"),
    "broken encoding": (
        rows(ROWS.replace("basic", "b\xe4sic").encode("latin-1")), ["run", "data.csv", "-t", "churned"], "UTF-8"),
    "truncated gzip": (
        rows(gzip.compress(ROWS.encode())[:-40], "data.csv.gz"), ["run", "data.csv.gz", "-t", "churned"], "gzip|truncated|corrupt"),
    "not a Parquet file": (rows("PAR1 not", "data.parquet"), ["run", "data.parquet", "-t", "churned"], "Parquet"),
    "unknown key in the brief": (
        brief('table = "data.csv"\ntarget = "churned"\nbugdet = 1\n'), ["run", "."], "bugdet.*did you mean 'budget'"),
    "unknown key in a table of the brief": (
        brief('table = "data.csv"\ntarget = "churned"\n[budget]\np99 = 1\n'), ["run", "."], r"p99.*did you mean 'p99_ms'"),
    "brief that is not TOML": (brief("table = data.csv"), ["run", "."], "not valid TOML"),
    "folder without a brief": (rows(ROWS), ["run", "."], "shiplap init"),
    "no such class": (
        rows(ROWS), ["run", "data.csv", "-t", "churned", "--positive", "maybe"], "maybe.*(yes|no)"),
    "value that names an absent column": (
        rows(ROWS), ["run", "data.csv", "-t", "churned", "--value", "tp=amount", "--value", "fp=-1"], "amount"),
    "budget below zero": (rows(ROWS), ["run", "data.csv", "-t", "churned", "--budget", "p99_ms=-1"], "above 0"),
    "unknown time column": (rows(ROWS), ["run", "data.csv", "-t", "churned", "--time", "when"], "when"),
    "time column that holds no dates": (rows(ROWS), ["run", "data.csv", "-t", "churned", "--time", "plan"], "plan"),
    "unknown column to drop": (rows(ROWS), ["run", "data.csv", "-t", "churned", "--drop", "agee"], "did you mean 'age'"),
    "nothing to learn from": (
        rows("id,churned\n" + "".join(f"{i},{'yes' if i % 3 else 'no'}\n" for i in range(300))),
        ["run", "data.csv", "-t", "churned"], "column"),
    "infinite target": (
        rows("age,price\n" + "".join(f"{i},{'inf' if i == 7 else i * 2}\n" for i in range(300))),
        ["run", "data.csv", "-t", "price"], "infinite"),
    "not a ship file": (rows(ROWS), ["verify", "data.csv"], "not a ship file"),
    "table of an unknown kind": (rows(ROWS, "data.xyz"), ["run", "data.xyz", "-t", "churned"], r"\.xyz"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_bad_input(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: what a start costs is held by `tests/test_light_imports.py`."""
    make, arguments, said = TABLE[case]
    make(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["shiplap", *arguments, "--json"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    error = json.loads(capsys.readouterr().out)
    text = f"{error['error']} {error['hint']}"
    assert "\n" not in text
    assert re.search(said, text, re.IGNORECASE), text
    assert {path.name for path in tmp_path.iterdir()} - before <= {".shiplap"}


FORGIVEN: dict[str, tuple[Callable[[int], str], str]] = {
    "a column of only missing values": (lambda i: "", "constant|missing"),
    "cells of 10,000 characters": (lambda i: f'"{"word " * 2000}{i}"', "text"),
    "infinite numbers": (lambda i: "inf" if i % 7 == 0 else str(i), "infinite"),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with a ship made of a table with odd columns, and the report."""
    folder = tmp_path_factory.mktemp("odd")
    head, *body = ROWS.splitlines()
    lines = [",".join([line, *(cell(i) for cell, _ in FORGIVEN.values())]) for i, line in enumerate(body)]
    (folder / "data.csv").write_text("\n".join([",".join([head, *(f'"{case}"' for case in FORGIVEN)]), *lines]) + "\n")
    run = shiplap("run", "data.csv", "-t", "churned", "--budget", "train_seconds=5", "--json", cwd=folder)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return folder, json.loads(run.stdout)


@pytest.mark.parametrize("case", FORGIVEN)
def test_what_is_met_and_said(case: str, odd: tuple[Path, dict[str, Any]]) -> None:
    """Columns that real tables have: the run goes on without them or with them, and a finding says so."""
    folder, report = odd
    found = [f for part in report["parts"] for f in part["findings"] if case in f["columns"]]
    assert any(re.search(FORGIVEN[case][1], f"{f['check']} {f['means']}", re.IGNORECASE) for f in found), found
    assert (folder / "data.ship").exists()
    assert (folder / "data.html").exists()


def test_hostile_ship_files(odd: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    shutil.copy(odd[0] / "data.ship", tmp_path)
    good = (tmp_path / "data.ship").read_bytes()

    def verdict(content: bytes, name: str) -> str:
        (tmp_path / name).write_bytes(content)
        run = shiplap("verify", name, "--json", cwd=tmp_path)
        assert run.returncode == 2, name
        return json.loads(run.stdout)["error"]

    assert "truncated" in verdict(good[: len(good) // 2], "truncated.ship")
    graph = good.index(b"TreeEnsemble") if b"TreeEnsemble" in good else len(good) // 3
    assert verdict(good[:graph] + b"X" + good[graph + 1 :], "tampered.ship")
    shutil.copy(tmp_path / "data.ship", tmp_path / "escape.ship")
    with zipfile.ZipFile(tmp_path / "escape.ship", "a") as archive:
        archive.writestr("../outside.txt", "x")
    assert "outside" in verdict((tmp_path / "escape.ship").read_bytes(), "escape.ship")
    assert not (tmp_path.parent / "outside.txt").exists()
