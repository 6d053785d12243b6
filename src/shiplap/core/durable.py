"""Bytes that are on the disk when the call returns."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["sync", "sync_folder"]

if sys.platform == "darwin":
    import fcntl

    def sync(fd: int) -> None:
        """Force what was written to the open file `fd` through the drive's own cache, which ``fsync`` leaves out."""
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)

else:

    def sync(fd: int) -> None:
        """Force what was written to the open file `fd` onto the disk."""
        os.fsync(fd)


def sync_folder(folder: Path) -> None:
    """Force the names in `folder` onto the disk: a rename survives a power cut only after this."""
    if os.name != "posix":  # Windows writes names through and cannot open a folder
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
