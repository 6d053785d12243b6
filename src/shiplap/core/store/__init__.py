"""The store: objects named by their digest, a ledger of runs and names, and the memo of steps that were done."""

from shiplap.core.store.digests import code_digest, digest_of_bytes, digest_of_file, digest_of_value
from shiplap.core.store.memo import Step
from shiplap.core.store.names import Name
from shiplap.core.store.runs import Point
from shiplap.core.store.store import Store, open_store

__all__ = [
    "Name",
    "Point",
    "Step",
    "Store",
    "code_digest",
    "digest_of_bytes",
    "digest_of_file",
    "digest_of_value",
    "open_store",
]
