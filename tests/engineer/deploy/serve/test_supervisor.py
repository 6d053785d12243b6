"""The supervisor by itself, with workers that misbehave."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

SCRIPT = """
import asyncio, os, signal, sys, time
from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.control.bus import Relayed
from shiplap.engineer.deploy.serve.control.supervisor import Supervisor

async def live(index, channel):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async def pid(payload):
        return str(os.getpid()).encode()
    async def follow(payload):
        if payload == b"break" and index:
            raise ValueError("cannot")
        return str(os.getpid()).encode()
    bus = Relayed(channel, {"pid": pid, "commit": follow})
    await bus.open()
    listening = asyncio.create_task(bus.listen(lambda: None))
    listening.add_done_callback(lambda _: stop.set())
    bus.ready()
    if index == 0:
        asyncio.get_running_loop().add_reader(0, lambda: asyncio.ensure_future(ask(bus, os.read(0, 100))))
    await stop.wait()
    await bus.close()
    await listening

async def ask(bus, line):
    topic, _, payload = line.decode().strip().partition(" ")
    try:
        parts = await bus.everywhere(topic, payload.encode())
    except ShiplapError as error:
        print("refused:", error, flush=True)
    else:
        print(*sorted(part.decode() for part in parts), flush=True)

def start(index, channel):
    if "dies" in sys.argv:
        time.sleep(0.3)
        raise SystemExit(3)
    asyncio.run(live(index, channel))

def hear(topic, payload):
    if payload == b"never":
        raise ShiplapError("not here")

supervisor = Supervisor(2, start, hear=hear, stop=lambda: None, patience_s=5, answer_s=2.0)
try:
    supervisor.run(lambda: print("ready", flush=True))
except ShiplapError as error:
    sys.exit(f"error: {error}")
"""


@contextmanager
def supervisor(*arguments: str):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process, timeout_s: float = 20) -> str:
    assert select.select([process.stdout], [], [], timeout_s)[0], "nothing was said"
    return process.stdout.readline().strip()


def asked(process, what: str) -> list[str]:
    process.stdin.write(what + "\n")
    return line(process).split()


def test_one_that_answers_nothing_is_replaced_and_nobody_waits_for_it():
    with supervisor() as process:
        assert line(process) == "ready"
        first = asked(process, "pid")
        assert len(first) == 2
        children = [pid for pid in first if pid != asker(process, first)]
        os.kill(int(children[0]), signal.SIGSTOP)
        assert asked(process, "pid") == asker(process, first).split()
        deadline = time.monotonic() + 10
        while len(now := asked(process, "pid")) != 2:
            assert time.monotonic() < deadline
        assert children[0] not in now
        process.terminate()
        assert process.wait(timeout=10) == 0


def asker(process, pids: list[str]) -> str:
    """Return who reads the standard input: the first that was forked."""
    return min(pids, key=int)


def test_what_cannot_be_done_in_the_supervisor_is_asked_of_nobody():
    with supervisor() as process:
        assert line(process) == "ready"
        assert asked(process, "commit never") == ["refused:", "not", "here"]
        assert len(asked(process, "commit fine")) == 2


def test_one_that_cannot_follow_is_replaced():
    with supervisor() as process:
        assert line(process) == "ready"
        before = asked(process, "pid")
        assert asked(process, "commit break") == [asker(process, before)]
        deadline = time.monotonic() + 10
        while len(now := asked(process, "pid")) != 2:
            assert time.monotonic() < deadline
        assert now != before


def test_workers_that_never_begin_end_the_server_with_a_line():
    with supervisor("dies") as process:
        said = process.communicate(timeout=20)[1]
        assert process.returncode == 1
        # A worker that dies may be in the middle of a line.
        assert "error: workers end before they have begun, 5 in a row" in said.splitlines()[-1]
        assert said.count("another takes its place") == 4
        assert "exit code 1" in said
