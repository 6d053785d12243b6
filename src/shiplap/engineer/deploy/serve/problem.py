"""`ProblemError`: a refusal that a client can read, as RFC 9457 ``application/problem+json``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from shiplap.core.errors import InputError

__all__ = ["FULL", "FULL_BODY", "ProblemError", "phrase"]

_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
_SHOWN = 120


class ProblemError(InputError):
    """A request that is refused, with the status that says so.

    Parameters
    ----------
    status : int
        HTTP status, 400 to 599.
    detail : str
        One sentence: what was expected and what came.
    headers : mapping of str to str
        Further response headers (``Allow``, ``Retry-After``).
    reason : str
        Why, in one word for metrics; not told to the client.
    members : str, int, float, bool or None
        Further members of the body: ``field``, ``value``, ``expected``, ``row`` ...

    Examples
    --------
    >>> ProblemError(413, "too long", value=9).body()
    b'{"type":"about:blank","title":"Content Too Large","status":413,"detail":"too long","value":9}'
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        reason: str = "",
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.reason = reason
        self.members = members

    def body(self, **further: object) -> bytes:
        """Return the problem as JSON, with `further` members."""
        members = {key: _shown(value) for key, value in {**self.members, **further}.items() if value is not None}
        top = {"type": "about:blank", "title": phrase(self.status), "status": self.status, "detail": self.message}
        return msgspec.json.encode({**top, **members})


def phrase(status: int) -> str:
    """Return the reason phrase of RFC 9110.

    Examples
    --------
    >>> phrase(422), phrase(200)
    ('Unprocessable Content', 'OK')
    """
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def _shown(value: object) -> object:
    if isinstance(value, str) and len(value) > _SHOWN:
        return value[: _SHOWN - 1] + "…"
    if value is None or isinstance(value, str | bool | float) or (isinstance(value, int) and abs(value) < 1 << 53):
        return value
    return _shown(str(value))


FULL = ProblemError(503, "more is asked than can be answered in time", headers={"Retry-After": "1"}, reason="rows")
"""What is told while there is too much to do; it is never raised, so that it stays as it is."""
FULL_BODY = FULL.body()
