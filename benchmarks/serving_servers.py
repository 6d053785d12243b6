"""The servers: Shiplap, its empty answer, and the peers, each in an environment of its own below ``build/``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from serving_bodies import COLUMNS, IN_COLUMNS, INSTANCES, OBJECT, OBJECTS, SPLIT, TENSORS_MLSERVER, Dialect
from serving_models import WORK, Model
from serving_process import Running, StartError, free_port

PEERS = WORK.parent / "serving-peers"
SCRIPTS = Path(__file__).resolve().parent / "serving_peers"
OWN = Path(sys.executable).parent
SAME = ("scikit-learn", "lightgbm", "joblib", "onnxruntime")
"""Libraries that every peer gets in the version that is used here."""


@dataclass(frozen=True)
class Peer:
    """An environment: what is asked of the package index, and what is named in the tables."""

    name: str
    requirements: tuple[str, ...]

    @property
    def bin(self) -> Path:
        return PEERS / self.name / "bin"

    def install(self) -> None:
        """Make the environment once; raises ``StartError`` with the reason where that fails."""
        stamp = PEERS / self.name / "requirements"
        wanted = [*self.requirements, "pandas", *(f"{name}=={metadata.version(name)}" for name in SAME)]
        if stamp.exists() and stamp.read_text() == "\n".join(wanted):
            return
        uv = str(OWN / "uv")
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PEERS / self.name)],
            [uv, "pip", "install", "--quiet", "--python", str(self.bin / "python"), *wanted],
        ):
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=900)
            if done.returncode:
                raise StartError(f"cannot be installed: {' '.join(done.stderr.split())[:300]}")
        stamp.write_text("\n".join(wanted))

    def version(self) -> str:
        """Return the names and versions that matter."""
        names = [re.split("[=<>\\[]", text)[0] for text in self.requirements]
        asked = f"from importlib.metadata import version as v; print(', '.join(n + ' ' + v(n) for n in {names!r}))"
        return subprocess.run(
            [self.bin / "python", "-c", asked], check=True, capture_output=True, text=True
        ).stdout.strip()


FASTAPI = Peer("fastapi", ("fastapi", "uvicorn[standard]"))
MLFLOW = Peer("mlflow", ("mlflow==3.17.2",))  # 3.18.0 asks for a package that is not there
BENTOML = Peer("bentoml", ("bentoml",))
LITSERVE = Peer("litserve", ("litserve",))
MLSERVER = Peer("mlserver", ("mlserver", "mlserver-sklearn"))
KSERVE = Peer("kserve", ("kserve",))


@dataclass(frozen=True)
class Server:
    """One line of a table.

    Parameters
    ----------
    name : str
        As it is shown.
    command : callable
        From a model and a port to what starts it.
    one, many : Dialect
        How it is asked about a row, and about many.
    peer : Peer, optional
        Its environment; none for what is our own.
    setup : callable, optional
        From a model and a port to a command that runs before.
    environment : callable, optional
        From a model to variables that are set for it.
    checked : bool
        Whether its answers are those of the model.
    """

    name: str
    command: Callable[[Model, int], Sequence[str]]
    one: Dialect
    many: Dialect
    peer: Peer | None = None
    setup: Callable[[Model, int], Sequence[str]] | None = None
    environment: Callable[[Model], dict[str, str]] | None = None
    checked: bool = True

    def start(self, model: Model, **options: object) -> Running:
        """Install it where it is not, start it, and wait until it has answered as the model does."""
        if self.peer:
            self.peer.install()
        port = free_port()
        if self.setup:
            self._set_up(model, port)
        running = Running(
            self.command(model, port),
            port,
            log=WORK / "logs" / f"{re.sub('[^a-z0-9]+', '-', self.name.lower())}.log",
            environment=self.environment(model) if self.environment else None,
            **options,  # type: ignore[arg-type]
        )
        try:
            body = self.one.write(model.rows[:1])
            answer = running.wait(self.one.path, body, media_type=self.one.media_type)
            if self.checked:
                require(model.expected, answer)
        except BaseException:
            running.stop()
            raise
        return running

    def _set_up(self, model: Model, port: int) -> None:
        done = subprocess.run(self.setup(model, port), check=False, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise StartError(f"its model cannot be laid down: {(done.stderr.split(chr(10)) or ['?'])[-2][:200]}")


def require(expected: float, answer: bytes) -> None:
    """Raise unless a number in the answer is the model's own."""
    numbers = [float(text) for text in re.findall(rb"\d\.\d+(?:[eE]-?\d+)?", answer)]
    if not any(abs(number - expected) < 1e-5 for number in numbers):
        raise StartError(f"answers otherwise than the model, which says {expected:.6f}: {answer[:200]!r}")


def shiplap(*ships: Path, port: int, options: Sequence[str] = ()) -> list[str]:
    """Return what starts Shiplap."""
    return [str(OWN / "shiplap"), "serve", *map(str, ships), "--port", str(port), *options]


def own(name: str = "Shiplap", *options: str) -> Server:
    """Return Shiplap, started with further options."""
    return Server(name, lambda model, port: shiplap(model.ship, port=port, options=options), OBJECT, OBJECTS)


def script(peer: Peer, name: str) -> Callable[[str], Callable[[Model, int], Sequence[str]]]:
    """Return commands that run one of our scripts in a peer's environment: KIND FOLDER PORT."""
    python = str(peer.bin / "python")
    return lambda kind: lambda model, port: [python, str(SCRIPTS / name), kind, str(model.folder), str(port)]


def bentoml(kind: str) -> Server:
    return Server(
        "BentoML" + (" + ONNX" if kind == "onnx" else ""),
        lambda model, port: [
            *(str(BENTOML.bin / "bentoml"), "serve", "with_bentoml:Late", "--working-dir", str(SCRIPTS)),
            *("--host", "127.0.0.1", "--port", str(port), "--quiet"),
        ],
        IN_COLUMNS,
        IN_COLUMNS,
        BENTOML,
        environment=lambda model: {
            "PEER_KIND": kind,
            "PEER_FOLDER": str(model.folder),
            "BENTOML_DO_NOT_TRACK": "True",
            "PATH": f"{BENTOML.bin}:/usr/bin:/bin",
        },
    )


_fastapi, _litserve, _kserve = (script(peer, f"with_{peer.name}.py") for peer in (FASTAPI, LITSERVE, KSERVE))

EMPTY = Server(
    "empty answer",
    lambda model, port: [sys.executable, str(SCRIPTS / "empty.py"), str(port)],
    OBJECT,
    OBJECTS,
    checked=False,
)
SHIPLAP = own()
BY_ONNX = [
    Server("FastAPI + ONNX", _fastapi("onnx"), OBJECT, COLUMNS, FASTAPI),
    Server("LitServe + ONNX", _litserve("onnx"), IN_COLUMNS, IN_COLUMNS, LITSERVE),
    bentoml("onnx"),
]
BY_SKLEARN = [
    Server("FastAPI + scikit-learn", _fastapi("sklearn"), OBJECT, COLUMNS, FASTAPI),
    Server("LitServe", _litserve("sklearn"), IN_COLUMNS, IN_COLUMNS, LITSERVE),
    bentoml("sklearn"),
    Server(
        "MLflow",
        lambda model, port: [
            *(str(MLFLOW.bin / "mlflow"), "models", "serve", "-m", str(model.folder / "mlflow"), "-p", str(port)),
            *("--env-manager", "local", "--workers", "1", "-h", "127.0.0.1"),
        ],
        SPLIT,
        SPLIT,
        MLFLOW,
        setup=lambda model, port: [str(MLFLOW.bin / "python"), str(SCRIPTS / "with_mlflow.py"), str(model.folder)],
        environment=lambda model: {"PATH": f"{MLFLOW.bin}:/usr/bin:/bin"},
    ),
    Server(
        "MLServer",
        lambda model, port: [str(MLSERVER.bin / "mlserver"), "start", str(model.folder / "mlserver")],
        TENSORS_MLSERVER,
        TENSORS_MLSERVER,
        MLSERVER,
        setup=lambda model, port: [
            *(str(MLSERVER.bin / "python"), str(SCRIPTS / "with_mlserver.py"), str(model.folder), str(port)),
        ],
    ),
    Server("KServe", _kserve("sklearn"), INSTANCES, INSTANCES, KSERVE),
]
ALL_PEERS = [*BY_ONNX, *BY_SKLEARN]
