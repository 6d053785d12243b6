"""Deploy: pack a trained model into a ship file, with proof, and more. Serving loads nothing of what packing needs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shiplap.engineer.deploy.exporting import export as export
    from shiplap.engineer.deploy.packing import certificate_report as certificate_report
    from shiplap.engineer.deploy.packing import pack as pack

__all__ = ["certificate_report", "export", "pack"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'shiplap.engineer.deploy' has no attribute '{name}'")
    module = "exporting" if name == "export" else "packing"
    return getattr(importlib.import_module(f"shiplap.engineer.deploy.{module}"), name)
