"""Objects: bytes named by their digest, whole or not there at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from shiplap.core.durable import sync, sync_folder
from shiplap.core.errors import InputError, StoreError
from shiplap.core.store.digests import digest_of_bytes, digest_of_file

__all__ = ["Objects"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_STALE_SECONDS = 86_400
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_MODE = 0o444 if os.name == "posix" else 0o666  # nobody edits an object; Windows could not remove it either


class Objects:
    """Content-addressed files in one folder.

    An object is written under a temporary name, forced to the disk and renamed: killing the writer at any moment
    leaves it whole or absent. What is read is checked against its name.

    Parameters
    ----------
    folder : Path
        Created when it is not there.

    Examples
    --------
    >>> import tempfile
    >>> objects = Objects(Path(tempfile.mkdtemp()) / "objects")
    >>> objects.get(objects.put(b"rows"))
    b'rows'
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
        except OSError as error:
            raise StoreError(f"cannot write to '{folder}': {error.strerror}", hint="check the folder") from error

    def put(self, data: bytes | bytearray | memoryview) -> str:
        """Write `data` and return its digest; what is there already, undamaged, is not written again."""
        digest = digest_of_bytes(data)

        def fill(file: BinaryIO) -> str:
            file.write(data)
            return digest

        place = self._place(digest)
        return digest if place.is_file() and digest_of_file(place) == digest else self._write(fill)

    def put_file(self, path: Path) -> str:
        """Copy the file at `path`, in pieces, and return its digest.

        Raises
        ------
        InputError
            It cannot be read.
        """
        try:
            source = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot read '{path}': {error.strerror}", hint="check the path") from error

        def fill(file: BinaryIO) -> str:
            digest = hashlib.sha256()
            while piece := source.read(1 << 20):
                digest.update(piece)
                file.write(piece)
            return digest.hexdigest()

        with source:
            return self._write(fill)

    def get(self, digest: str) -> bytes:
        """Return the object's bytes, checked.

        Raises
        ------
        StoreError
            There is no such object, or its content is not what its name says; then it is removed, so that it can be
            written again.
        """
        try:
            data = self.place(digest).read_bytes()
        except OSError as error:
            raise StoreError(f"cannot read object {digest[:12]}: {error.strerror}") from error
        self.check(digest, digest_of_bytes(data))
        return data

    def place(self, digest: str) -> Path:
        """Return where an object lies, unchecked; raises ``StoreError`` when it is not there."""
        place = self._place(digest)
        if not place.is_file():
            raise StoreError(f"the store '{self.folder.parent}' has no object {digest[:12]}")
        return place

    def check(self, digest: str, seen: str) -> None:
        """Remove the object `digest` and raise ``StoreError`` when its content has the digest `seen`."""
        if seen == digest:
            return
        self._place(digest).unlink(missing_ok=True)
        message = (
            f"object {digest[:12]} in '{self.folder}' was damaged (it now has the digest {seen[:12]}) and is removed"
        )
        raise StoreError(message, hint="run the step that made it again, and check the disk")

    def __contains__(self, digest: str) -> bool:
        return self._place(digest).is_file()

    def _place(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise StoreError(f"a digest has 64 hexadecimal digits, not '{digest}'")
        return self.folder / digest[:2] / digest[2:]

    def _write(self, fill: Callable[[BinaryIO], str]) -> str:
        # Temporary names lie beside the 256 folders, so that one short listing finds what a killed writer left.
        temporary = self.folder / f"writing-{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(temporary, _FLAGS, _MODE), "wb") as file:
                digest = fill(file)
                file.flush()
                sync(file.fileno())
            place = self._place(digest)
            if not place.parent.is_dir():
                place.parent.mkdir(exist_ok=True)
                sync_folder(self.folder)
            temporary.replace(place)
            sync_folder(place.parent)
        except OSError as error:
            hint = "check that the folder can be written and that the drive has room"
            raise StoreError(f"cannot write to '{self.folder}': {error.strerror}", hint=hint) from error
        finally:
            temporary.unlink(missing_ok=True)
        return digest

    def _sweep(self) -> None:
        for left in self.folder.glob("writing-*"):
            with contextlib.suppress(FileNotFoundError):  # another process may sweep too
                if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                    left.unlink()
