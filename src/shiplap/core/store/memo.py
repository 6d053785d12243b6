"""The memo: a step that was done is not done again, by anybody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shiplap.core.errors import InputError, StoreError
from shiplap.core.locks import FileLock
from shiplap.core.progress import tell
from shiplap.core.store.digests import digest_of_value
from shiplap.core.store.files import FileDigests
from shiplap.core.store.ledger import Ledger
from shiplap.core.store.objects import Objects

__all__ = ["Memo", "Step"]

T = TypeVar("T")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """All that the result of a pure step depends on.

    Parameters
    ----------
    verb : str
        What is done.
    inputs : dict of str to str
        Digest of each input.
    schema : object
        How the input is read, as plain values.
    parameters : dict
        What the step is told, as plain values.
    seed : int
        Seed of every random choice.
    code : str
        Digest of the step's source code, from `code_digest`.
    libraries : dict of str to str
        Versions of the libraries that matter, from `library_versions`.
    machine : str
        From `machine_digest` where the result depends on the machine (measurements), else empty.

    Examples
    --------
    >>> Step(verb="train", seed=1) == Step(verb="train", seed=2)
    False
    """

    verb: str
    inputs: Mapping[str, str] = {}
    schema: Any = None
    parameters: Mapping[str, Any] = {}
    seed: int = 0
    code: str = ""
    libraries: Mapping[str, str] = {}
    machine: str = ""


class Memo:
    """Results of steps, by the digest of all that they depend on.

    Parameters
    ----------
    ledger : Ledger
        Where it is written which object is the result of which step.
    objects : Objects
        Where the results are.
    files : FileDigests
        Checks large results without reading them each time.
    locks : Path
        Folder of lock files.
    """

    def __init__(self, ledger: Ledger, *, objects: Objects, files: FileDigests, locks: Path) -> None:
        self._ledger = ledger
        self._objects = objects
        self._files = files
        self._locks = locks

    def value(
        self, key: Step | Mapping[str, Any], compute: Callable[[], bytes], objects: Callable[[bytes], Iterable[str]]
    ) -> tuple[bytes, bool]:
        """Return the result of a step, and whether it was there already; see `Store.memo`."""

        def read(digest: str) -> bytes:
            data = self._objects.get(digest)
            for spoken_of in objects(data):
                self.checked(spoken_of)
            return data

        _, data, hit = self._settle(key, compute, read)
        return data, hit

    def object(self, key: Step | Mapping[str, Any], compute: Callable[[], bytes | Path]) -> tuple[str, bool]:
        """Return the digest of the result of a step, and whether it was there already; see `Store.memo_object`."""
        digest, _, hit = self._settle(key, compute, self.checked)
        return digest, hit

    def checked(self, digest: str) -> Path:
        """Return where an object lies; its content is read and checked when the file is not known to be unchanged.

        Raises
        ------
        StoreError
            There is no such object, or its content is not what its name says; then it is removed.
        """
        place = self._objects.place(digest)
        self._objects.check(digest, self._files.digest(place))
        return place

    def _settle(
        self, key: Step | Mapping[str, Any], compute: Callable[[], bytes | Path], read: Callable[[str], T]
    ) -> tuple[str, T, bool]:
        name = digest_of_value(key)
        found = self._recall(name, read)
        if found is not None:
            return (*found, True)
        verb = key.verb if isinstance(key, Step) else str(key.get("verb", ""))
        lock = FileLock(self._locks / f"{name}.step")
        lock.acquire(waiting=lambda: tell(f"another process is busy with this step ({verb}): waiting for it"))
        try:
            found = self._recall(name, read)
            if found is not None:
                return (*found, True)
            digest = self._do(name, verb, compute)
            return digest, read(digest), False
        finally:
            lock.release()

    def _recall(self, name: str, read: Callable[[str], T]) -> tuple[str, T] | None:
        rows = self._ledger.read("SELECT digest, step FROM memo WHERE key = ?", (name,))
        if not rows:
            return None
        digest, verb = rows[0]
        try:
            return digest, read(digest)
        except (StoreError, InputError) as error:  # gone, damaged or unreadable
            tell(f"the stored result of a step ({verb}) is of no use: {error.message}; the step is done again")
        with self._ledger.writing() as db:
            db.execute("DELETE FROM memo WHERE key = ? AND digest = ?", (name, digest))
        return None

    def _do(self, name: str, verb: str, compute: Callable[[], bytes | Path]) -> str:
        started = time.monotonic()
        result = compute()
        digest = self._objects.put_file(result) if isinstance(result, Path) else self._objects.put(result)
        seconds = time.monotonic() - started
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._ledger.append("INSERT OR REPLACE INTO memo VALUES (?, ?, ?, ?, ?)", [(name, verb, digest, seconds, at)])
        return digest
