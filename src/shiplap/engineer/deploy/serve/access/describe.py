"""What the OpenAPI description says of keys."""

from __future__ import annotations

from typing import Any

__all__ = ["security"]


def security() -> dict[str, Any]:
    """Return ``components.securitySchemes`` and ``security`` of a description.

    Either header is enough. An operation that is open (`open_paths`) says ``"security": []`` of its own.

    Examples
    --------
    >>> sorted(security()["components"]["securitySchemes"])
    ['bearer', 'header']
    >>> security()["security"]
    [{'bearer': []}, {'header': []}]
    """
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    return {"components": {"securitySchemes": schemes}, "security": [{name: []} for name in schemes]}
