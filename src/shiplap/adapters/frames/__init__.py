"""Tables: rows from files, databases, queries and objects, typed and hashed, answering queries through DuckDB."""

from shiplap.adapters.frames.arrays import read_arrays
from shiplap.adapters.frames.digests import sha256_file
from shiplap.adapters.frames.reach import within_reach
from shiplap.adapters.frames.read import fingerprint, read
from shiplap.adapters.frames.sampling import one_in
from shiplap.adapters.frames.stream import open_batches
from shiplap.adapters.frames.target import Target, resolve_target
from shiplap.adapters.frames.write import BatchWriter

__all__ = [
    "BatchWriter",
    "Target",
    "fingerprint",
    "one_in",
    "open_batches",
    "read",
    "read_arrays",
    "resolve_target",
    "sha256_file",
    "within_reach",
]
