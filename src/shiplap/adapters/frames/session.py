"""One DuckDB database in memory for one table: bounded, local, and closed to the outside once it is filled."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from shiplap.adapters.frames.stars import without_rowid
from shiplap.core.errors import TableError

__all__ = ["MEMORY_MB", "Session", "literal", "quoted"]

MEMORY_MB = 1024.0
"""What one table may hold in memory; the rest is spilled to a folder that is removed when the table is."""
_THREADS = 8


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier.

    Examples
    --------
    >>> print(quoted('the "best" column'))
    "the ""best"" column"
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Iterable[str]) -> str:
    """Return a text, or a list of texts, as SQL.

    Examples
    --------
    >>> print(literal("it's"), literal(["a", "b"]))
    'it''s' ['a', 'b']
    """
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "[" + ", ".join(literal(text) for text in value) + "]"


class Session:
    """A DuckDB database that holds the rows of one table.

    It downloads and loads no extension, sees no Python variable, uses at most 8 threads, and after `seal` reads no
    file but those it was told to keep to. The times in it are UTC.

    Parameters
    ----------
    memory_mb : float
        What it may hold in memory; it spills the rest to a folder that is removed with it.

    Examples
    --------
    >>> session = Session()
    >>> session.fetch("SELECT 1 + 1")
    [(2,)]
    """

    def __init__(self, memory_mb: float = MEMORY_MB) -> None:
        self._kept: dict[Path, tuple[int, ...]] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="shiplap-"))
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": str(min(os.cpu_count() or 1, _THREADS)),
                "memory_limit": f"{memory_mb:.0f}MB",
                "temp_directory": str(self.folder),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "python_enable_replacements": "false",
                "enable_external_file_cache": "false",
            },
        )
        self._lock = threading.Lock()
        self._finalizer = weakref.finalize(self, _close, self._connection, self.folder, os.getpid())
        self._connection.execute("SET TimeZone='UTC'")
        self._connection.execute("ATTACH ':memory:' AS store (COMPRESS)")
        self._connection.execute("USE store")

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run SQL while the table is being made, in one thread; DuckDB's own errors come through."""
        return self._connection.execute(sql)

    def execute_in_order(self, sql: str) -> None:
        """Run SQL on one core: joins and groups of several give their rows in another order every time."""
        cores = self._connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
        self._connection.execute("SET threads = 1")
        self._connection.execute(sql)
        self._connection.execute(f"SET threads = {cores}")

    def ask(self, sql: str) -> duckdb.DuckDBPyRelation:
        """Prepare a query on a cursor of its own, so that several threads can ask at once; it runs when it is read."""
        self._check_kept()
        with self._lock:
            cursor = self._connection.cursor()
        cursor.execute("USE store")
        return cursor.sql(without_rowid(cursor, sql) if self._kept else sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL and return all rows."""
        return self.execute(sql).fetchall()

    def one(self, sql: str) -> tuple[Any, ...]:
        """Run SQL and return its first row."""
        return self.fetch(sql)[0]

    def register(self, name: str, rows: Any) -> None:
        """Make an Arrow table known under `name`, without copying it."""
        self._connection.register(name, rows)

    def unregister(self, name: str) -> None:
        """Forget an Arrow table."""
        self._connection.unregister(name)

    def cast(self, rows: Any, columns: list[tuple[str, str]]) -> duckdb.DuckDBPyRelation:
        """Give the columns of an Arrow table, by position, the names and types stated; on a cursor of its own."""
        with self._lock:
            cursor = self._connection.cursor()
        given = cursor.from_arrow(rows.rename_columns([f"c{i}" for i in range(len(columns))]))
        return given.project(
            ", ".join(f"CAST(c{i} AS {kind}) AS {quoted(name)}" for i, (name, kind) in enumerate(columns))
        )

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Return name and type of every column of a table, view or ``(query)``."""
        return [(row[0], row[1]) for row in self.fetch(f"DESCRIBE SELECT * FROM {relation}")]

    def keep(self, files: Iterable[Path]) -> None:
        """Let queries read some files where they lie, as long as nobody changes them; ``rows`` has a ``rowid`` then."""
        self._kept = {path: _stamp(path) for path in files}
        self._connection.execute(f"SET allowed_paths={literal(str(path) for path in self._kept)}")

    def _check_kept(self) -> None:
        for path, stamp in self._kept.items():
            if _stamp(path) != stamp:
                raise TableError(f"'{path}' was changed while it was in use", hint="start again, on files that rest")

    def seal(self) -> None:
        """Forbid all other files and changed settings from here on."""
        self._connection.execute("SET enable_external_access=false")
        self._connection.execute("SET lock_configuration=true")

    def close(self) -> None:
        """Free the memory and remove the folder now instead of when the table is forgotten."""
        self._finalizer()


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        state = path.stat()
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns, state.st_ino


def plain(error: duckdb.Error) -> str:
    """Return the first line of a DuckDB error without the class names in front of it."""
    first = str(error).strip().split("\n", maxsplit=1)[0]
    head, separator, rest = first.partition(" Error: ")
    return rest if separator and " " not in head.strip() else first


def refused(error: duckdb.Error, doing: str, *, hint: str = "") -> TableError:
    """Return a DuckDB error as a `TableError` of one line."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return TableError(
            f"{doing}: they need more memory than they may take", hint="raise budget.table_mb, or read fewer columns"
        )
    return TableError(f"{doing}: {plain(error)}", hint=hint)


def _close(connection: duckdb.DuckDBPyConnection, folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must leave the parent's files alone
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
