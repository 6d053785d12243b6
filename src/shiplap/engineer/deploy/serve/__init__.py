"""Serving: ship files answer over HTTP. `serve` is the verb; a protocol is one file in ``protocols/``."""

from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.serve import serve
from shiplap.engineer.deploy.serve.settings import Addresses, Settings

__all__ = ["Addresses", "Limits", "Settings", "serve"]
