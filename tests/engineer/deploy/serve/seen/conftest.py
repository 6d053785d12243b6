"""A watched server in a process of its own, which reports what it has counted on a second port."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.seen import Gathered, Page

START = """
import asyncio, json, os, signal, sys
import msgspec, uvloop
from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.http.exchange import Route
from shiplap.engineer.deploy.serve.http.listener import address_of, listen
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.models.fleet import Fleet, Service
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.seen import Watch
from shiplap.engineer.deploy.serve.site import make_routes
from shiplap.scoring import load

limits = msgspec.json.decode(sys.argv[1], type=Limits)
worker = int(sys.argv[2])


class Key:
    name = "shop"

    def require(self, model):
        pass


class Guard:
    def authorize(self, headers, path):
        return Key() if headers.get("authorization") == "Bearer secret" else None

    def spend(self, key):
        pass


def broken(exchange):
    raise RuntimeError("out of order")


async def main():
    watch = Watch.open(access_log=sys.argv[3], environment=os.environ)
    jobs = Jobs(most=limits.queue)
    served = {}

    def fleet_of(paths):
        made = [Hosted(load(path), limits, jobs) for path in paths]
        return Fleet({each.name: Service(each.name, (each,)) for each in made})

    def routes_of(fleet):
        routes = make_routes(fleet, limits)
        find = routes.find

        def found(method, path):
            return (Route(method, path, broken), {}) if path == "/broken" else find(method, path)

        routes.find = found
        return routes

    fleet = served["fleet"] = fleet_of(sys.argv[4:])
    server = Server(routes_of(fleet), limits, guard=Guard(), observer=watch.observer)

    def report(exchange):
        exchange.answer(watch.report(exchange.body, [server], served["fleet"]))

    def swap(exchange):
        served["fleet"] = fleet_of(json.loads(exchange.body))
        server.route(routes_of(served["fleet"]))
        watch.swapped()
        exchange.answer(b"{}")

    def nothing(exchange):
        raise ProblemError(404, "nothing")

    second = Server(Routes([Route("POST", "/report", report), Route("POST", "/swap", swap)], nothing), limits)
    watch.start(worker)
    first_socket, second_socket = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    await server.start(first_socket)
    await second.start(second_socket)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, watch.reopen)
    os.write(int(os.environ["READY"]), f"{address_of(first_socket)} {address_of(second_socket)}\\n".encode())
    await stop.wait()
    await asyncio.gather(server.drain(), second.drain())
    await asyncio.to_thread(watch.close)
    jobs.close()


uvloop.run(main())
"""


class Watched:
    """A watched server."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, second: str) -> None:
        self.process, self.url, self.second = process, url, second
        self.port = int(url.rpartition(":")[2])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def report(self, told: bytes = b"") -> bytes:
        return self._ask("/report", told)

    def swap(self, *ships: Path) -> None:
        self._ask("/swap", json.dumps([str(ship) for ship in ships]).encode())

    def page(self) -> Page:
        return Gathered().render([self.report()])

    def _ask(self, path: str, body: bytes) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(self.second + path, data=body), timeout=30) as answer:
            return bytes(answer.read())

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> tuple[bytes, str]:
        """Ask it to end, and return what it wrote."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return out or b"", err.decode()


@contextmanager
def watching(
    *ships: Path,
    limits: Limits | None = None,
    log: str = "",
    worker: int = 0,
    stdout: int = subprocess.PIPE,
    **environment: str,
) -> Iterator[Watched]:
    heard, told = os.pipe()
    settings = msgspec.json.encode(limits or Limits()).decode()
    process = subprocess.Popen(
        [sys.executable, "-c", START, settings, str(worker), log, *map(str, ships)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        pass_fds=[told],
        env={**os.environ, "PYTHONWARNINGS": "error", "READY": str(told), **environment},
    )
    os.close(told)
    try:
        assert select.select([heard], [], [], 60)[0], "the server did not start"
        line = os.read(heard, 1_000).decode().split()
        assert line, process.communicate()[1].decode()
        yield Watched(process, *line)
    finally:
        os.close(heard)
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def watch() -> Callable[..., AbstractContextManager[Watched]]:
    return watching


@pytest.fixture(scope="session")
def values() -> Callable[[bytes], dict[tuple[str, ...], float]]:
    """Read a page of metrics: name and sorted labels to value."""

    def read(page: bytes) -> dict[tuple[str, ...], float]:
        found = {}
        for family in text_string_to_metric_families(page.decode()):
            for sample in family.samples:
                labels = (f"{name}={value}" for name, value in sorted(sample.labels.items()))
                found[sample.name, *labels] = sample.value
        return found

    return read


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """Ask again until the answer is true, for some seconds; return the last answer."""

    def ask(act: Callable[[], object], seconds: float = 20.0) -> object:
        deadline = time.monotonic() + seconds
        while not (answer := act()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return answer

    return ask
