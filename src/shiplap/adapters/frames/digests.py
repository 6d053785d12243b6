"""Content hashes: of files, of Arrow tables, and of how they are read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from shiplap.core.errors import TableError

__all__ = ["READING", "digest_arrow", "digest_of", "sha256_file"]

READING = 1
"""Version of how sources become rows; raised whenever the same bytes would give other rows or another schema."""
_CHUNK = 1 << 20


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in pieces.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TableError
        The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
    except OSError as error:
        raise TableError(f"'{path}' cannot be read: {error.strerror}", hint="check its permissions") from error
    return digest.hexdigest()


def digest_arrow(rows: pa.Table) -> str:
    """Return the SHA-256 of an Arrow table's schema and values; how it is cut into chunks does not matter."""
    sink = _HashSink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), rows.schema.remove_metadata()) as stream:
        stream.write_table(rows.replace_schema_metadata(None).combine_chunks(), max_chunksize=1 << 20)
    return sink.digest.hexdigest()


def digest_of(facts: dict[str, Any]) -> str:
    """Return the SHA-256 of `facts` (plain JSON values) and of the version of the reading code.

    Examples
    --------
    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps({"reading": READING, **facts}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class _HashSink:
    """A file that keeps nothing but the hash of what was written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.closed = False

    def write(self, piece: bytes) -> int:
        self.digest.update(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True
