"""`show`: what a ship file is, read from the file itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shiplap.core.errors import ShipError
from shiplap.core.finding import Finding
from shiplap.core.measurement import Measurement
from shiplap.core.report import Cell, DataTable, Metric, Report
from shiplap.core.ship import Ship
from shiplap.scoring.shipfile import read_ship

__all__ = ["show"]


def show(ship: Ship | str | Path) -> Report:
    """Say what a ship takes, answers and decides, how it was proven, and how fast it was measured to be.

    Parameters
    ----------
    ship : Ship or path
        The ship file; it is audited like at any reading.

    Returns
    -------
    Report
        Metrics ``name``, ``id``, ``task``, ``size_mb`` ...; tables ``inputs``, ``lineage`` and one a measurement.

    Raises
    ------
    ShipError
        It is not a sound ship file.
    """
    opened = ship if isinstance(ship, Ship) else read_ship(Path(ship))
    manifest, signature = opened.manifest, opened.signature
    measured = [_measured(opened, name) for name in sorted(opened.evidence) if name.startswith("bench-")]
    rows = tuple(
        (field.name, field.kind, "yes" if field.nullable else "no", field.example) for field in signature.inputs
    )
    inputs = DataTable(name="inputs", title="Inputs", columns=("name", "kind", "may be missing", "example"), rows=rows)
    made_from = tuple((what, digest) for what, digest in sorted(manifest.lineage.items()) if digest)
    lineage = DataTable(name="lineage", title="Made from", columns=("what", "digest"), rows=made_from)
    return Report(
        verb="show",
        title=f"{manifest.name}: {signature.task}, {len(signature.inputs)} inputs, sealed by {manifest.made_by}",
        verdict=opened.id[:12],
        findings=(*_proven(opened), *_decides(opened)),
        tables=(inputs, *measured, *((lineage,) if made_from else ())),
        metrics=_metrics(opened),
    )


def _metrics(ship: Ship) -> dict[str, Metric]:
    return {
        "name": ship.manifest.name,
        "id": ship.id,
        "format": ship.manifest.format,
        "task": ship.signature.task,
        "classes": ", ".join(map(str, ship.signature.classes)),
        "size_mb": round(ship.sealed_bytes / 1e6, 3),
        "made_by": ship.manifest.made_by,
    }


def _proven(ship: Ship) -> tuple[Finding, ...]:
    if "parity.json" not in ship.evidence:
        means = "It carries no parity certificate: nothing shows that it answers as its original."
        return (Finding(check="show.parity", verdict="warn", means=means, todo="Pack it again from the model."),)
    proof = ship.certificate
    means = (
        f"Proven {proof.parity}: {proof.flips} of {proof.rows:,} rows answered differently from the original; "
        f"largest difference {proof.largest_difference:.1e}."
    )
    return (
        Finding(check="show.parity", verdict="good" if not proof.flips else "fail", means=means, value=proof.flips),
    )


def _decides(ship: Ship) -> tuple[Finding, ...]:
    policy = ship.policy
    if policy.task == "binary" and policy.positive >= 0:
        action = policy.decision or "act"
        found = policy.classes[policy.positive]
        means = f"Decides to {action} when the probability of {found} is {policy.threshold:.4g} or more."
    elif policy.matrix:
        means = "Decides for the class that earns most in expectation."
    elif policy.offset and (policy.value is None or (policy.value.over is None and policy.value.under is None)):
        action = policy.decision or "act"
        means = f"Decides to {action} where the prediction is {-policy.offset:.4g} or more: on a decision of 0 or more."
    elif policy.offset:
        means = f"Decides on the prediction plus {policy.offset:.4g}, where being over and under cost differently."
    else:
        means = "Decides for what is most probable." if policy.classes else "Decides on the prediction itself."
    return (Finding(check="show.decision", verdict="note", means=means),)


def _measured(ship: Ship, name: str) -> DataTable:
    try:
        known = msgspec.json.decode(ship.evidence[name], type=Measurement)
    except msgspec.DecodeError as error:
        raise ShipError(f"the measurement '{name}' in '{ship.path}' cannot be read: {error}") from error
    where = f"{known.environment.get('cpu', 'an unknown processor')}, {known.measured_at[:10]}"
    rows: tuple[tuple[Cell, ...], ...] = tuple(known.metrics.items())
    return DataTable(name=name, title=f"Measured on {where}", columns=("what", "value"), rows=rows)
