"""Rows to compare a ship and its plain ONNX form on: the ship's own vectors, and rows built of every kind of value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.exports import Lookup, Plain, Plan, Port
from shiplap.core.ship import Ship

__all__ = ["Rows", "built", "kept"]

_NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e308, -1e308, 5e-324, 3.4e38, 1e-35, 2.0**53 + 2, float("inf"), float("-inf"))
_TEXTS = ("\x01never seen", "Ünïcödé 漢字 🚢", "x" * 5_000, "NaN", "None", "0", "1.0", " ", "true")
_MOMENTS = (
    *("0001-01-01", "1582-10-15", "1900-03-01", "1969-12-31T23:59:59.999999", "1970-01-01", "1999-12-31T23:59:59"),
    *("2000-02-29T12:00:00.5", "2000-03-01", "2016-12-31T06:07:08.000009", "2023-02-28", "2024-02-29T23:00:00"),
    *("2024-12-31T23:59:59.999999", "2100-02-28T23:59:59", "2100-03-01", "9999-12-31T23:59:59.999999"),
)


@dataclass(frozen=True)
class Rows:
    """The same rows as a client sends them to the ship, and as they are fed to the plain model."""

    kind: str
    columns: dict[str, list[Any]] = field(repr=False)
    feeds: dict[str, NDArray[Any]] = field(repr=False)

    def __len__(self) -> int:
        return len(next(iter(self.feeds.values())))


def kept(ship: Ship, plan: Plan) -> Rows | None:
    """Return the rows of the ship's certificate that the plain model can be asked; None where there are none."""
    if "parity.json" not in ship.evidence:
        return None
    vectors = ship.certificate.vectors
    places = {name: place for place, name in enumerate(vectors.columns)}
    found: list[dict[str, Any]] = []
    for row in vectors.rows:
        values = {port.name: _sent(port, row[places[port.name]]) for port in plan.ports if port.name in places}
        if len(values) == len(plan.ports) and all(value is not _sent for value in values.values()):
            found.append(values)
    return _rows("the ship's own vectors", plan, found) if found else None


def built(ship: Ship, plan: Plan, count: int, generator: np.random.Generator) -> Iterator[Rows]:
    """Yield rows of every kind of value: one column after the other, and all columns at once."""
    pools = {port.name: _pool(ship, plan, port, generator) for port in plan.ports}
    plain = {name: pool[int(generator.integers(len(pool)))] for name, pool in pools.items()}
    for name, pool in pools.items():
        yield _rows("one column", plan, [{**plain, name: value} for value in pool])
    drawn = {name: generator.integers(0, len(pool), count) for name, pool in pools.items()}
    mixed = [{name: pools[name][places[row]] for name, places in drawn.items()} for row in range(count)]
    yield _rows("all columns", plan, mixed)


def _sent(port: Port, value: Any) -> Any:
    """Return a value of a certificate as a client sends it; `_sent` itself where the plain model cannot be asked it."""
    if port.type == "tensor":
        return _sent if value is None else np.array(value, np.float64).reshape(port.shape)
    if port.type == "number":
        return float("nan") if value is None else float(value)
    if port.type == "boolean":
        return value if isinstance(value, bool) else _sent
    if port.type == "text":
        return value if value is None or isinstance(value, str) else _sent
    return None if value is None else _utc(datetime.fromisoformat(str(value)))


def _utc(moment: datetime) -> datetime:
    offset = moment.utcoffset()
    return moment.replace(tzinfo=None) - offset if offset is not None else moment


def _pool(ship: Ship, plan: Plan, port: Port, generator: np.random.Generator) -> list[Any]:
    if port.type == "boolean":
        return [True, False]
    if port.type == "tensor":
        return [generator.normal(size=port.shape) for _ in range(20)] + [np.zeros(port.shape), np.ones(port.shape)]
    if port.type == "moment":
        days = generator.integers(-719_162, 2_932_896, 300)
        drawn = (days * 86_400_000_000 + generator.integers(0, 86_400_000_000, 300)).astype("M8[us]").tolist()
        return [None, *map(datetime.fromisoformat, _MOMENTS), *drawn]
    lookups = [part for part in plan.parts if isinstance(part, Lookup) and part.port == port]
    keys = [key for part in lookups for key in part.keys]
    if port.type == "text":
        return list(dict.fromkeys([None, *(key for key in keys if key != port.gap or not key), *_TEXTS]))
    marked = [number for part in plan.parts if isinstance(part, Plain) and part.port == port for number in part.marked]
    if any(field.kind == "boolean" for field in ship.signature.inputs if field.name == port.name):
        return [float("nan"), 0.0, 1.0, *keys]
    rows = kept(ship, plan)
    seen = [] if rows is None else list(dict.fromkeys(rows.columns[port.name]))[:400]
    near = [np.nextafter(number, way) for number in keys[:200] for way in (-np.inf, np.inf)]
    return [float("nan"), *_NUMBERS, *keys, *marked, *near, *seen, *generator.normal(0, 100, 50).tolist()]


def _rows(kind: str, plan: Plan, rows: list[dict[str, Any]]) -> Rows:
    columns = {port.name: [row[port.name] for row in rows] for port in plan.ports}
    return Rows(kind, columns, {port.name: _fed(port, columns[port.name]) for port in plan.ports})


def _fed(port: Port, values: list[Any]) -> NDArray[Any]:
    if port.type == "tensor":
        return np.stack(values)
    if port.type == "text":
        texts = np.array([port.gap if value is None else value for value in values], dtype=object)
        return texts.reshape(-1, 1)
    if port.type == "moment":
        moments: NDArray[Any] = np.array(values, dtype="M8[us]").astype(np.int64).reshape(-1, 1)
        return moments
    return np.array(values, bool if port.type == "boolean" else np.float64).reshape(-1, 1)
