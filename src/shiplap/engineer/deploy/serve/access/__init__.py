"""Who may ask: keys in a file, what each may ask, and how often. The server is given an `AccessGuard`."""

from shiplap.engineer.deploy.serve.access.describe import security
from shiplap.engineer.deploy.serve.access.grants import Grant, Secret
from shiplap.engineer.deploy.serve.access.guard import AccessGuard, open_paths
from shiplap.engineer.deploy.serve.access.keys import add_key, list_keys, revoke_key, rotate_key

__all__ = [
    "AccessGuard",
    "Grant",
    "Secret",
    "add_key",
    "list_keys",
    "open_paths",
    "revoke_key",
    "rotate_key",
    "security",
]
