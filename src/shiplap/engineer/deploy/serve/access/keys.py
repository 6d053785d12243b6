"""Give, show, revoke and rotate keys: what ``shiplap keys`` does. A running server takes each change up by itself."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from shiplap.core.errors import InputError, nearest
from shiplap.engineer.deploy.serve.access.grants import Grant, Secret, change_grants, read_grants

__all__ = ["add_key", "list_keys", "revoke_key", "rotate_key"]


def add_key(
    path: str | Path,
    name: str,
    *,
    models: Iterable[str] = (),
    rate: float | None = None,
    burst: int | None = None,
    expires: timedelta | None = None,
    admin: bool = False,
    certificate: str = "",
) -> str:
    """Give somebody a key, and return it: it is written nowhere, and cannot be had again.

    Parameters
    ----------
    path : path
        The key file; it is made where there is none.
    name : str
        Who gets it: letters, digits, and ``. _ @ -``, at most 64.
    models : iterable of str
        The models they may ask; all where there are none.
    rate : float, optional
        Requests a second, over all workers; without one as many as they like.
    burst : int, optional
        Requests that may come at once after a pause; without it those of one second.
    expires : timedelta, optional
        How long it lasts.
    admin : bool
        Whether the admin listener answers them.
    certificate : str
        A name in the certificate that they show (mTLS). They are known by it then, and get no key: an empty text.

    Raises
    ------
    InputError
        The name or the certificate is taken or has other characters, or a figure is not usable.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "keys.json"
    >>> add_key(path, "billing", models=["churn"], rate=100)[:3]
    'sk_'
    >>> [(grant.name, grant.models, grant.at_once) for grant in list_keys(path)]
    [('billing', ('churn',), 100)]
    """
    if burst is not None and rate is None:
        raise InputError("a burst needs a rate", hint="give the requests a second")
    now = _now()
    key, secret = ("", None) if certificate else _new()
    grant = Grant(
        name=name,
        secrets=(secret,) if secret else (),
        created=now,
        models=tuple(models),
        rate=rate,
        burst=burst,
        expires=_after(now, expires),
        admin=admin,
        certificate=certificate,
    )
    grant = _checked(grant)

    def change(grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
        if any(each.name == name for each in grants):
            raise InputError(f"'{name}' has a key already", hint="rotate it, or revoke it first")
        holder = next((each.name for each in grants if certificate and each.certificate == certificate), None)
        if holder is not None:
            raise InputError(f"a certificate with the name '{certificate}' is that of '{holder}' already")
        return (*grants, grant)

    change_grants(Path(path), change)
    return key


def list_keys(path: str | Path) -> tuple[Grant, ...]:
    """Return who has a key, and what for.

    Raises
    ------
    InputError
        There is no key file, or it is not one.
    """
    return read_grants(Path(path))


def revoke_key(path: str | Path, name: str) -> None:
    """Take somebody's key away, at once.

    Raises
    ------
    InputError
        Nobody of that name has one.
    """

    def change(grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
        _named(grants, name)
        return tuple(each for each in grants if each.name != name)

    change_grants(_there(path), change)


def rotate_key(path: str | Path, name: str, *, grace: timedelta | None = None, expires: timedelta | None = None) -> str:
    """Give somebody another key in place of theirs, and return it; all else stays as it was.

    Parameters
    ----------
    path : path
        The key file.
    name : str
        Whose key.
    grace : timedelta, optional
        How long the old one is still taken beside the new; without one not at all.
    expires : timedelta, optional
        How long the new one lasts; by default as long as the old one would have.

    Raises
    ------
    InputError
        Nobody of that name has one, or it has expired.
    """
    now = _now()
    key, secret = _new()
    until = _after(now, grace)

    def change(grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
        old = _named(grants, name)
        if old.certificate:
            raise InputError(f"'{name}' is known by a certificate, and has no key", hint="renew the certificate")
        ends = old.expires if expires is None else _after(now, expires)
        if ends is not None and ends <= now:
            raise InputError(f"the key of '{name}' has expired", hint="say how long the new one is to last")
        kept = () if until is None else tuple(_retiring(old, until, now))
        new = msgspec.structs.replace(old, secrets=(*kept, secret), expires=ends)
        return tuple(new if each is old else each for each in grants)

    change_grants(_there(path), change)
    return key


def _new() -> tuple[str, Secret]:
    key = f"sk_{secrets.token_urlsafe(32)}"
    return key, Secret(sha256=hashlib.sha256(key.encode()).hexdigest())


def _retiring(grant: Grant, until: datetime, now: datetime) -> Iterator[Secret]:
    """Return the secrets that are still taken, each until then, or until it would have ended anyhow."""
    for secret in grant.secrets:
        end = min(until, grant.ends(secret) or until)
        if end > now:
            yield Secret(sha256=secret.sha256, until=end)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _after(now: datetime, span: timedelta | None) -> datetime | None:
    if span is None:
        return None
    if span <= timedelta():
        raise InputError(f"a time to come is expected, not one of {span.total_seconds():g} s")
    try:
        return now + span
    except OverflowError as error:
        raise InputError(f"{span.days} days are too long", hint="leave it out for a key that does not end") from error


def _checked(grant: Grant) -> Grant:
    """Hold what was given from Python to the rules of the file."""
    try:
        return msgspec.convert(msgspec.to_builtins(grant), Grant)
    except msgspec.ValidationError as error:
        hint = "a name has letters, digits and . _ @ -, at most 64; a burst is 1 or more"
        raise InputError(f"no such key can be given: {error}", hint=hint) from error


def _there(path: str | Path) -> Path:
    read_grants(Path(path))  # a file that is not there has no key to change, and is not to be made
    return Path(path)


def _named(grants: tuple[Grant, ...], name: str) -> Grant:
    for grant in grants:
        if grant.name == name:
            return grant
    raise InputError(f"nobody called '{name}' has a key", hint=nearest(name, [each.name for each in grants]))
