"""The certificate as a report."""

from __future__ import annotations

import re

from shiplap.core.certificate import Certificate
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report
from shiplap.core.ship import WRITTEN_BY, Ship

__all__ = ["certificate_report"]


def certificate_report(ship: Ship) -> Report:
    """Say what was proven of a ship.

    Parameters
    ----------
    ship : Ship
        A ship with its certificate.

    Returns
    -------
    Report
        Verb ``pack``; `holds` is False when answers flip. The table ``kinds`` has a row a kind of row.

    Raises
    ------
    ShipError
        The ship carries no certificate, or another ship's.
    """
    certificate = ship.certificate
    holds = certificate.flips == 0
    return Report(
        verb="pack",
        title=f"{ship.manifest.name}: does the ship answer as the original does?",
        verdict="holds" if holds else "broken",
        holds=holds,
        findings=(*_findings(certificate), *_versions(ship)),
        tables=(_kinds(certificate),),
        figures=_figures(certificate),
        metrics={
            "rows": certificate.rows,
            "flips": certificate.flips,
            "ties": certificate.ties,
            "largest_difference": certificate.largest_difference,
            "band": certificate.band,
            "own_variation": certificate.own_variation,
            "parity": certificate.parity,
            "size_mb": ship.sealed_bytes / 1e6,
        },
    )


def _kinds(certificate: Certificate) -> DataTable:
    return DataTable(
        name="kinds",
        title="How each kind of row fared",
        columns=("kind of row", "rows", "flips", "ties", "largest difference"),
        rows=tuple(
            (kind.name, kind.rows, kind.flips, kind.ties, kind.largest_difference) for kind in certificate.kinds
        ),
    )


def _figures(certificate: Certificate) -> tuple[Figure, ...]:
    """Draw how far the answers lay apart, by kind of row; nothing where all are the same to the last bit."""
    apart = [kind for kind in certificate.kinds if kind.largest_difference > 0]
    if not apart:
        return ()
    same = len(certificate.kinds) - len(apart)
    figure = Figure(
        name="parity",
        title="How far the answers of ship and original lie apart, by kind of row",
        kind="bar",
        data={
            "kind": [kind.name for kind in apart],
            "largest": [kind.largest_difference for kind in apart],
            "rows": [kind.rows for kind in apart],
        },
        x="kind",
        y=("largest",),
        log="y",
        labels={"kind": "kind of row", "largest": "largest difference"},
        levels=((certificate.band, "allowed"),) if certificate.band > 0 else (),
        note=f"{same} more kinds get the same answers to the last bit." if same else "",
    )
    return (figure,)


def _findings(certificate: Certificate) -> tuple[Finding, ...]:
    findings = [_parity(certificate)]
    if certificate.ties:
        findings.append(
            Finding(
                check="parity.ties",
                verdict="note",
                means=f"{certificate.ties:,} rows sit so close to a border that rounding decides them, there as here.",
                value=certificate.ties,
            )
        )
    refused = [f"{kind.name.partition(' (')[0]} ({kind.refused:,})" for kind in certificate.kinds if kind.refused]
    if refused:
        findings.append(
            Finding(
                check="parity.refused",
                verdict="note",
                means=f"The original itself refuses rows of these kinds: {', '.join(refused)}. "
                "The ship answers them; nothing can be compared.",
            )
        )
    findings.extend(
        Finding(
            check="parity.failure",
            verdict="fail",
            means=f"A row of kind '{failure.kind}' gets {failure.ship} where the original says {failure.original}; "
            f"they part at: {failure.node}.",
        )
        for failure in certificate.failures
    )
    return tuple(findings)


def _versions(ship: Ship) -> tuple[Finding, ...]:
    version = ship.manifest.lineage.get(WRITTEN_BY, "")
    if not re.fullmatch(r"[0-9]+(\.[0-9a-z]+){0,4}", version):
        return ()
    return (
        Finding(
            check="model.version",
            verdict="note",
            means=f"scikit-learn {version} wrote the model, and another version read it: the ship answers as the model "
            "does with the version installed here.",
            todo=f"pack it where scikit-learn {version} is installed, if the two versions answer apart",
        ),
    )


def _parity(certificate: Certificate) -> Finding:
    if certificate.flips:
        return Finding(
            check="parity",
            verdict="fail",
            means=f"{certificate.flips:,} of {certificate.rows:,} rows get another answer than the original gives.",
            todo="do not use this ship; see where the answers part",
            value=certificate.flips,
            limit=0,
        )
    close = "to the last bit" if certificate.parity == "exact" else f"within {certificate.largest_difference:.1e}"
    return Finding(
        check="parity",
        verdict="good",
        means=f"{certificate.rows:,} rows, those on every threshold among them, get the original's answer {close}.",
        value=certificate.flips,
        limit=0,
    )
