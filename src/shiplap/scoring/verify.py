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
from shiplap.scoring.compare import decided_apart, distances
from shiplap.scoring.scorer import Scorer
from shiplap.scoring.shipfile import read_ship
from shiplap.scoring.signed import signature_finding
from shiplap.scoring.values import UnreadableError, moment_of_text, stripped

__all__ = ["verify"]


def verify(path: str | Path, *, key: str | Path | None = None) -> Report:
    """Check a ship file's digests, and replay the vectors of its certificate on this machine's runtime.

    Each vector is answered twice: among all others, and as a single row.

    Parameters
    ----------
    path : str or Path
        The ship file.
    key : str or Path, optional
        Public key; the ship's signature must have been made with its private half.

    Returns
    -------
    Report
        Verdict ``holds`` or ``broken``; findings ``verify.digests``, ``verify.vectors`` and, with a
        key, ``verify.signature``; metrics `vectors`, `largest_difference`, `band`, `flips`, `ties`.

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
    if key is not None:
        findings.append(signature_finding(ship, key))
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
        apart, ties = _replay(ship, certificate)
    except InputError as error:
        return _failed(str(error)), {}
    band, n_rows = certificate.band, len(apart)
    largest = float(apart.max())
    flips = int((~(apart <= band)).sum())
    metrics: dict[str, Metric] = {
        "vectors": n_rows,
        "largest_difference": largest if np.isfinite(largest) else None,
        "band": band,
        "flips": flips,
        "ties": ties,
    }
    told = f"the largest difference is {largest:.3g} where {band:.3g} is the tolerance"
    if flips:
        return _failed(f"{flips:,} of {n_rows:,} vectors are answered otherwise, {told}"), metrics
    means = f"{n_rows:,} vectors are answered as they must be, {told}"
    return Finding(check="verify.vectors", verdict="good", means=means, value=largest, limit=band), metrics


def _failed(means: str) -> Finding:
    todo = "do not serve it from this machine; pack it again, or use the version of the runtime it was certified with"
    return Finding(check="verify.vectors", verdict="fail", means=means, todo=todo)


def _replay(ship: Ship, certificate: Certificate) -> tuple[NDArray[np.float64], int]:
    """Return how far the answers lie from those that must be, shape (n_vectors,), and how many ties fell otherwise."""
    vectors = certificate.vectors
    if not vectors.rows:
        raise ShipError("the certificate holds no vectors", hint="pack it again")
    expected = _expected(ship, vectors)
    rows = _rows(ship, vectors)
    scorer = Scorer(ship)
    apart, ties = np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)
    for outputs in (scorer.outputs(rows), np.array([scorer.output(row) for row in rows])):
        found = _known(outputs, expected)
        apart = np.maximum(apart, distances(expected, found, certificate.scale))
        ties |= decided_apart(expected, found, scorer.decider)
    return apart, int((ties & (apart <= certificate.band)).sum())


def _expected(ship: Ship, vectors: Vectors) -> NDArray[np.float64]:
    n_rows, n_outputs, n_columns = len(vectors.rows), ship.signature.n_outputs, len(vectors.columns)
    whole = len(vectors.outputs) == n_rows and {n_outputs} == set(map(len, vectors.outputs))
    if not whole or {n_columns} != set(map(len, vectors.rows)):
        raise ShipError("the certificate's vectors do not fit the ship", hint="pack it again")
    return np.array(vectors.outputs, dtype=np.float64)


def _known(found: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take an infinite output as NaN where NaN is expected: JSON knows neither, and writes null for both."""
    return np.where(np.isnan(expected) & np.isinf(found), np.nan, found)


def _rows(ship: Ship, vectors: Vectors) -> list[dict[str, object]]:
    """Return the vectors as rows, dates as moments: they are ISO 8601 texts whatever the column's own format is."""
    dates = {operation.column for operation in ship.encoding.operations if isinstance(operation, Date)}
    return [
        {
            name: _moment(value) if name in dates and isinstance(value, str) else value
            for name, value in zip(vectors.columns, row, strict=True)
        }
        for row in vectors.rows
    ]


def _moment(value: str) -> datetime | str:
    try:
        return moment_of_text(stripped(value))
    except UnreadableError:
        return value
