"""`verify`: find out whether a ship answers here as it did where it was sealed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shiplap.core.certificate import Certificate, Vectors
from shiplap.core.encoding import Date
from shiplap.core.errors import InputError, ShipError
from shiplap.core.finding import Finding
from shiplap.core.report import Metric, Report
from shiplap.core.ship import Ship
from shiplap.scoring.compare import Comparison, compare
from shiplap.scoring.scorer import Scorer
from shiplap.scoring.shipfile import read_ship
from shiplap.scoring.values import UnreadableError, moment_of_text, stripped

__all__ = ["verify"]


def verify(path: str | Path) -> Report:
    """Check a ship file's digests, and replay the vectors of its certificate on this machine's runtime.

    Each vector is answered twice: among all others, and as a single row.

    Parameters
    ----------
    path : str or Path
        The ship file.

    Returns
    -------
    Report
        Verdict ``holds`` or ``broken``; findings ``verify.digests`` and ``verify.vectors``; metrics `vectors`,
        `largest_difference`, `band`, `flips`, `ties`.

    Raises
    ------
    ShipError
        The file is missing, truncated, altered or not a ship file.
    """
    ship = read_ship(path)
    findings = [_sound(ship)]
    metrics: dict[str, Metric] = {"ship": ship.id}
    if "parity.json" in ship.evidence:
        finding, measured = _replayed(ship)
        findings.append(finding)
        metrics |= measured
    else:
        findings.append(_unproven())
    holds = all(finding.verdict != "fail" for finding in findings)
    return Report(
        verb="verify",
        title=f"{ship.manifest.name} ({ship.id[:12]})",
        verdict="holds" if holds else "broken",
        holds=holds,
        findings=tuple(findings),
        metrics=metrics,
    )


def _sound(ship: Ship) -> Finding:
    n_parts = len(ship.manifest.parts)
    return Finding(check="verify.digests", verdict="good", means=f"all {n_parts} parts are as they were sealed")


def _unproven() -> Finding:
    return Finding(
        check="verify.vectors",
        verdict="warn",
        means="the ship carries no certificate, so nothing shows that it answers as the original did",
        todo="pack it again from the model",
    )


def _replayed(ship: Ship) -> tuple[Finding, dict[str, Metric]]:
    try:
        certificate = ship.certificate
        found = _replay(ship, certificate)
    except InputError as error:
        return _failed(str(error), None, None), {}
    largest = found.largest
    flips, ties, n_rows = int(found.flips.sum()), int(found.ties.sum()), len(certificate.vectors.rows)
    metrics: dict[str, Metric] = {
        "vectors": n_rows,
        "largest_difference": largest if np.isfinite(largest) else None,
        "band": certificate.band,
        "flips": flips,
        "ties": ties,
    }
    if flips or not largest <= certificate.band:
        told = f"{flips} of {n_rows:,} vectors flip, the largest difference is {largest:.3g}"
        return _failed(told, largest, certificate.band), metrics
    means = f"{n_rows:,} vectors answer as they must, the largest difference is {largest:.3g}"
    value = Finding(check="verify.vectors", verdict="good", means=means, value=largest, limit=certificate.band)
    return value, metrics


def _failed(means: str, value: float | None, limit: float | None) -> Finding:
    if value is not None and not np.isfinite(value):
        value = None
    todo = "do not serve it from this machine; pack it again, or use the version of the runtime it was certified with"
    return Finding(check="verify.vectors", verdict="fail", means=means, todo=todo, value=value, limit=limit)


def _replay(ship: Ship, certificate: Certificate) -> Comparison:
    vectors = certificate.vectors
    expected = np.array(vectors.outputs, dtype=np.float64).reshape(len(vectors.rows), -1)
    if not len(vectors.rows):
        raise ShipError("the certificate holds no vectors")
    if len(vectors.rows) != len(vectors.outputs) or expected.shape[1] != max(len(ship.policy.classes), 1):
        raise ShipError("the certificate's vectors do not fit the ship")
    rows = _rows(ship, vectors)
    scorer = Scorer(ship)
    alone = np.array([scorer.output(row) for row in rows])
    comparisons = [
        compare(expected, found, policy=ship.policy, band=certificate.band)
        for found in (_known(scorer.outputs(rows), expected), _known(alone, expected))
    ]
    first, second = comparisons
    return Comparison(
        np.maximum(first.differences, second.differences), first.flips | second.flips, first.ties | second.ties
    )


def _known(found: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take an infinite output as NaN where NaN is expected: JSON knows neither, and writes null for both."""
    return np.where(np.isnan(expected) & np.isinf(found), np.nan, found)


def _rows(ship: Ship, vectors: Vectors) -> list[dict[str, object]]:
    """Return the vectors as rows, dates as moments: they are ISO 8601 texts whatever the column's own format is."""
    dates = {operation.column for operation in ship.encoding.operations if isinstance(operation, Date)}
    return [
        {name: _moment(value) if name in dates else value for name, value in zip(vectors.columns, row, strict=True)}
        for row in vectors.rows
    ]


def _moment(value: str | float | bool | None) -> datetime | str | float | bool | None:
    if not isinstance(value, str):
        return value
    try:
        return moment_of_text(stripped(value))
    except UnreadableError:
        return value
