"""Locks between processes that die with their owner."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from shiplap.core.errors import StoreError

__all__ = ["FileLock", "is_held"]

if sys.platform == "win32":
    import msvcrt

    def _try(fd: int, *, shared: bool = False) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait(fd: int) -> None:
        while not _try(fd):
            time.sleep(0.05)

else:
    import fcntl

    def _try(fd: int, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX)


class FileLock:
    """One holder at a time, among threads and processes; the system frees it when the holder dies.

    Parameters
    ----------
    path : Path
        The file that stands for the lock; its folder must exist.
    lasting : bool
        Leave the file in place when the lock is released, where it is taken again and again.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = FileLock(Path(folder) / "step.lock")
    ...     with lock:
    ...         held = is_held(lock.path)
    >>> held
    True
    """

    def __init__(self, path: Path, *, lasting: bool = False) -> None:
        self.path = path
        self._lasting = lasting
        self._fd = -1
        _locks.add(self)

    def acquire(self, *, waiting: Callable[[], None] | None = None) -> None:
        """Take the lock; `waiting` is called once if somebody else holds it.

        Raises
        ------
        StoreError
            The file cannot be opened, or the drive knows no locks.
        """
        try:
            while not self._take(waiting):
                waiting = None
        except OSError as error:
            hint = "check that the folder can be written and lies on a drive that supports file locks"
            raise StoreError(f"cannot lock '{self.path}': {error.strerror}", hint=hint) from error

    def _take(self, waiting: Callable[[], None] | None) -> bool:
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        taken = False
        try:
            if not _try(self._fd):
                if waiting is not None:
                    waiting()
                _wait(self._fd)
            # The holder before us may have removed the file: then this lock guards nothing any more.
            taken = _is_at(self._fd, self.path)
        finally:
            if not taken:
                self._forget()
        return taken

    @property
    def held(self) -> bool:
        """Whether this object holds the lock; a forked child does not."""
        return self._fd >= 0

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._fd < 0:
            return
        if not self._lasting:
            with contextlib.suppress(OSError):  # Windows removes no open file; an empty one may stay
                self.path.unlink()
        self._forget()

    def _forget(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self._forget()

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Tell whether somebody alive holds the lock at `path`; asking takes it from nobody."""
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try(fd, shared=True)
    finally:
        os.close(fd)


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _after_fork() -> None:
    # A child shares its parent's locks as long as it has the files open; it must not keep them after the parent died.
    for lock in list(_locks):
        lock._forget()


_locks: weakref.WeakSet[FileLock] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
