"""Signatures on ship files: over what was sealed, its inputs and its lineage; evidence may still be added."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from shiplap.adapters.signatures import signatures
from shiplap.core.errors import InputError
from shiplap.core.finding import Finding
from shiplap.core.ship import Ship
from shiplap.scoring.shipfile import attach, read_ship

__all__ = ["SIGNATURE", "sign", "signature_finding"]

SIGNATURE = "model.sig"
"""Where a signature lies below ``evidence/``."""
_PASSWORD = "SHIPLAP_KEY_PASSWORD"  # noqa: S105 - the name of a variable


def sign(path: str | Path, *, key: str | Path) -> Ship:
    """Sign a ship file with a private key; the signature is attached to it.

    Parameters
    ----------
    path : str or Path
        The ship file.
    key : str or Path
        Private elliptic-curve key, PEM; the password of an encrypted one is taken from ``SHIPLAP_KEY_PASSWORD``.

    Returns
    -------
    Ship
        With its signature.

    Raises
    ------
    ShipError
        It is no sound ship file.
    InputError
        The key cannot be read.
    MissingExtraError
        The signing library is not installed.

    References
    ----------
    OpenSSF Model Signing, https://github.com/ossf/model-signing-spec
    """
    ship = read_ship(path)
    if not Path(key).is_file():
        raise InputError(f"there is no key '{key}'")
    with _laid_out(ship) as folder:
        signature: bytes = signatures.get("openssf").sign(folder, Path(key), os.environ.get(_PASSWORD))
    return attach(path, {SIGNATURE: signature})


def signature_finding(ship: Ship, key: str | Path) -> Finding:
    """Say whether a ship's signature was made with the private half of `key`.

    Parameters
    ----------
    ship : Ship
        The ship.
    key : str or Path
        Public key, PEM.
    """
    if SIGNATURE not in ship.evidence:
        problem = "the ship carries no signature"
    else:
        if not Path(key).is_file():
            raise InputError(f"there is no key '{key}'")
        with _laid_out(ship) as folder:
            problem = signatures.get("openssf").check(folder, ship.evidence[SIGNATURE], Path(key))
    if problem:
        todo = "do not use it unless you know where it comes from"
        return Finding(
            check="verify.signature", verdict="fail", means=f"the signature does not hold: {problem}", todo=todo
        )
    means = f"what was sealed, its inputs and its lineage are signed with the key of '{Path(key).name}'"
    return Finding(check="verify.signature", verdict="good", means=means)


@contextmanager
def _laid_out(ship: Ship) -> Iterator[Path]:
    """Lay what is signed out as files: the digests of the sealed parts, and what the manifest says beside them.

    The parts themselves need not be written down again: reading a ship has checked them against these digests.
    """
    manifest = ship.manifest
    identity = {
        "id": manifest.id,
        "name": manifest.name,
        "signature": msgspec.to_builtins(manifest.signature),
        "lineage": manifest.lineage,
        "parts": {member: digest for member, digest in manifest.parts.items() if not member.startswith("evidence/")},
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "identity.json").write_bytes(msgspec.json.encode(identity, order="sorted"))
        yield folder
