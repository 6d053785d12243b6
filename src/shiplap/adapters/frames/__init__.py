"""Tables: rows from files, databases, queries and objects, typed and hashed, answering queries through DuckDB."""

from shiplap.adapters.frames.digests import sha256_file
from shiplap.adapters.frames.read import fingerprint, read
from shiplap.adapters.frames.target import Target, resolve_target

__all__ = ["Target", "fingerprint", "read", "resolve_target", "sha256_file"]
