"""`Tls`: certificate and key of the server, whose clients must show theirs where that is asked, changed while it runs.

``Server(..., tls=Tls(certificate, key))`` serves https; `Tls.reload` reads the files again.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from shiplap.core.errors import InputError

__all__ = ["Tls"]


class Tls:
    """What handshakes are made with: TLS 1.2 or newer, HTTP/1.1.

    Parameters
    ----------
    certificate : Path
        PEM file: the certificate, and those between it and its authority.
    key : Path
        PEM file of its private key, not encrypted.
    client_authority : Path, optional
        PEM file of the authorities whose certificates clients must show (mTLS); without it no client shows any.

    Attributes
    ----------
    context : ssl.SSLContext
        For the next handshake.

    Raises
    ------
    InputError
        A file cannot be read, is not PEM, or the key is encrypted or not that of the certificate.
    """

    def __init__(self, certificate: Path, key: Path, client_authority: Path | None = None) -> None:
        self.certificate = certificate
        self.key = key
        self.client_authority = client_authority
        self.context = self._read()

    def reload(self) -> None:
        """Read the files again, for handshakes from now on; those who are connected notice nothing.

        Raises
        ------
        InputError
            As for a new one; what was read before then stays in force.
        """
        self.context = self._read()

    def _read(self) -> ssl.SSLContext:
        for path in (self.certificate, self.key, self.client_authority):
            if path is not None:
                _check_readable(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key, password=_refuse_password)
        except ssl.SSLError as error:
            raise self._refusal(error) from error
        if self.client_authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            try:
                context.load_verify_locations(self.client_authority)
            except ssl.SSLError as error:
                raise InputError(f"{self.client_authority} holds no certificate in PEM") from error
        return context

    def _refusal(self, error: ssl.SSLError) -> InputError:
        if error.reason == "KEY_VALUES_MISMATCH":
            return InputError(f"the key {self.key} is not that of the certificate {self.certificate}")
        return InputError(
            f"{self.certificate} and {self.key} are expected to hold a certificate and its key in PEM",
            hint="they begin with -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----",
        )


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _refuse_password() -> str:
    raise InputError(
        "the key is encrypted, and nobody is there to type its password",
        hint="openssl pkey -in KEY -out PLAIN writes it without",
    )
