"""The names in the certificate that a client has shown (mTLS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["names_of"]

_KINDS = frozenset({"DNS", "URI", "email", "IP Address"})


def names_of(certificate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the names that an authority vouches for: the common name of the subject, and the alternative names.

    Parameters
    ----------
    certificate : mapping, optional
        As ``ssl.SSLSocket.getpeercert`` returns it; None where the client has shown none.

    Examples
    --------
    >>> subject = ((("organizationName", "Acme"),), (("commonName", "billing"),))
    >>> names_of({"subject": subject, "subjectAltName": (("URI", "spiffe://acme/billing"),)})
    ('billing', 'spiffe://acme/billing')
    """
    if not certificate:
        return ()
    subject = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return (*subject, *(value for kind, value in certificate.get("subjectAltName", ()) if kind in _KINDS))
