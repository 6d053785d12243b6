"""Names: words for objects, with who pointed them there and why. Nothing said is ever unsaid."""

from __future__ import annotations

import getpass
import re
from datetime import UTC, datetime

import msgspec

from shiplap.core.errors import StoreError, nearest
from shiplap.core.store.ledger import Ledger

__all__ = ["Name", "Names"]

_NAME = re.compile(r"[\w.-]{1,100}(@[\w.-]{1,100})?")


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """One record: from then on, this name meant this object.

    Parameters
    ----------
    name : str
        Such as ``churn@production`` or ``churn@3``.
    digest : str
        The object.
    who, why : str
        Who pointed the name there, and the reason given.
    at : str
        UTC time, ISO 8601.
    """

    name: str
    digest: str
    who: str
    why: str
    at: str


class Names:
    """Records of names in the ledger.

    Parameters
    ----------
    ledger : Ledger
        Where the records go.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> names = Names(Ledger(Path(tempfile.mkdtemp())))
    >>> _ = names.set("churn@production", "ab12", who="ann", why="first model")
    >>> names.resolve("churn@production")
    'ab12'
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def set(self, name: str, digest: str, *, who: str = "", why: str = "") -> Name:
        """Point `name` at an object; `who` is the user of this process when empty.

        Raises
        ------
        StoreError
            The name has other characters than letters, digits and ``_ . -`` with one ``@`` between.
        """
        if not _NAME.fullmatch(name):
            raise StoreError(f"'{name}' is not a name: letters, digits, '_', '.', '-' and one '@', as in churn@3")
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = Name(name=name, digest=digest, who=who or _user(), why=why, at=at)
        self._ledger.append(
            "INSERT INTO names (name, digest, who, why, at) VALUES (?, ?, ?, ?, ?)", [msgspec.structs.astuple(record)]
        )
        return record

    def resolve(self, name: str) -> str:
        """Return the digest that `name` means now; raises ``StoreError``, with the nearest name, for an unknown one."""
        known = self.all()
        if name not in known:
            raise StoreError(f"the store has no name '{name}'", hint=nearest(name, known))
        return known[name].digest

    def all(self) -> dict[str, Name]:
        """Return what each name means now, by name."""
        rows = self._ledger.read(
            "SELECT name, digest, who, why, at FROM names WHERE seq IN (SELECT max(seq) FROM names GROUP BY name) "
            "ORDER BY name"
        )
        return {row[0]: _name(row) for row in rows}

    def history(self, name: str) -> list[Name]:
        """Return all records of `name`, the latest first."""
        rows = self._ledger.read(
            "SELECT name, digest, who, why, at FROM names WHERE name = ? ORDER BY seq DESC", (name,)
        )
        return [_name(row) for row in rows]


def _name(row: tuple[str, str, str, str, str]) -> Name:
    name, digest, who, why, at = row
    return Name(name=name, digest=digest, who=who, why=why, at=at)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return ""
