"""Deploy: pack a trained model into a ship file, with proof; serve it. Serving loads nothing of what packing needs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shiplap.engineer.deploy.packing import certificate_report as certificate_report
    from shiplap.engineer.deploy.packing import pack as pack

__all__ = ["certificate_report", "pack"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'shiplap.engineer.deploy' has no attribute '{name}'")
    return getattr(importlib.import_module("shiplap.engineer.deploy.packing"), name)
