"""The ledger: one SQLite file that several processes and threads write, and that a killed one leaves whole."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shiplap.core.errors import StoreError
from shiplap.core.locks import FileLock
from shiplap.core.store.drives import MOUNTS, is_network_drive

__all__ = ["VERSION", "Ledger"]

VERSION = 1
_APPLICATION = 0x53484950  # "SHIP" in the header of the file, for `file(1)` and for us
_SCHEMA = """
CREATE TABLE runs (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, verb TEXT NOT NULL, inputs TEXT NOT NULL,
    parameters TEXT NOT NULL, seed INTEGER NOT NULL, outputs TEXT NOT NULL, environment TEXT NOT NULL,
    git_commit TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL, outcome TEXT NOT NULL,
    owner TEXT NOT NULL, host TEXT NOT NULL, heartbeat REAL NOT NULL
);
CREATE TABLE points (
    run INTEGER NOT NULL REFERENCES runs (seq), name TEXT NOT NULL, step INTEGER NOT NULL, value REAL, at REAL NOT NULL
);
CREATE INDEX points_by_run ON points (run, name);
CREATE TABLE names (
    seq INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX names_by_name ON names (name);
CREATE TABLE memo (
    key TEXT PRIMARY KEY, step TEXT NOT NULL, digest TEXT NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL
);
CREATE TABLE files (path BLOB PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL)
"""
_HINTS = {
    "malformed": "move it away: objects stay, steps are computed again",
    "not a database": "move it away: objects stay, steps are computed again",
    "full": "make room on the drive and try again",
    "locked": "another program holds it; try again",
    "readonly": "check that the folder can be written",
    "unable to open": "check that the folder can be written",
    "disk i/o": "check the drive",
}


class _Entry:
    """Rows of one caller, waiting to be committed together with those of others."""

    def __init__(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        self.sql = sql
        self.rows = rows
        self.committed = False


class Ledger:
    """Transactions on ``ledger.db``.

    Every write and every checkpoint happens under one file lock, so that writers queue up instead of polling and
    never meet a checkpoint. On a network drive, where the write-ahead log is unsafe, a rollback journal is used.

    Parameters
    ----------
    folder : Path
        An existing folder.
    name : str
        Name of the file, without its ending.
    schema : str
        What is in a new one.
    mounts : Path
        The system's table of mounts, which tells network drives.

    Raises
    ------
    StoreError
        It is not a ledger, or of a version that this Shiplap does not know.

    Examples
    --------
    >>> import tempfile
    >>> ledger = Ledger(Path(tempfile.mkdtemp()))
    >>> with ledger.writing() as db:
    ...     _ = db.execute("INSERT INTO files VALUES (?, ?, ?)", (b"rows.csv", "1:2:3:4", "ab"))
    >>> ledger.read("SELECT digest FROM files")
    [('ab',)]
    >>> ledger.close()
    """

    def __init__(self, folder: Path, *, name: str = "ledger", schema: str = _SCHEMA, mounts: Path = MOUNTS) -> None:
        self.path = folder / f"{name}.db"
        self._schema = schema
        self._mounts = mounts
        self._guard = threading.RLock()
        self._queue: list[_Entry] = []
        self._db: sqlite3.Connection | None = None
        self._at_end: weakref.finalize[[], Ledger] | None = None
        self._lock = FileLock(folder / f"{name}.lock", lasting=True)
        _ledgers.add(self)
        self._connection()

    def read(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query, as of one moment."""
        with self._guard, self._said():
            return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction: when it ends, everything in it is on the disk; when it fails, nothing."""
        with self._guard, self._said():
            db = self._connection()
            with self._lock, _transaction(db):
                yield db

    def append(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert rows and return when they are on the disk; what several threads append meanwhile is one commit.

        Parameters
        ----------
        sql : str
            One ``INSERT`` with as many ``?`` as each row has values.
        rows : iterable of tuple
            All of them are written, or none.
        """
        mine = _Entry(sql, list(rows))
        self._queue.append(mine)
        try:
            with self._guard:  # while we wait here, whoever is before us may write our rows with his own
                if not mine.committed:
                    self._commit_queue()
        finally:
            self._queue.remove(mine)

    def _commit_queue(self) -> None:
        batch = [entry for entry in self._queue.copy() if not entry.committed]
        with self.writing() as db:
            for entry in batch:
                db.executemany(entry.sql, entry.rows)
        for entry in batch:
            entry.committed = True

    def wipe_log(self) -> None:
        """Leave nothing of what was deleted in the write-ahead log, unless somebody is reading just now."""
        with self._guard, self._said():
            db = self._connection()
            with self._lock:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._guard, self._said():
            if self._at_end is not None:
                with self._lock:  # closing writes the log back
                    self._at_end()
                self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            with self._said():
                self._db = self._connect()
                self._at_end = weakref.finalize(self, self._db.close)
        return self._db

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA fullfsync = ON")  # macOS; no effect elsewhere
            journal = "delete" if is_network_drive(self.path.parent, mounts=self._mounts) else "wal"
            if _number(db, "user_version") != VERSION or _text(db, "journal_mode") != journal:
                with self._lock:
                    self._set_up(db, journal)
        except BaseException:
            db.close()
            raise
        return db

    def _set_up(self, db: sqlite3.Connection, journal: str) -> None:
        version = _number(db, "user_version")
        if version not in (0, VERSION):
            message = f"the ledger '{self.path}' is of version {version}; this Shiplap knows version {VERSION}"
            raise StoreError(message, hint="install the Shiplap that wrote it, or a newer one")
        if _number(db, "application_id") != _APPLICATION and db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise StoreError(f"'{self.path}' is a database, but not a ledger of Shiplap", hint="move it away")
        if db.execute(f"PRAGMA journal_mode = {journal}").fetchone()[0] != journal:
            message = f"the ledger '{self.path}' lies on a network drive and another process holds it open"
            raise StoreError(message, hint="let that process finish and try again")
        if version == VERSION:
            return
        with _transaction(db):
            for statement in self._schema.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            hint = next((hint for word, hint in _HINTS.items() if word in str(error).lower()), "")
            raise StoreError(f"the ledger '{self.path}' cannot be used: {error}", hint=hint) from error


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _number(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])


def _text(db: sqlite3.Connection, pragma: str) -> str:
    return str(db.execute(f"PRAGMA {pragma}").fetchone()[0])


def _after_fork() -> None:
    # A connection must not be used, nor closed, in a forked child: the child keeps it aside and opens its own.
    for ledger in list(_ledgers):
        if ledger._at_end is not None:
            ledger._at_end.detach()
        _inherited.append(ledger._db)
        ledger._db = None
        ledger._guard = threading.RLock()
        ledger._queue = []


_ledgers: weakref.WeakSet[Ledger] = weakref.WeakSet()
_inherited: list[sqlite3.Connection | None] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
