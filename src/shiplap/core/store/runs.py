"""Runs: what ran, when, on what, how it ended; and the series of figures it reported."""

from __future__ import annotations

import contextlib
import json
import math
import platform
import secrets
import threading
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.environment import environment as here
from shiplap.core.environment import git_commit
from shiplap.core.errors import StoreError
from shiplap.core.locks import FileLock, is_held
from shiplap.core.run import Run
from shiplap.core.store.ledger import Ledger

__all__ = ["Point", "Runs"]

_BEAT_SECONDS = 10.0
_DEAD_SECONDS = 60.0
_COLUMNS = "id, verb, inputs, parameters, seed, outputs, environment, git_commit, started, seconds, outcome"
_INSERT = f"INSERT INTO runs ({_COLUMNS}, owner, host, heartbeat) VALUES ({', '.join('?' * 14)})"  # noqa: S608
_POINT = "INSERT INTO points VALUES (?, ?, ?, ?, ?)"
_SELECT = f"SELECT {_COLUMNS}, owner, host, heartbeat FROM runs "  # noqa: S608


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a series.

    Parameters
    ----------
    name : str
        Name of the series, with its unit where it has one.
    step : int
        Position in the series.
    value : float
        NaN and infinities are kept.
    at : float
        Seconds since 1970, UTC.
    """

    name: str
    step: int
    value: float
    at: float


class Runs:
    """Records of runs in the ledger.

    A process that has runs open holds a lock file and beats now and then. A run is shown as ``killed`` when it is
    still marked as running and its lock is free; from another machine, whose locks may not be seen, when it has not
    beaten for a minute.

    Parameters
    ----------
    ledger : Ledger
        Where the records go.
    locks : Path
        Folder of lock files.
    project : Path
        Folder whose git commit is recorded, as it stands at the first run.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> runs = Runs(Ledger(folder), locks=folder, project=folder)
    >>> run = runs.begin("train", parameters={"trees": 200})
    >>> runs.add(run, [("log_loss", 0.61, 1), ("log_loss", 0.58, 2)])
    >>> runs.finish(run, outputs={"model": "ab12"}).outcome
    'done'
    >>> [point.value for point in runs.points(run, "log_loss")]
    [0.61, 0.58]
    """

    def __init__(self, ledger: Ledger, *, locks: Path, project: Path) -> None:
        self._ledger = ledger
        self._locks = locks
        self._project = project
        self._commit: str | None = None
        self._lock: FileLock | None = None
        self._ended = threading.Event()
        self._open: dict[str, float] = {}
        self._numbers: dict[str, int] = {}
        self._guard = threading.Lock()

    def begin(
        self,
        verb: str,
        *,
        inputs: Mapping[str, str] = {},
        parameters: Mapping[str, Any] = {},
        seed: int = 0,
        environment: Mapping[str, str] | None = None,
        commit: str | None = None,
    ) -> Run:
        """Write down that a run of `verb` has begun.

        Parameters
        ----------
        verb : str
            What runs.
        inputs : dict of str to str
            Digest of each input.
        parameters : dict of str to JSON value
            What the verb was told.
        seed : int
            Seed of every random choice.
        environment : dict of str to str, optional
            What the result may depend on; what `environment` says when left out.
        commit : str, optional
            Git commit; that of the project, as it stood at the first run of this process, when left out.
        """
        now = datetime.now(UTC)
        if commit is None:
            commit = self._commit = git_commit(self._project) if self._commit is None else self._commit
        run = Run(
            id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}",
            verb=verb,
            inputs=dict(inputs),
            parameters=msgspec.json.decode(msgspec.json.encode(parameters)),
            seed=seed,
            environment=dict(here() if environment is None else environment),
            commit=commit,
            started=now.isoformat(timespec="milliseconds"),
            outcome="running",
        )
        row = (*_row(run), self._present(), platform.node(), time.time())
        self._ledger.append(_INSERT, [row])
        self._open[run.id] = time.monotonic()
        return run

    def heartbeat(self, run: Run | str) -> None:
        """Say that a run is alive; done by itself every ten seconds while the process lives."""
        with self._ledger.writing() as db:
            db.execute("UPDATE runs SET heartbeat = ? WHERE id = ?", (time.time(), _id(run)))

    def finish(
        self,
        run: Run,
        *,
        outcome: str = "done",
        outputs: Mapping[str, str] = {},
        metrics: Mapping[str, float | str | None] = {},
    ) -> Run:
        """Write down how a run ended and return it as it now stands.

        Parameters
        ----------
        run : Run
            What `begin` returned.
        outcome : {"done", "failed", "killed"}
            How it ended.
        outputs : dict of str to str
            Digest of each output.
        metrics : dict
            Last figures; the numbers among them become points at step 0.

        Raises
        ------
        StoreError
            It is not a run that is under way.
        """
        seconds = time.monotonic() - self._open.pop(run.id, math.nan)
        if math.isnan(seconds):  # begun by another process
            seconds = (datetime.now(UTC) - datetime.fromisoformat(run.started)).total_seconds()
        ended = msgspec.structs.replace(run, outcome=outcome, outputs=dict(outputs), seconds=seconds)
        figures = [(name, value, 0) for name, value in metrics.items() if isinstance(value, (int, float))]
        points = self._rows(run.id, figures)
        with self._ledger.writing() as db:
            changed = db.execute(
                "UPDATE runs SET outputs = ?, seconds = ?, outcome = ? WHERE id = ? AND outcome = 'running'",
                (json.dumps(ended.outputs), seconds, outcome, run.id),
            )
            if changed.rowcount == 0:
                raise StoreError(f"run {run.id} is not under way: it has ended, or is of another store")
            db.executemany(_POINT, points)
        return ended

    def add(self, run: Run | str, points: Iterable[tuple[str, float, int]]) -> None:
        """Write points ``(name, value, step)`` of a run; when it returns they are on the disk.

        Raises
        ------
        StoreError
            There is no such run.
        """
        self._ledger.append(_POINT, self._rows(_id(run), points))

    def points(self, run: Run | str, name: str | None = None) -> list[Point]:
        """Return the points of a run, of one series or of all, by name and step."""
        rows = self._ledger.read(
            "SELECT name, step, value, at FROM points WHERE run = ? AND (? IS NULL OR name = ?) "
            "ORDER BY name, step, rowid",
            (self._number(_id(run)), name, name),
        )
        return [Point(name=n, step=s, value=math.nan if v is None else v, at=at) for n, s, v, at in rows]

    def latest(self, *, verb: str | None = None, limit: int = -1) -> list[Run]:
        """Return runs, the latest first; a `limit` below 0 means all."""
        return self._select("WHERE ? IS NULL OR verb = ? ORDER BY seq DESC LIMIT ?", (verb, verb, limit))

    def get(self, run: str) -> Run:
        """Return one run by its identifier; raises ``StoreError`` when there is none."""
        found = self._select("WHERE id = ?", (run,))
        if not found:
            raise StoreError(f"the store has no run '{run}'")
        return found[0]

    def close(self) -> None:
        """Let go: runs that have not ended are shown as killed from now on."""
        with self._guard:
            self._open.clear()
            self._ended.set()
            if self._lock is not None:
                self._lock.release()
            self._lock = None

    def _select(self, where: str, values: tuple[Any, ...]) -> list[Run]:
        rows = self._ledger.read(_SELECT + where, values)
        alive: dict[str, bool] = {}
        runs = []
        for *row, owner, host, heartbeat in rows:
            if row[-1] == "running":
                if owner not in alive:
                    alive[owner] = self._is_alive(owner, host, heartbeat)
                row[-1] = "running" if alive[owner] else "killed"
            runs.append(_run(row))
        return runs

    def _is_alive(self, owner: str, host: str, heartbeat: float) -> bool:
        lock = self._locks / f"{owner}.run"
        if is_held(lock):
            return True
        if host != platform.node():
            return time.time() - heartbeat < _DEAD_SECONDS
        lock.unlink(missing_ok=True)  # its owner died and cannot do so
        return False

    def _present(self) -> str:
        with self._guard:
            if self._lock is None or not self._lock.held:  # the first run of this process
                self._open.clear()
                self._ended = threading.Event()
                self._lock = FileLock(self._locks / f"{secrets.token_hex(8)}.run")
                self._lock.acquire()
                beat = threading.Thread(target=_beat, args=(weakref.ref(self), self._ended), daemon=True)
                beat.start()
            return self._lock.path.stem

    def _beat(self) -> None:
        rows = [(time.time(), run) for run in list(self._open)]
        if rows:
            with self._ledger.writing() as db:
                db.executemany("UPDATE runs SET heartbeat = ? WHERE id = ?", rows)

    def _rows(self, run: str, points: Iterable[tuple[str, float, int]]) -> list[tuple[Any, ...]]:
        number, now = self._number(run), time.time()
        return [(number, str(name), int(step), _real(value), now) for name, value, step in points]

    def _number(self, run: str) -> int:
        if run not in self._numbers:
            rows = self._ledger.read("SELECT seq FROM runs WHERE id = ?", (run,))
            if not rows:
                raise StoreError(f"the store has no run '{run}'")
            self._numbers[run] = rows[0][0]
        return self._numbers[run]


def _beat(of: weakref.ref[Runs], ended: threading.Event) -> None:
    while not ended.wait(_BEAT_SECONDS) and (runs := of()) is not None:
        with contextlib.suppress(StoreError):  # a missed beat is harmless; whoever writes results hears the error
            runs._beat()
        del runs


def _id(run: Run | str) -> str:
    return run if isinstance(run, str) else run.id


def _real(value: float) -> float | None:
    return None if math.isnan(value := float(value)) else value  # SQLite has no NaN


def _row(run: Run) -> tuple[Any, ...]:
    texts = [json.dumps(field) for field in (run.inputs, run.parameters, run.outputs, run.environment)]
    inputs, parameters, outputs, libraries = texts
    return (
        *(run.id, run.verb, inputs, parameters, run.seed, outputs, libraries),
        *(run.commit, run.started, run.seconds, run.outcome),
    )


def _run(row: Sequence[Any]) -> Run:
    id_, verb, inputs, parameters, seed, outputs, libraries, commit, started, seconds, outcome = row
    return Run(
        id=id_,
        verb=verb,
        inputs=json.loads(inputs),
        parameters=json.loads(parameters),
        seed=seed,
        outputs=json.loads(outputs),
        environment=json.loads(libraries),
        commit=commit,
        started=started,
        seconds=seconds,
        outcome=outcome,
    )
