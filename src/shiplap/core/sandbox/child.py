"""The confined side: give everything up, then do what is asked."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from shiplap.core.errors import ShiplapError
from shiplap.core.sandbox.confine import Limits, confine

__all__ = ["main"]


def main() -> int:
    """Read the order from standard input, confine this process, carry the order out."""
    order = json.load(sys.stdin)
    folder = Path(order["folder"])
    os.chdir(folder)
    confine(map(Path, order["readable"]), folder, Limits(**order["limits"]))
    try:
        module, _, function = order["function"].partition(":")
        result: bytes = getattr(importlib.import_module(module), function)(str(folder))
    except ShiplapError as error:
        return _failed(folder, error.message, error.hint)
    except MemoryError:
        return _failed(folder, f"it needs more than {order['limits']['memory_mb']:,} MB of memory", "")
    except Exception as error:
        return _failed(folder, f"{type(error).__name__}: {error}", "")
    (folder / "result").write_bytes(result)
    return 0


def _failed(folder: Path, message: str, hint: str) -> int:
    (folder / "error").write_text(json.dumps([message[:2_000], hint[:500]]))
    return 3


if __name__ == "__main__":
    sys.exit(main())
