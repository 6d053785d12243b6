"""Addresses of databases: ``postgresql://user@host/db::table``; what is a secret in one stays out of words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from shiplap.core.errors import TableError

__all__ = ["Address", "address_of", "is_address"]

_ADDRESS = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_PARTS = re.compile(r"((?:[^\[:]|\[[^\]]*\]|:(?!:))*)(?:::(.*))?", re.DOTALL)
_SECRETS = ("password", "sslpassword")
_HIDDEN = "***"


@dataclass(frozen=True)
class Address:
    """Where a table or the answer of a query lies.

    Parameters
    ----------
    url : str
        For the driver, with what is secret in it.
    words : str
        For people and records, without.
    inner : str
        Table, with its schema where it has one, or one SELECT in the dialect of the place; empty when neither is named.
    database : str
        Its name; empty when the address leaves it to the defaults.
    """

    url: str = field(repr=False)
    words: str
    inner: str
    database: str

    def without_secrets(self, text: str) -> str:
        """Return a message with every secret of the address struck out."""
        parts = urlsplit(self.url)
        secrets = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if name in _SECRETS)]
        for secret in sorted({form for one in secrets if one for form in (one, unquote(one))}, key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text


def is_address(text: str) -> bool:
    """Tell whether a text is the address of a database.

    Examples
    --------
    >>> is_address("postgresql://me@db/shop::orders"), is_address("shop.db::orders")
    (True, False)
    """
    return _ADDRESS.match(text) is not None


def address_of(text: str) -> Address:
    """Take an address apart.

    Parameters
    ----------
    text : str
        A connection URI as libpq takes it, followed by ``::`` and a table or query (``?table=`` and ``?query=`` among
        its parameters say the same).

    Raises
    ------
    TableError
        It names two tables, or is no URI.

    Examples
    --------
    >>> address = address_of("postgresql://me:secret@db.example/shop?sslmode=verify-full::sales.orders")
    >>> address.words, address.inner
    ('postgresql://me@db.example/shop?sslmode=verify-full::sales.orders', 'sales.orders')
    >>> address_of("postgresql:///shop?table=orders").words
    'postgresql:///shop::orders'
    """
    found = _PARTS.fullmatch(text.strip())
    url, after = found.groups(default="") if found else (text, "")
    try:
        parts = urlsplit(url)
        database = unquote(parts.path.strip("/"))
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise TableError("the address of the database cannot be read", hint=_example()) from error
    named = [*filter(None, [after]), *(value for name, value in given if name in ("table", "query"))]
    if len(named) > 1:
        raise TableError("the address of the database names two tables", hint=_example())
    kept = [(name, value) for name, value in given if name not in ("table", "query")]
    shown = [(name, value) for name, value in kept if name not in _SECRETS]
    inner = named[0].strip() if named else ""
    words = _joined(parts._replace(netloc=_without_password(parts), query=_written(shown)))
    return Address(
        url=_joined(parts._replace(query=_written(kept))),
        words=f"{words}::{inner}" if inner else words,
        inner=inner,
        database=database,
    )


def _without_password(parts: SplitResult) -> str:
    who, at, where = parts.netloc.rpartition("@")
    return f"{who.partition(':')[0]}{at}{where}"


def _written(given: list[tuple[str, str]]) -> str:
    return urlencode(given, quote_via=quote, safe="/")


def _joined(parts: SplitResult) -> str:
    text = urlunsplit(parts)
    return text if "://" in text else text.replace(":", "://", 1)


def _example() -> str:
    return "write it as postgresql://user@host:5432/database::schema.table"
