"""Serving: ship files answer over HTTP. `serve` is the verb; a protocol is one file in ``protocols/``."""

from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.serve import serve

__all__ = ["Limits", "serve"]
