"""Digests: of bytes, of files, of plain values, of source code. All are SHA-256, as 64 hexadecimal digits."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import msgspec

from shiplap.core.errors import InputError, StoreError

__all__ = ["code_digest", "digest_of_bytes", "digest_of_file", "digest_of_value", "stamp"]

_known: dict[tuple[Path, str], str] = {}


def digest_of_bytes(data: bytes | bytearray | memoryview) -> str:
    """Return the digest of `data`.

    Examples
    --------
    >>> digest_of_bytes(b"")[:12]
    'e3b0c44298fc'
    """
    return hashlib.sha256(data).hexdigest()


def digest_of_file(path: Path) -> str:
    """Read the file at `path` in pieces and return the digest of its content.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}", hint="check the path") from error


def digest_of_value(value: object) -> str:
    """Return the digest of a plain value: the same for equal values whatever the order of their keys.

    Parameters
    ----------
    value : object
        Dicts, lists, tuples, sets, texts, numbers (NaN and infinities too), None, dates, bytes, ``msgspec.Struct`` and
        dataclasses of these.

    Raises
    ------
    StoreError
        It holds something that has no plain form.

    Examples
    --------
    >>> digest_of_value({"a": 1, "b": (2, 3)}) == digest_of_value({"b": [2, 3], "a": 1})
    True
    >>> digest_of_value(1) == digest_of_value(1.0)
    False
    """
    try:
        plain = msgspec.to_builtins(value, str_keys=True, order="deterministic")
    except (TypeError, NotImplementedError) as error:
        raise StoreError(
            f"this value has no digest: {error}", hint="use plain values: text, numbers, lists, dicts"
        ) from error
    return digest_of_bytes(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode())


def stamp(path: Path) -> str:
    """Return what changes about the file at `path` when its content does: size, times and inode, without reading it."""
    try:
        seen = path.stat()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}", hint="check the path") from error
    return f"{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}:{seen.st_ino}"


def code_digest(*modules: str) -> str:
    """Return the digest of the source files of modules and of packages with all that is below them.

    Nothing is imported. A file is read again only when its size, times or inode changed.

    Parameters
    ----------
    *modules : str
        Dotted names, such as ``"shiplap.methods"``.

    Raises
    ------
    StoreError
        There is no source of that name.

    Examples
    --------
    >>> code_digest("shiplap.core.store", "json") == code_digest("json", "shiplap.core.store")
    True
    """
    found = {}
    for module in modules:
        for name, file in _sources(module):
            key = (file, stamp(file))
            if key not in _known:
                _known[key] = digest_of_file(file)
            found[name] = _known[key]
    return digest_of_value(found)


def _sources(module: str) -> list[tuple[str, Path]]:
    root, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(root)  # of the root alone: asking for more would import the packages between
    except (ImportError, ValueError):
        spec = None
    for folder in [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []:
        package = folder.joinpath(*rest)
        if package.is_dir():
            files = sorted(package.rglob("*.py"))
            return [(f"{module}/{file.relative_to(package).as_posix()}", file) for file in files]
        if package.with_suffix(".py").is_file():
            return [(module, package.with_suffix(".py"))]
    if spec and not rest and spec.origin and Path(spec.origin).suffix == ".py":
        return [(module, Path(spec.origin))]
    raise StoreError(f"there is no source of a module '{module}'", hint="check its name")
