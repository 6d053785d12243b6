"""`Grant`: what the holder of a key may do; and the file in which grants stand, read and written whole.

A key is 256 random bits, and only its SHA-256 is written down. Slow, salted hashes protect what people choose, because
that can be guessed; random bits cannot, whatever the speed of the hash, and a slow one would let anybody keep the
server busy with wrong keys.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from shiplap.core.atomic import replacing
from shiplap.core.errors import InputError
from shiplap.core.locks import FileLock

__all__ = ["Grant", "Secret", "change_grants", "read_grants"]

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Grants = tuple["Grant", ...]


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key as the file knows it.

    Parameters
    ----------
    sha256 : str
        Digest of the key, in hex.
    until : datetime, optional
        When it is taken no more: another has come in its place.
    """

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    until: Moment | None = None


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody may do.

    Parameters
    ----------
    name : str
        Who it is; it stands in logs and metrics.
    secrets : tuple of Secret
        Their key; during a rotation the old one too; none where a certificate stands for it.
    models : tuple of str
        The models they may ask; all where there are none.
    rate : float, optional
        Requests a second; without one as many as they like. A request counts once, however many rows it has.
    burst : int, optional
        Requests that may come at once after a pause; without it those of one second.
    created : datetime
        When it was given.
    expires : datetime, optional
        When it ends.
    admin : bool
        Whether the admin listener answers them.
    certificate : str
        A name in the certificate that they show (mTLS), by which they are known without a key.

    Raises
    ------
    InputError
        A rate that is no number above 0.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.@-]{1,64}$")]
    secrets: tuple[Secret, ...]
    created: Moment
    models: tuple[str, ...] = ()
    rate: float | None = None
    burst: Annotated[int, msgspec.Meta(ge=1)] | None = None
    expires: Moment | None = None
    admin: bool = False
    certificate: str = ""

    def __post_init__(self) -> None:
        """Refuse a rate that would let nothing through; JSON would read an infinite one back as none."""
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise InputError(f"a rate is a number of requests a second above 0, not {self.rate}")

    @property
    def at_once(self) -> int:
        """Requests that may come at once after a pause, where there is a rate."""
        return self.burst or max(1, math.ceil(self.rate or 1))

    def marks(self) -> Iterator[tuple[bytes | str, datetime | None]]:
        """Return by what they are known, and until when: digests of their keys, and the name in their certificate."""
        for secret in self.secrets:
            yield bytes.fromhex(secret.sha256), self.ends(secret)
        if self.certificate:
            yield self.certificate, self.expires

    def ends(self, secret: Secret) -> datetime | None:
        """Return when `secret` is taken no more; None when that is never."""
        return min((moment for moment in (self.expires, secret.until) if moment is not None), default=None)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal[1] = 1
    keys: Grants = ()


def read_grants(path: Path) -> Grants:
    """Read a key file.

    Raises
    ------
    InputError
        It is not there, cannot be read, or is not a key file.
    """
    try:
        grants = msgspec.json.decode(path.read_bytes(), type=_File).keys
    except FileNotFoundError as error:
        hint = f"make it: shiplap keys add NAME --file {path}"
        raise InputError(f"there is no key file '{path}'", hint=hint) from error
    except OSError as error:
        raise InputError(f"cannot read the key file '{path}': {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, InputError) as error:
        raise InputError(f"'{path}' is not a key file: {error}") from error
    for what, values in (
        ("name", [grant.name for grant in grants]),
        ("digest", [secret.sha256 for grant in grants for secret in grant.secrets]),
        ("certificate", [grant.certificate for grant in grants if grant.certificate]),
    ):
        if len(set(values)) < len(values):
            raise InputError(f"'{path}' is not a key file: a {what} stands in it twice")
    return grants


def change_grants(path: Path, change: Callable[[Grants], Grants]) -> None:
    """Read a key file, change it, and write it, while no other process does.

    The file is readable by its owner alone, and there whole at every moment. One that is not there is made.

    Parameters
    ----------
    path : Path
        The key file.
    change : callable
        Takes the grants and returns what they are to be.

    Raises
    ------
    InputError
        It is not a key file, or its folder cannot be written.
    """
    path = path.resolve()
    if not path.parent.is_dir():
        raise InputError(f"no folder '{path.parent}' to write '{path.name}' in", hint="make it, or choose another")
    with FileLock(path.with_name(f".{path.name}.lock")):
        grants = change(read_grants(path) if path.exists() else ())
        text = msgspec.json.format(msgspec.json.encode(_File(keys=grants)), indent=2) + b"\n"
        with replacing(path) as part:
            fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with open(fd, "wb") as file:  # noqa: PTH123
                file.write(text)
