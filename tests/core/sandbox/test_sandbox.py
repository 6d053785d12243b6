"""What a confined process cannot do, tried for real."""

import json
import os
import socket
from pathlib import Path

import pytest

from shiplap.core.errors import InputError, UntrustedError
from shiplap.core.sandbox import Limits, run_confined, unsupported

if unsupported():
    pytest.skip(f"no sandbox here: {unsupported()}", allow_module_level=True)

ACTIONS = Path(__file__).with_name("actions.py").read_bytes()


def call(name, files=None, **limits):
    """Run an action in the child, which finds the code in its folder."""
    sent = {"__main__.py": ACTIONS, "action": name.encode(), **(files or {})}
    return run_confined("runpy:run_path", sent, limits=Limits(**limits))


def test_nothing_gets_out(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    server = socket.create_server(("127.0.0.1", 0))
    order = {
        "outside": str(tmp_path / "outside"),
        "secret": str(secret),
        "port": server.getsockname()[1],
        "parent": os.getpid(),
    }
    came = json.loads(call("tries", {"order": json.dumps(order).encode()}))
    server.close()
    assert {name for name, what in came.items() if what == "done"} == set()
    assert secret.read_text() == "a secret"
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]
    assert not Path("/tmp/shiplap-escaped").exists()


def test_numbers_threads_and_files_of_its_own_still_work(monkeypatch):
    monkeypatch.setenv("SECRET", "of the parent")
    assert json.loads(call("works")) == [2500.0, "mine", None]


@pytest.mark.parametrize(
    ("name", "limits", "message"),
    [
        ("eats_memory", {"memory_mb": 2_048}, "memory"),
        ("never_ends", {"seconds": 1}, "ended it"),
        ("links", {}, "no result"),
        ("dies", {}, "ended it"),
        ("says", {}, "ValueError"),
        ("absent", {}, "KeyError"),
    ],
)
def test_what_goes_wrong_is_said_in_one_plain_line(name, limits, message):
    with pytest.raises(InputError, match=message) as caught:
        call(name, **limits)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 600


def test_without_a_sandbox_nothing_is_run(monkeypatch):
    monkeypatch.setattr("shiplap.core.sandbox.parent.unsupported", lambda: "this kernel has no Landlock")
    with pytest.raises(UntrustedError, match="no Landlock"):
        run_confined("os:getcwd", {})
