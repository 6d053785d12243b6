"""Digests of large files, remembered until the file changes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from shiplap.core.errors import InputError
from shiplap.core.store.digests import digest_of_file, stamp
from shiplap.core.store.ledger import Ledger

__all__ = ["FileDigests"]

_SETTLED_NS = 2_000_000_000


class FileDigests:
    """A cache in the ledger: path, size, times and inode to digest.

    Parameters
    ----------
    ledger : Ledger
        Where the cache lies.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "rows.csv").write_bytes(b"age\\n41\\n")
    >>> FileDigests(Ledger(folder)).digest(folder / "rows.csv")[:12]
    '545ee1f1d39d'
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def digest(self, path: Path) -> str:
        """Return the digest of the file's content, reading it only when it may have changed since the last time.

        Raises
        ------
        InputError
            The file cannot be read, or changes while it is read.
        """
        real = path.resolve()
        name, before = os.fsencode(real), stamp(real)
        known = self._ledger.read("SELECT digest FROM files WHERE path = ? AND stamp = ?", (name, before))
        if known:
            return str(known[0][0])
        digest = digest_of_file(real)
        if stamp(real) != before:
            raise InputError(f"'{path}' changed while it was read", hint="try again when nobody writes it")
        # A write within the clock's grain could leave the stamp as it is: remember only what has been at rest.
        if time.time_ns() - real.stat().st_mtime_ns > _SETTLED_NS:
            self._ledger.append("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", [(name, before, digest)])
        return digest
