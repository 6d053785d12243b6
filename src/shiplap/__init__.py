"""Shiplap: from a table and a question to a proven, measured, served model. Two boards that overlap.

The public names are listed below; each is imported when it is first used: ``import shiplap`` loads nothing heavy.

Examples
--------
>>> import shiplap as sl
>>> sl.Brief.make(target="churned").target
'churned'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shiplap.core.brief import Brief as Brief
    from shiplap.core.brief import Budget as Budget
    from shiplap.core.brief import Value as Value
    from shiplap.core.errors import ShiplapError as ShiplapError
    from shiplap.core.finding import Finding as Finding
    from shiplap.core.model import Model as Model
    from shiplap.core.report import Report as Report
    from shiplap.core.ship import Ship as Ship
    from shiplap.core.table import Table as Table

__version__ = "0.1.0"

_NAMES = {
    "Brief": "shiplap.core.brief",
    "Budget": "shiplap.core.brief",
    "Finding": "shiplap.core.finding",
    "Model": "shiplap.core.model",
    "Report": "shiplap.core.report",
    "Ship": "shiplap.core.ship",
    "ShiplapError": "shiplap.core.errors",
    "Table": "shiplap.core.table",
    "Value": "shiplap.core.brief",
    "assess": "shiplap.scientist.assess",
    "bench": "shiplap.engineer.bench",
    "explore": "shiplap.scientist.explore",
    "export": "shiplap.engineer.deploy",
    "load": "shiplap.scoring",
    "pack": "shiplap.engineer.deploy",
    "present": "shiplap.scientist.present",
    "read": "shiplap.adapters.frames",
    "run": "shiplap.engineer.flow",
    "score": "shiplap.scoring",
    "show": "shiplap.scoring",
    "sign": "shiplap.scoring",
    "train": "shiplap.scientist.train",
    "verify": "shiplap.scoring",
}

__all__ = ["__version__", *sorted(_NAMES)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    try:
        module = _NAMES[name]
    except KeyError:
        raise AttributeError(f"module 'shiplap' has no attribute '{name}'") from None
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return list(__all__)
