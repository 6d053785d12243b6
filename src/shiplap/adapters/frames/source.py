"""What a text or path given as a table means: which files, of which format, read how."""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shiplap.core.errors import TableError, nearest

__all__ = ["LARGE", "FileSource", "format_of", "is_query", "locate"]

LARGE = 32 * 2**20
"""Bytes from which on Parquet files are read where they lie."""
_QUERY = re.compile(r"\s*(select|with|from)\b\s*\S", re.IGNORECASE)
_KNOWN = "CSV, TSV, Parquet, JSON lines (each also .gz or .zst where it is text), DuckDB and SQLite files"
_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".data"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    ".json": "json",
    **dict.fromkeys((".duckdb", ".ddb", ".db", ".sqlite", ".sqlite3"), "database"),
}
_MAGIC = {b"PAR1": "parquet", b"SQLite format 3\x00": "database"}


@dataclass(frozen=True)
class FileSource:
    """Files that are read as one table.

    Parameters
    ----------
    files : tuple of Path
        In the order in which their rows are taken.
    format : str
        ``csv``, ``parquet``, ``jsonl``, ``json`` or ``database``.
    inner : str
        Name of the table inside a database file; empty when there is only one.
    """

    files: tuple[Path, ...]
    format: str
    inner: str = ""

    @property
    def is_large(self) -> bool:
        """Whether the files are too large to be copied without need."""
        return sum(path.stat().st_size for path in self.files) >= LARGE

    @property
    def name(self) -> str:
        """A short name for the table."""
        if self.inner:
            return self.inner
        stem = self.files[0].name if len(self.files) == 1 else self.files[0].parent.name or self.files[0].name
        return stem.partition(".")[0] or stem


def format_of(path: Path) -> str:
    """Return the format a file name stands for; ``""`` when its suffix is not one that Shiplap knows.

    Examples
    --------
    >>> format_of(Path("rows.csv.gz")), format_of(Path("rows.pq")), format_of(Path("rows.xlsx"))
    ('csv', 'parquet', '')
    """
    name = Path(path.name.lower())
    if name.suffix in (".gz", ".zst"):
        name = name.with_suffix("")
    return _SUFFIXES.get(name.suffix, "")


def is_query(text: str) -> bool:
    """Tell whether a text is an SQL query rather than a path.

    Examples
    --------
    >>> is_query("SELECT * FROM 'a.csv'"), is_query("from 'a.csv'"), is_query("selected.csv")
    (True, True, False)
    """
    return _QUERY.match(text) is not None and not Path(text[:200]).is_file()


def locate(text: str | Path, base: Path | None = None) -> FileSource:
    """Find the files that `text` names: one path, a glob, or ``database::table``.

    Raises
    ------
    TableError
        There is no such file, it is a folder, it is not local, its format is unknown, or it cannot be opened.
    """
    given, _, inner = os.fspath(text).partition("::")
    if re.match(r"[a-z][a-z0-9+.-]*://", given, re.IGNORECASE):
        raise TableError(f"'{given}' is not a local file", hint="download it first; Shiplap reads no network addresses")
    path = Path(base or "") / Path(given).expanduser()
    if path.is_dir():
        raise TableError(f"'{given}' is a folder", hint=f"name its files, such as '{given.rstrip('/')}/*.parquet'")
    files = (path,) if path.exists() else tuple(sorted(_matching(path)))
    files = tuple(file for file in files if file.is_file())
    if not files:
        raise TableError(f"no file {'matches' if glob.has_magic(given) else 'at'} '{given}'", hint=_near(path))
    formats = {_checked_format(file) for file in files}
    if len(formats) > 1:
        raise TableError(f"'{given}' matches files of several formats: {', '.join(sorted(formats))}")
    found = formats.pop()
    if found == "database" and len(files) > 1:
        raise TableError(f"'{given}' matches {len(files)} database files", hint="name one")
    if inner and found != "database":
        raise TableError(f"'{given}' is no database: it holds no table '{inner}'", hint=f"leave out '::{inner}'")
    return FileSource(files, found, inner)


def _matching(path: Path) -> Iterator[Path]:
    fixed = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    pattern = str(path.relative_to(fixed))
    return fixed.glob(pattern) if glob.has_magic(pattern) else iter(())


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder '{folder}'"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and format_of(entry))
    return nearest(path.name, names) if names else f"the folder '{folder}' holds no table"


def _checked_format(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise TableError(f"'{file}' cannot be opened: {error.strerror}", hint="check its permissions") from error
    if not head:
        raise TableError(f"'{file}' is empty", hint="it should hold a header line and rows")
    if head[8:12] == b"DUCK":
        return "database"
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    found = format_of(file)
    if not found:
        raise TableError(f"'{file}' is of a kind that Shiplap does not read", hint=f"it reads {_KNOWN}")
    if found == "database":
        raise TableError(f"'{file}' is neither a DuckDB nor an SQLite file", hint="it may be truncated; copy it again")
    return found
