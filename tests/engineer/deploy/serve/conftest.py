"""Real ships, made of small graphs, and a real server in a process of its own."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number
from shiplap.core.policy import Policy
from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy.serve import Addresses, Limits, Settings
from shiplap.scoring import Scorer, load, write_ship

ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}
ENCODING = Encoding(
    operations=(
        Number(column="age", missing=("?",)),
        Category(column="plan", categories=("basic", "plus", "3"), if_unseen=(-1.0,)),
        Date(column="since", parts=("month", "weekday")),
        Boolean(column="paid", true=("Y",), false=("N",)),
    )
)
INPUTS = (
    Field(name="age", kind="number", example=41.0),
    Field(name="plan", kind="category", example="basic"),
    Field(name="since", kind="date", example="2013-03-01"),
    Field(name="paid", kind="boolean", example=True),
)
WEIGHTS = np.array([0.05, 0.4, 0.1, -0.2, 1.1])


def sum_graph(width: int, *, classify: bool, repeats: int = 0, shift: float = 3.0) -> bytes:
    """Weighted sum of a row, missing values as 0 (classifier) or kept (regression); `repeats` makes it dear."""
    nodes = []
    source = "X"
    if classify:
        nodes += [
            helper.make_node("IsNaN", ["X"], ["missing"]),
            helper.make_node("Where", ["missing", "zero", "X"], ["filled"]),
        ]
        source = "filled"
    nodes += [
        helper.make_node("Mul", [source, "weights"], ["parts"]),
        helper.make_node("ReduceSum", ["parts", "axis"], ["sum"], keepdims=1),
    ]
    last = "sum"
    if classify:
        nodes += [
            helper.make_node("Sub", ["sum", "shift"], ["score"]),
            helper.make_node("Sigmoid", ["score"], ["yes"]),
            helper.make_node("Sub", ["one", "yes"], ["no"]),
            helper.make_node("Concat", ["no", "yes"], ["both"], axis=1),
        ]
        last = "both"
    for index in range(repeats):
        nodes.append(helper.make_node("ReduceMax", [last], [f"b{index}"], keepdims=0))
        nodes.append(helper.make_node("Mul", [f"b{index}", "big"], [f"s{index}"]))
        nodes.append(helper.make_node("Tanh", [f"s{index}"], [f"t{index}"]))
        nodes.append(helper.make_node("ReduceMin", [f"t{index}"], [f"m{index}"], keepdims=0))
        nodes.append(helper.make_node("Mul", [f"m{index}", "zero"], [f"z{index}"]))
        nodes.append(helper.make_node("Add", [last, f"z{index}"], [f"a{index}"]))
        last = f"a{index}"
    nodes.append(helper.make_node("Identity", [last], ["Y"]))
    constants = {
        "weights": np.resize(WEIGHTS, width).reshape(1, width),
        "axis": np.array([1], dtype=np.int64),
        "zero": np.array(0.0),
        "one": np.array(1.0),
        "shift": np.array(shift),
    }
    if repeats:
        constants["big"] = np.linspace(-1, 1, 40_000)
    graph = helper.make_graph(
        nodes,
        "sum",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["n", width])],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, ["n", 2 if classify else 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def make_ship(path: Path, *, name: str = "churn", task: str = "binary", repeats: int = 0, shift: float = 3.0) -> Path:
    classify = task == "binary"
    classes = ("no", "yes") if classify else ()
    write_ship(
        path,
        name=name,
        signature=Signature(inputs=INPUTS, task=task, classes=classes),
        encoding=ENCODING,
        graph=sum_graph(ENCODING.width, classify=classify, repeats=repeats, shift=shift),
        policy=Policy(task=task, classes=classes, positive=1 if classify else -1, threshold=0.3),
    )
    return path


@pytest.fixture(scope="session")
def ship(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ship(tmp_path_factory.mktemp("ships") / "churn.ship")


@pytest.fixture(scope="session")
def regression_ship(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ship(tmp_path_factory.mktemp("ships") / "delay.ship", name="delay", task="regression")


@pytest.fixture(scope="session")
def scorer(ship: Path) -> Scorer:
    return load(ship)


class Running:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], addresses: Addresses) -> None:
        self.process = process
        self.addresses = addresses
        self.url = addresses.listening
        self.port = int(self.url.rpartition(":")[2]) if "://" in self.url else 0

    def connect(self, timeout: float = 10.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def exchange(self, data: bytes, *, end: bool = False) -> bytes:
        """Send raw bytes and return everything that comes back until the server closes."""
        with self.connect() as client:
            client.sendall(data)
            if end:
                client.shutdown(socket.SHUT_WR)
            return read_all(client)

    def stop(self) -> str:
        """Ask it to end, and return what it wrote to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=20)[1]


def read_all(client: socket.socket) -> bytes:
    parts = []
    while True:
        try:
            part = client.recv(65_536)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def read_one(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one response with a length from a connection that stays open."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(1)
        assert part, f"closed after {data!r}"
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while left := int(headers.get("content-length", 0)) - len(body):
        body += client.recv(left)
    return int(lines[0].split()[1]), headers, body


START = """
import sys, msgspec
from shiplap.engineer.deploy.serve import Settings, serve
settings = msgspec.json.decode(sys.argv[1], type=Settings)
serve(sys.argv[2:], settings, ready=lambda places: print(msgspec.json.encode(places).decode(), flush=True))
"""

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # as the server does before it loads gRPC, which tests may load first


@contextmanager
def running(*ships: Path | str, limits: Limits | None = None, **chosen: object) -> Iterator[Running]:
    settings = Settings(**{"port": 0, "limits": limits or Limits(), **chosen})
    process = subprocess.Popen(
        [sys.executable, "-c", START, msgspec.json.encode(settings).decode(), *map(str, ships)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        told = process.stdout.readline().strip()
        assert told, process.communicate()[1]
        yield Running(process, msgspec.json.decode(told, type=Addresses))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def server(ship: Path) -> Iterator[Running]:
    """The server most tests talk to; it must not have written a word to standard error at the end."""
    with running(ship) as run:
        yield run
        assert run.stop() == ""


@pytest.fixture(scope="session")
def start() -> Callable[..., AbstractContextManager[Running]]:
    return running


@pytest.fixture(scope="session")
def make() -> Callable[..., Path]:
    return make_ship


@pytest.fixture(scope="session")
def answer_of() -> Callable[[socket.socket], tuple[int, dict[str, str], bytes]]:
    return read_one
