"""Signatures: who vouches for a folder of files. Found by name; the library is imported when one is made or checked."""

from __future__ import annotations

from typing import Any

from shiplap.core.registry import Registry

__all__ = ["signatures"]

signatures: Registry[Any] = Registry("signature", group="shiplap.signatures")
"""Objects with ``sign(folder, key, password) -> bytes`` and ``check(folder, signature, key) -> str``."""
signatures.add_lazy("openssf", "shiplap.adapters.signatures.openssf:OPENSSF", extra="sign")
