"""The store among several processes, some of which die."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from shiplap.core.store import Store, open_store

Start = Callable[..., "Popen[str]"]

SLOW_STEP = """
def compute():
    say("computing")
    time.sleep(float(sys.argv[2]))
    return b"model"
with listening(lambda text, done: say(text)):
    say(*store.memo({"verb": "train"}, compute))
"""


def read(process: Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def output(process: Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.splitlines()


def check_whole(store: Store) -> None:
    assert store._ledger.read("PRAGMA integrity_check") == [("ok",)]
    for place in (store.folder / "objects").glob("??/*"):
        store.get(place.parent.name + place.name)


def test_of_two_processes_one_computes_and_the_other_waits(start: Start) -> None:
    first = start(SLOW_STEP, "1")
    assert read(first) == "computing"
    second = start(SLOW_STEP, "1")
    assert read(second) == "another process is busy with this step (train): waiting for it"
    assert output(first) == ["b'model' False"]
    assert output(second) == ["b'model' True"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_when_the_one_who_computes_dies_the_one_who_waits_takes_over(start: Start, sent: signal.Signals) -> None:
    first = start(SLOW_STEP, "60")
    assert read(first) == "computing"
    second = start(SLOW_STEP, "0")
    assert "waiting for it" in read(second)
    first.send_signal(sent)
    assert output(second) == ["computing", "b'model' False"]
    assert first.wait(10) != 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_one_who_waits_can_be_interrupted(start: Start) -> None:
    first = start(SLOW_STEP, "1")
    read(first)
    second = start(SLOW_STEP, "0")
    assert "waiting for it" in read(second)
    second.send_signal(signal.SIGINT)
    _, error = second.communicate(timeout=10)
    assert "KeyboardInterrupt" in error
    assert output(first) == ["b'model' False"]


def test_eight_processes_make_a_new_store_at_once(start: Start, tmp_path: Path) -> None:
    code = """
    run = store.begin("train")
    for step in range(10):
        store.metric(run, "loss", step, step)
    store.put(b"the same")
    store.finish(run)
    """
    for process in [start(code) for _ in range(8)]:
        assert output(process) == []
    with open_store(tmp_path) as store:
        assert [run.outcome for run in store.runs()] == ["done"] * 8
        assert all(len(store.points(run)) == 10 for run in store.runs())
        check_whole(store)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_kill_9_loses_no_point_that_was_acknowledged(start: Start, tmp_path: Path) -> None:
    code = """
    run = store.begin("train")
    say(run.id)
    for step in range(10**9):
        store.metric(run, "loss", step, step)
        store.memo({"life": sys.argv[2], "step": step}, lambda: os.urandom(3000))
        say(step)
    """
    lives, chance = [], random.Random(0)
    for life in range(5):
        writer = start(code, str(life))
        run, last = read(writer), int(read(writer))
        until = time.monotonic() + chance.uniform(0.02, 0.2)
        while time.monotonic() < until:
            last = int(read(writer))
        writer.kill()
        rest = writer.stdout.read()  # not communicate, which skips lines that were read ahead
        writer.wait()
        last = max([last, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n"))])
        lives.append((run, life, last))
    with open_store(tmp_path) as store:
        check_whole(store)
        for run, life, last in lives:
            steps = [point.step for point in store.points(run)]
            assert steps[: last + 1] == list(range(last + 1))
            assert len(steps) <= last + 2
            assert store.run(run).outcome == "killed"
            for step in range(last + 1):
                assert store.memo({"life": str(life), "step": step}, lambda: b"lost")[1]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_chain_that_was_killed_goes_on_with_the_first_unfinished_step(start: Start) -> None:
    code = """
    def step(number):
        def compute():
            say("step", number)
            time.sleep(60 if f"{number}" == sys.argv[2] else 0)
            return f"{number}".encode()
        return compute
    for number in range(5):
        store.memo(Step(verb="chain", seed=number), step(number))
    """
    for stop, expected in (("2", ["0", "1", "2"]), ("4", ["2", "3", "4"]), ("none", ["4"])):
        process = start(code, stop)
        for number in expected:
            assert read(process) == f"step {number}"
        if stop == "none":
            assert output(process) == []
        else:
            process.kill()
            process.wait()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_that_outlives_its_parent_keeps_none_of_its_locks(start: Start) -> None:
    code = """
    run = store.begin("train")
    def compute():
        if os.fork():
            say("computing")
            time.sleep(60)
        assert store._ledger._db is None  # SQLite forbids to carry a connection over
        say(os.getpid())
        say(*store.memo({"verb": "other"}, lambda: b"from the child"))
        time.sleep(20)
        os._exit(0)
    store.memo({"verb": "train"}, compute)
    """
    parent = start(code)
    said = [read(parent), read(parent), read(parent)]
    assert sorted(said)[1:] == ["b'from the child' False", "computing"]
    parent.kill()
    parent.wait()
    begun = time.monotonic()
    assert output(start(SLOW_STEP, "0")) == ["computing", "b'model' False"]
    assert time.monotonic() - begun < 10
    os.kill(int(min(said)), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_run_that_stands_still_is_not_taken_for_dead(start: Start, tmp_path: Path) -> None:
    process = start('say(store.begin("train").id)\ntime.sleep(60)')
    run = read(process)
    with open_store(tmp_path) as store:
        process.send_signal(signal.SIGSTOP)
        assert store.run(run).outcome == "running"
        process.kill()
        process.wait()
        assert store.run(run).outcome == "killed"
        assert not list((store.folder / "locks").iterdir())
