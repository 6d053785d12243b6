"""Signatures after the OpenSSF model signing specification: a Sigstore bundle over a manifest of digests.

The specification is at https://github.com/ossf/model-signing-spec.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from model_signing import hashing, signing, verifying

from shiplap.core.errors import InputError

__all__ = ["OPENSSF", "OpenSsf"]

# The library's classes have no type hints where they are made.
_HASHING: Any = hashing.Config
_SIGNING: Any = signing.Config
_VERIFYING: Any = verifying.Config


class OpenSsf:
    """Signs and checks with a pair of elliptic-curve keys."""

    def sign(self, folder: Path, key: Path, password: str | None = None) -> bytes:
        """Sign the files of a folder.

        Parameters
        ----------
        folder : Path
            What is signed.
        key : Path
            Private key, PEM.
        password : str, optional
            Of an encrypted key.

        Returns
        -------
        bytes
            A Sigstore bundle, JSON.

        Raises
        ------
        InputError
            The key cannot be read.
        """
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / "signature"
            try:
                secret = password.encode() if password else None  # the library hands it on as it is
                signer = _SIGNING().use_elliptic_key_signer(private_key=key, password=secret)
            except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
                raise _unusable(key, "private", error) from error
            signer.set_hashing_config(_HASHING().set_ignored_paths(paths=[], ignore_git_paths=False))
            signer.sign(folder, target)
            return target.read_bytes()

    def check(self, folder: Path, signature: bytes, key: Path) -> str:
        """Return what is wrong with a signature over the files of a folder; nothing where it holds.

        Parameters
        ----------
        folder : Path
            What was signed.
        signature : bytes
            The Sigstore bundle.
        key : Path
            Public key, PEM.

        Raises
        ------
        InputError
            The key cannot be read.
        """
        with tempfile.TemporaryDirectory() as scratch:
            held = Path(scratch) / "signature"
            held.write_bytes(signature)
            try:
                verifier = _VERIFYING().use_elliptic_key_verifier(public_key=key)
            except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
                raise _unusable(key, "public", error) from error
            try:
                verifier.verify(folder, held)
            except (InvalidSignature, ValueError, KeyError, TypeError) as error:
                return str(error) or "it was made with another key, or for something else"
        return ""


OPENSSF = OpenSsf()


def _unusable(key: Path, side: str, error: Exception) -> InputError:
    return InputError(
        f"'{key}' is no {side} elliptic-curve key that can be read: {error}",
        hint="openssl ecparam -name prime256v1 -genkey -noout -out k.pem; openssl ec -in k.pem -pubout -out k.pub",
    )
