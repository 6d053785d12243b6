from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import msgspec

from shiplap.core.environment import environment, git_commit, library_versions, machine_digest


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.org", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_versions_are_those_installed() -> None:
    found = environment()
    assert found["python"] == platform.python_version()
    assert found["msgspec"] == msgspec.__version__
    assert found["cpu"]
    assert int(found["cpus"]) >= 1
    found["python"] = "changed"
    assert environment()["python"] == platform.python_version()


def test_nothing_is_imported_to_find_out() -> None:
    code = (
        "import sys, json; from shiplap.core.environment import environment, LIBRARIES; environment();"
        "print(json.dumps(sorted(set(sys.modules) & {'numpy', 'lightgbm', 'sklearn', 'onnxruntime', 'pandas'})))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == []


def test_what_is_not_installed_is_left_out() -> None:
    assert list(library_versions("no-such-library", "msgspec", "another-none")) == ["msgspec"]


def test_the_machine_is_the_same_in_every_process() -> None:
    code = "from shiplap.core.environment import machine_digest; print(machine_digest())"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == machine_digest()
    assert len(machine_digest()) == 64


def test_the_commit_says_whether_there_were_changes(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == ""
    assert git_commit(tmp_path / "absent") == ""
    git(tmp_path, "init", "-q")
    assert git_commit(tmp_path) == ""
    (tmp_path / "rows.csv").write_text("a\n1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Add rows")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert git_commit(tmp_path) == head
    (tmp_path / "untracked").touch()
    (tmp_path / "deep").mkdir()
    assert git_commit(tmp_path / "deep") == head
    (tmp_path / "rows.csv").write_text("a\n2\n")
    assert git_commit(tmp_path) == head + "+"


def test_a_repository_starts_no_program_of_its_own(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "Begin")
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    hook.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(hook))
    (tmp_path / "started").unlink(missing_ok=True)
    assert len(git_commit(tmp_path)) == 40
    assert not (tmp_path / "started").exists()
