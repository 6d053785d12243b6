"""Places where rows can stay while they are looked at, by what is given for them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from shiplap.adapters.frames.addresses import is_address
from shiplap.adapters.frames.digests import digest_of
from shiplap.core.brief import ColumnBrief
from shiplap.core.registry import Registry
from shiplap.core.table import Table

__all__ = ["is_live", "live_digest", "read_live"]

_readers: Registry[Callable[..., Table]] = Registry("reader", group="shiplap.readers")
_readers.add_lazy("remote", "shiplap.adapters.frames.remote:read_remote", extra="lab")
_places: Registry[Any] = Registry("place", group="shiplap.places")
_places.add_lazy("postgresql", "shiplap.adapters.frames.postgresql:PostgresPlace", extra="postgres")
_places.add_lazy("spark", "shiplap.adapters.frames.spark:SparkPlace", extra="spark")


def is_live(source: Any) -> bool:
    """Tell whether rows lie elsewhere, and may change without saying so.

    Examples
    --------
    >>> is_live("postgresql://me@db/shop::orders"), is_live("orders.csv")
    (True, False)
    """
    return bool(_kind(source))


def read_live(source: Any, name: str, columns: Mapping[str, ColumnBrief]) -> Table:
    """Read a table whose rows stay where they lie; parameters as those of `shiplap.adapters.frames.read`."""
    read_remote = _readers.get("remote")
    return read_remote(_places.get(_kind(source))(source), name=name, columns=columns)


def live_digest() -> str:
    """Return a digest that no other has: nothing is remembered of what lies elsewhere."""
    return digest_of({"live": uuid.uuid4().hex})


def _kind(source: Any) -> str:
    if isinstance(source, str):
        return "postgresql" if is_address(source) else ""
    classes = type(source).__mro__
    return "spark" if any(c.__name__ == "DataFrame" and c.__module__.startswith("pyspark.sql") for c in classes) else ""
