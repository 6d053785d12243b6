"""Writing, reading and extending ship files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

import shiplap
from shiplap.core.atomic import replacing
from shiplap.core.encoding import Encoding
from shiplap.core.errors import ShipError
from shiplap.core.locks import FileLock
from shiplap.core.policy import Policy
from shiplap.core.ship import FORMAT, WEIGHTS, Manifest, Ship
from shiplap.core.signature import Signature
from shiplap.scoring.audit import (
    EVIDENCE,
    LIMIT_BYTES,
    LIMIT_FILE_BYTES,
    audit_members,
    audit_path,
    id_of,
    ordered,
)
from shiplap.scoring.container import pack_members, unpack_members

__all__ = ["attach", "read_ship", "write_ship"]


def write_ship(
    path: str | Path,
    *,
    name: str,
    signature: Signature,
    encoding: Encoding,
    graph: bytes | tuple[bytes, bytes | memoryview],
    policy: Policy,
    lineage: Mapping[str, str] | None = None,
    evidence: Mapping[str, bytes] | None = None,
) -> Ship:
    """Seal encoder, graph and policy in a ship file; it stands there whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where it is to stand; what stood there is replaced.
    name : str
        Short name.
    signature : Signature
        Inputs, task and classes.
    encoding : Encoding
        How a row becomes numbers.
    graph : bytes, or tuple of (bytes, bytes or memoryview)
        ONNX model: double matrix of shape (n_rows, encoding.width) in, double (n_rows, n_outputs) out. Where its
        constants are too many for one message: the model, and those that lie outside of it.
    policy : Policy
        From output to label and decision.
    lineage : mapping of str to str, optional
        Digests of what it was made from.
    evidence : mapping of str to bytes, optional
        Attachments by path below ``evidence/``.

    Returns
    -------
    Ship

    Raises
    ------
    ShipError
        The parts do not fit together, or hold what a ship file may not.
    InputError
        The folder does not exist or cannot be written.
    """
    body, weights = (graph, b"") if isinstance(graph, bytes) else graph
    sealed = {
        "encode.json": msgspec.json.encode(encoding),
        "graph.onnx": body,
        "policy.json": msgspec.json.encode(policy),
        **({WEIGHTS: b""} if weights else {}),
    }
    parts = {**sealed, **_attached(evidence or {})}
    digests = {member: _sha256(weights if member == WEIGHTS else content) for member, content in parts.items()}
    manifest = Manifest(
        format=FORMAT,
        id=id_of({member: digests[member] for member in sealed}),
        name=name,
        made_by=f"shiplap {shiplap.__version__}",
        signature=signature,
        lineage=dict(lineage or {}),
        parts=digests,
    )
    return _write(Path(path), manifest, parts, weights)


def read_ship(path: str | Path, *, limit_bytes: int = LIMIT_FILE_BYTES) -> Ship:
    """Read a ship file: everything in it is audited before anything is made of it.

    Parameters
    ----------
    path : str or Path
        The file.
    limit_bytes : int
        Largest file that is read.

    Raises
    ------
    ShipError
        The file is missing, truncated, altered, too large, of an unknown format, or not a ship file.
    """
    file = Path(path)
    return _read(file, _content(file, limit_bytes))[0]


def attach(path: str | Path, evidence: Mapping[str, bytes]) -> Ship:
    """Add evidence to a ship file, or replace some; what was sealed, and so the ship id, stays as it is.

    Two processes may attach to the same file at the same time: each waits for the other.

    Parameters
    ----------
    path : str or Path
        The file.
    evidence : mapping of str to bytes
        Attachments by path below ``evidence/``.

    Returns
    -------
    Ship
        The ship with its new evidence.

    Raises
    ------
    ShipError
        The file is no sound ship file, or a path is not one that evidence may have.
    InputError
        The folder cannot be written.
    """
    file = Path(path)
    added = _attached(evidence)
    read_ship(file)
    with FileLock(file.with_name(f".{file.name[:100]}.lock")):
        ship, held = _read(file, _content(file, LIMIT_FILE_BYTES))
        del held["manifest.json"]
        parts = {**held, **added}
        known = {WEIGHTS: ship.manifest.parts[WEIGHTS]} if ship.weights else {}
        digests = {member: known.get(member) or _sha256(content) for member, content in parts.items()}
        return _write(file, msgspec.structs.replace(ship.manifest, parts=digests), parts, ship.weights)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is said of it."""
    try:
        yield
    except ShipError as error:
        raise ShipError(f"'{path}' {error.message}", hint=error.hint) from error.__cause__


def _read(path: Path, data: bytes | memoryview) -> tuple[Ship, dict[str, bytes]]:
    """Return a ship and its members; of the weights, which may be mapped and not in memory, only the place."""
    with _naming(path):
        views = unpack_members(data)
        weights = views.get(WEIGHTS, b"")
        _require_size(views)
        members = {member: b"" if member == WEIGHTS else bytes(content) for member, content in views.items()}
        return audit_members(path, members, weights), members


def _write(path: Path, manifest: Manifest, parts: Mapping[str, bytes], weights: bytes | memoryview) -> Ship:
    order = ordered(parts)
    manifest = msgspec.structs.replace(manifest, parts={member: manifest.parts[member] for member in order})
    members = {"manifest.json": msgspec.json.encode(manifest), **{member: parts[member] for member in order}}
    with _naming(path):
        ship = audit_members(path, members, weights)
        _require_size(members)
    contents = {member: weights if member == WEIGHTS else content for member, content in members.items()}
    with replacing(path) as part, part.open("wb") as file:
        file.writelines(pack_members(contents))
    return ship


def _require_size(members: Mapping[str, bytes | memoryview]) -> None:
    if sum(len(content) for member, content in members.items() if member != WEIGHTS) > LIMIT_BYTES:
        raise ShipError("is larger than a ship file may be", hint="attach less")


def _content(path: Path, limit_bytes: int) -> bytes | memoryview:
    """Return the bytes of a file; a large one is mapped, so that its weights need no memory of ours."""
    try:
        with path.open("rb") as file:
            if limit_bytes >= os.fstat(file.fileno()).st_size > LIMIT_BYTES:
                return np.memmap(file, np.uint8, "r").data
            data = file.read(min(limit_bytes, LIMIT_BYTES) + 1)
    except FileNotFoundError:
        raise ShipError(f"no ship file at '{path}'", hint="check the path, or make one with `shiplap pack`") from None
    except OSError as error:
        raise ShipError(f"'{path}' cannot be read: {error.strerror}") from error
    if len(data) > min(limit_bytes, LIMIT_BYTES):
        raise ShipError(f"'{path}' is larger than {limit_bytes:,} bytes", hint="raise limit_bytes if you trust it")
    return data


def _attached(evidence: Mapping[str, bytes]) -> dict[str, bytes]:
    members = {EVIDENCE + name: content for name, content in evidence.items()}
    for name in evidence:
        try:
            audit_path(EVIDENCE + name)
        except ShipError as error:
            raise ShipError(f"no attachment can be called '{name[:80]}'", hint=error.hint) from None
    return members


def _sha256(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()
