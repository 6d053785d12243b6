"""`Store`: everything a project remembers, in one folder. The one class that the rooms see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from shiplap.core.durable import sync_folder
from shiplap.core.errors import StoreError
from shiplap.core.run import Run
from shiplap.core.store.files import FileDigests
from shiplap.core.store.ledger import Ledger
from shiplap.core.store.memo import Memo, Step
from shiplap.core.store.names import Name, Names
from shiplap.core.store.objects import Objects
from shiplap.core.store.predictions import Predictions
from shiplap.core.store.runs import Point, Runs

__all__ = ["Store", "open_store"]


def open_store(folder: Path) -> Store:
    """Open the store of a project, and make it when there is none.

    Parameters
    ----------
    folder : Path
        The project's folder; the store lies in ``.shiplap`` below it.

    Raises
    ------
    StoreError
        The folder cannot be written, or the store there is of a version that this Shiplap does not know.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
    ...     store.memo({"verb": "add", "parameters": [1, 2]}, lambda: b"3")
    ...     store.memo({"verb": "add", "parameters": [1, 2]}, lambda: b"never asked")
    (b'3', False)
    (b'3', True)
    """
    return Store(folder if folder.name == ".shiplap" else folder / ".shiplap")


class Store:
    """Objects, runs, names and the memo of one project.

    Several threads and several processes may use one store at a time. Whatever a call has returned is on the disk;
    killing a process at any moment leaves the store whole.

    Parameters
    ----------
    folder : Path
        The store's own folder; made, for its owner only, when it is not there.

    Attributes
    ----------
    predictions : Predictions
        What models in service were asked and answered, and what came of it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / ".shiplap") as store:
    ...     digest = store.put(b"rows")
    ...     run = store.begin("explore", inputs={"table": digest})
    ...     store.metric(run, "rows", 1)
    ...     _ = store.finish(run)
    ...     [(run.verb, run.outcome) for run in store.runs()]
    [('explore', 'done')]
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        locks = self.folder / "locks"
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_folder(self.folder.parent)
            locks.mkdir(exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.is_file() or not ignore.stat().st_size:
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot make a store in '{folder}': {error.strerror}", hint="check the folder") from error
        self._objects = Objects(self.folder / "objects")
        self._ledger = Ledger(self.folder)
        self._files = FileDigests(self._ledger)
        self._memo = Memo(self._ledger, objects=self._objects, files=self._files, locks=locks)
        self._names = Names(self._ledger)
        self._runs = Runs(self._ledger, locks=locks, project=self.folder.parent)
        self.predictions = Predictions(self.folder)

    def put(self, data: bytes | bytearray | memoryview) -> str:
        """Write an object and return its digest, 64 hexadecimal digits."""
        return self._objects.put(data)

    def put_file(self, path: Path) -> str:
        """Copy a file into the store, in pieces, and return its digest; raises ``InputError`` if it is not readable."""
        return self._objects.put_file(path)

    def get(self, digest: str) -> bytes:
        """Return an object's bytes, checked; raises ``StoreError`` when it is not there or damaged."""
        return self._objects.get(digest)

    def path(self, digest: str) -> Path:
        """Return where an object lies, to be read only; raises ``StoreError`` when it is not there or damaged."""
        return self._memo.checked(digest)

    def __contains__(self, digest: str) -> bool:
        return digest in self._objects

    def digest_file(self, path: Path) -> str:
        """Return the digest of a file anywhere, reading it only when it may have changed since the last time.

        Raises
        ------
        InputError
            It cannot be read, or changes while it is read.
        """
        return self._files.digest(path)

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
        """Write down that a run has begun: digests of its inputs, what it was told, environment, git commit.

        Environment and commit of this process and project are written down when they are left out.
        """
        return self._runs.begin(
            verb, inputs=inputs, parameters=parameters, seed=seed, environment=environment, commit=commit
        )

    def heartbeat(self, run: Run | str) -> None:
        """Say that a run is alive; needed only where its process does not say so itself every ten seconds."""
        self._runs.heartbeat(run)

    def finish(
        self,
        run: Run,
        *,
        outcome: str = "done",
        outputs: Mapping[str, str] = {},
        metrics: Mapping[str, float | str | None] = {},
    ) -> Run:
        """Write down how a run ended (``done``, ``failed``, ``killed``) and return it; ``StoreError`` if it had.

        The numbers among `metrics` become points of the run.
        """
        return self._runs.finish(run, outcome=outcome, outputs=outputs, metrics=metrics)

    def metric(self, run: Run | str, name: str, value: float, step: int = 0) -> None:
        """Add one point to the series `name` of a run; when it returns the point is on the disk."""
        self._runs.add(run, [(name, value, step)])

    def metrics(self, run: Run | str, points: Iterable[tuple[str, float, int]]) -> None:
        """Add points ``(name, value, step)`` of a run in one commit."""
        self._runs.add(run, points)

    def points(self, run: Run | str, name: str | None = None) -> list[Point]:
        """Return the points of a run, of one series or of all, by name and step."""
        return self._runs.points(run, name)

    def run(self, run: str) -> Run:
        """Return one run by its identifier; raises ``StoreError`` when there is none."""
        return self._runs.get(run)

    def runs(self, *, verb: str | None = None, limit: int = -1) -> list[Run]:
        """Return runs, the latest first; one whose process died is shown as ``killed``."""
        return self._runs.latest(verb=verb, limit=limit)

    def name(self, name: str, digest: str, *, who: str = "", why: str = "") -> Name:
        """Point a name such as ``churn@production`` at an object; the record stays for ever.

        Raises
        ------
        StoreError
            There is no such object, or the name is not one.
        """
        self._objects.place(digest)
        return self._names.set(name, digest, who=who, why=why)

    def resolve(self, name: str) -> str:
        """Return the digest that a name means now; raises ``StoreError``, with the nearest, for an unknown one."""
        return self._names.resolve(name)

    def names(self) -> dict[str, Name]:
        """Return what each name means now."""
        return self._names.all()

    def history(self, name: str) -> list[Name]:
        """Return every record of a name, the latest first."""
        return self._names.history(name)

    def memo(
        self,
        key: Step | Mapping[str, Any],
        compute: Callable[[], bytes],
        *,
        objects: Callable[[bytes], Iterable[str]] = lambda result: (),
    ) -> tuple[bytes, bool]:
        """Return the result of a pure step, computing it only when nobody has.

        Of several threads and processes that want the same step one computes and the others wait; when that one dies,
        the next takes over. A stored result that was damaged is removed, said, and computed again.

        Parameters
        ----------
        key : Step or dict
            All that the result depends on, as plain values.
        compute : callable
            Does the step; what it raises is passed on and nothing is stored.
        objects : callable
            Given a result, names the digests of other objects in the store that it speaks of. A result is remembered
            only as long as all of them are there and undamaged.

        Returns
        -------
        result : bytes
            What the step gave.
        hit : bool
            Whether it was there already.

        Raises
        ------
        StoreError
            The key holds something that has no plain form, or the store cannot be used.
        """
        return self._memo.value(key, compute, objects)

    def memo_object(self, key: Step | Mapping[str, Any], compute: Callable[[], bytes | Path]) -> str:
        """Like `memo`, for results too large to hold in memory: return the result's digest, to be used with `path`.

        Parameters
        ----------
        key : Step or dict
            All that the result depends on, as plain values.
        compute : callable
            Does the step and returns its bytes, or the path of a file whose content is copied.
        """
        return self._memo.object(key, compute)[0]

    def close(self) -> None:
        """Let go of the files; runs that have not been finished are shown as killed."""
        self._runs.close()
        self._ledger.close()
        self.predictions.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
