"""What a confined process cannot do, tried for real."""

import json
import os
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from shiplap.core.errors import InputError, UntrustedError
from shiplap.core.sandbox import Limits, run_confined, unsupported
from shiplap.core.sandbox.confine import confine

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
        ("floods", {"output_mb": 16}, "ended it|large"),
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


def test_folders_however_deep_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert call("nests") == b"deep"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_ends_it(monkeypatch):
    left = iter([1_000, 499])
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=next(left)))
    with pytest.raises(InputError, match="disk"):
        call("never_ends", seconds=20)


def test_what_other_threads_could_do_is_not_left_to_them(monkeypatch):
    monkeypatch.setattr("shiplap.core.sandbox.confine._limit", lambda _: pytest.fail("it would be confined"))
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    try:
        with pytest.raises(OSError, match="threads"):
            confine([], Path(), Limits())
    finally:
        waiting.set()
        thread.join()


def test_without_a_sandbox_nothing_is_run(monkeypatch):
    monkeypatch.setattr("shiplap.core.sandbox.parent.unsupported", lambda: "this kernel has no Landlock")
    with pytest.raises(UntrustedError, match="no Landlock"):
        run_confined("os:getcwd", {})
