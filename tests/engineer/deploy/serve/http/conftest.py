"""The HTTP part alone, in a process of its own: handlers that echo, instead of models."""

import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec
import pytest

from shiplap.engineer.deploy.serve.limits import Limits

SERVER = """
import asyncio, signal, sys
from pathlib import Path
import msgspec, uvloop
from shiplap.engineer.deploy.serve.http.bridge import Bridge
from shiplap.engineer.deploy.serve.http.exchange import Route
from shiplap.engineer.deploy.serve.http.listener import address_of, listen, listen_unix, remove_unix
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.http.tls import Tls
from shiplap.engineer.deploy.serve.limits import Limits

how = msgspec.json.decode(sys.argv[1])
tls = Tls(*map(Path, how["tls"])) if how["tls"] else None

def echo(exchange):
    exchange.answer(exchange.body, media_type="text/plain", headers={"X-Client": exchange.line.client})

def answer_json(exchange):
    exchange.answer_json(exchange.body or b"{}")

def long(exchange):
    exchange.answer(b'[' + b'"prediction",' * 30_000 + b'0]', headers={"X-Path": exchange.head.path})

def later(exchange):
    asyncio.get_running_loop().call_later(0.2, exchange.answer_json, b"{}")

async def beside(scope, receive, send):
    message = await receive()
    told = {"x-path": scope["path"], "x-scheme": scope["scheme"]}
    headers = [(name.encode(), text.encode()) for name, text in told.items()] + [(b"vary", b"A"), (b"vary", b"B")]
    if scope["method"] == "OPTIONS":
        await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"GET, HEAD")]})
    elif scope["path"] == "/fresh":
        await send({"type": "http.response.start", "status": 304, "headers": headers})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"beside"})

async def main():
    limits = msgspec.convert(how["limits"], Limits)
    listener = listen_unix(Path(how["unix"])) if how["unix"] else listen("127.0.0.1", 0)
    routes = [Route("POST", "/echo", echo), Route("POST", "/json", answer_json), Route("GET", "/json", answer_json)]
    routes += [Route("GET", "/long", long), Route("GET", "/long/{name}", long), Route("POST", "/later", later)]
    server = Server(Routes(routes, Bridge(beside, tasks=8)), limits, tls=tls)
    await server.start(listener)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if tls:
        loop.add_signal_handler(signal.SIGHUP, tls.reload)
    print(address_of(listener, secure=tls is not None), flush=True)
    await stop.wait()
    await server.drain()
    if how["unix"]:
        remove_unix(Path(how["unix"]))
    assert server.receiving == 0, server.receiving

factory = uvloop.new_event_loop if how["loop"] == "uvloop" else asyncio.new_event_loop
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(main())
"""


class Served:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.port = int(url.rpartition(":")[2]) if url.startswith("http") else 0

    def connect(self, timeout: float = 10.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, data: bytes, *, end: bool = True) -> bytes:
        """Send raw bytes and return everything that comes back until the server closes."""
        with self.connect() as client:
            client.sendall(data)
            if end:
                client.shutdown(socket.SHUT_WR)
            return read_all(client)

    def stop(self) -> str:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        error = self.process.communicate(timeout=20)[1]
        assert self.process.returncode == 0, error
        return error

    @property
    def memory_kb(self) -> int:
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    @property
    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_all(client: socket.socket) -> bytes:
    parts = []
    while True:
        try:
            part = client.recv(65_536)
        except (ConnectionResetError, ssl.SSLEOFError):
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


@contextmanager
def serving(
    *,
    limits: Limits | None = None,
    tls: tuple[Path, ...] = (),
    unix: Path | str = "",
    loop: str = "uvloop",
    files: int = 0,
) -> Iterator[Served]:
    how = {"limits": limits or Limits(), "tls": [str(path) for path in tls], "unix": str(unix), "loop": loop}
    command = [sys.executable, "-c", SERVER, msgspec.json.encode(how).decode()]
    if files:
        command = ["bash", "-c", f'ulimit -n {files}; exec "$@"', "bash", *command]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        url = process.stdout.readline().strip()
        assert url, process.communicate()[1]
        yield Served(process, url)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def serve_http() -> Callable[..., AbstractContextManager[Served]]:
    return serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server that has not written a word to standard error at the end."""
    with serving() as run:
        yield run
        assert run.stop() == ""
