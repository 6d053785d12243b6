"""`bench`: measure a ship on this machine, hold it against its budget, attach the figures to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.brief import Brief, Budget
from shiplap.core.environment import environment, machine_digest
from shiplap.core.errors import InputError
from shiplap.core.finding import Finding
from shiplap.core.measurement import Measurement
from shiplap.core.progress import tell
from shiplap.core.report import DataTable, Figure, Metric, Report
from shiplap.core.ship import Ship
from shiplap.engineer.bench.http import over_http
from shiplap.engineer.bench.measure import cold_start, original_row, rows_per_second
from shiplap.proof import Subject, lower, sample_frame, sendable, time_scorer
from shiplap.scoring import Scorer, attach, read_ship

__all__ = ["bench"]

_ROWS = 1_024
_BATCHES = (1, 32, 1_024)


def bench(
    ship: str | Path | Ship, X: Any = None, *, original: Any = None, budget: Budget | dict[str, float] | None = None
) -> Report:
    """Measure latency, throughput, cold start, memory and size of a ship, in process and on one thread.

    Parameters
    ----------
    ship : path or Ship
        The ship file; the figures are attached to it as ``evidence/bench-MACHINE.json``.
    X : Table, DataFrame, array or dict of columns, optional
        Rows to answer; the vectors of the certificate when left out.
    original : Model or estimator, optional
        What the ship was packed from, to be timed beside it in the same run; needs `X`.
    budget : Budget or dict, optional
        Limits: ``p99_ms`` (one row: encode, graph, decide), ``size_mb`` (the sealed part), ``memory_mb`` (resident
        growth after loading).

    Returns
    -------
    Report
        Metrics ``single_p50_us``, ``single_p99_us``, ``http_p50_us``, ``http_p99_us``,
        ``http_adds_us``, ``rows_per_s_1``, ``rows_per_s_32``, ``rows_per_s_1024``,
        ``cold_start_ms``, ``memory_mb``, ``peak_mb``, ``size_mb``; with an original ``original_p50_us``,
        ``original_p99_us`` and ``speedup``. `holds` is False when a limit is missed.

    Raises
    ------
    InputError
        There is no such ship, or there are no rows to answer.
    """
    path = ship.path if isinstance(ship, Ship) else Path(ship)
    scorer = Scorer(read_ship(path))
    limits = budget if isinstance(budget, Budget) else Brief.make(budget=budget).budget
    subject = None if original is None else lower(original, X)
    rows = _rows(scorer.ship, X, subject)
    metrics = _measured(scorer, path, rows, subject)
    findings = _findings(metrics, limits)
    attach(path, {f"bench-{machine_digest()[:12]}.json": _evidence(scorer.ship, metrics)})
    tell("measured", 1.0)
    holds = all(finding.verdict != "fail" for finding in findings)
    return Report(
        verb="bench",
        title=f"{scorer.ship.manifest.name}: what a prediction costs on this machine",
        verdict="holds" if holds else "missed",
        holds=holds,
        findings=findings,
        tables=(_table(metrics),),
        figures=(_latency(metrics),),
        metrics=metrics,
    )


def _rows(ship: Ship, X: Any, subject: Subject | None) -> list[dict[str, Any]]:
    """Return rows as a client sends them in JSON: dates and infinities as text."""
    if subject is not None:
        frame = subject.frame.iloc[:_ROWS]
    elif X is not None:
        frame = sample_frame(X).iloc[:_ROWS]
    else:
        vectors = ship.certificate.vectors
        rows = [dict(zip(vectors.columns, row, strict=True)) for row in vectors.rows]
        if not rows:
            raise InputError("the ship's certificate holds no rows to answer", hint="pass some rows")
        return rows
    names = [name for name in ship.signature.names if name in frame.columns]
    records = frame[names].to_dict("records")
    return [{str(name): sendable(value) for name, value in record.items()} for record in records]


def _measured(scorer: Scorer, path: Path, rows: list[dict[str, Any]], subject: Subject | None) -> dict[str, Metric]:
    tell("timing single rows", 0.0)
    single = time_scorer(scorer, rows, seconds=2.0)
    metrics: dict[str, Metric] = {"single_p50_us": single.p50_us, "single_p99_us": single.p99_us}
    if subject is not None:
        tell("timing the original", 0.3)
        theirs = original_row(subject)
        metrics["original_p50_us"] = theirs.p50_us
        metrics["original_p99_us"] = theirs.p99_us
        metrics["speedup"] = theirs.p50_us / single.p50_us
    tell("timing rows over HTTP", 0.4)
    http = over_http(path, rows)
    metrics.update(http_p50_us=http.p50_us, http_p99_us=http.p99_us, http_adds_us=max(0.0, http.p50_us - single.p50_us))
    tell("timing batches", 0.5)
    for batch in _BATCHES:
        metrics[f"rows_per_s_{batch}"] = rows_per_second(scorer, rows, batch)
    tell("starting cold", 0.8)
    metrics.update(cold_start(path, rows[0]))
    metrics["size_mb"] = scorer.ship.sealed_bytes / 1e6
    return metrics


def _findings(metrics: dict[str, Metric], limits: Budget) -> tuple[Finding, ...]:
    p99_us = metrics["single_p99_us"]
    held = (
        ("p99_ms", "one row in process, 99th percentile, in ms", float(p99_us or 0) / 1e3, limits.p99_ms),
        ("size_mb", "the sealed part, in MB", float(metrics["size_mb"] or 0), limits.size_mb),
        ("memory_mb", "resident growth after loading, in MB", float(metrics["memory_mb"] or 0), limits.memory_mb),
    )
    findings = []
    for name, what, value, limit in held:
        if limit is None:
            continue
        good = value <= limit
        findings.append(
            Finding(
                check=f"budget.{name}",
                verdict="good" if good else "fail",
                means=f"{what}: {value:.3g}, where the budget allows {limit:g}.",
                todo="" if good else f"raise budget.{name}, or train a smaller model",
                value=value,
                limit=limit,
            )
        )
    return tuple(findings)


def _latency(metrics: dict[str, Metric]) -> Figure:
    """Draw how long one row takes, from the median to the 99th percentile, on each way that was timed."""
    ways = {"single": "in process", "http": "over HTTP on loopback", "original": "through the original"}
    timed = {told: name for name, told in ways.items() if metrics.get(f"{name}_p50_us") is not None}
    median = [metrics[f"{name}_p50_us"] for name in timed.values()]
    return Figure(
        name="latency",
        title="How long one row takes, on this machine",
        kind="interval",
        data={
            "way": list(timed),
            "median": list(median),
            "p99": [metrics.get(f"{name}_p99_us") for name in timed.values()],
        },
        x="way",
        y=("median",),
        low="median",
        high="p99",
        log="y",
        labels={"way": "way", "median": "microseconds", "p99": "99th percentile, microseconds"},
        note="A point is the median; the line reaches to the 99th percentile.",
    )


def _table(metrics: dict[str, Metric]) -> DataTable:
    names = {
        "single_p50_us": "one row, median, us",
        "single_p99_us": "one row, 99th percentile, us",
        "original_p50_us": "one row through the original, median, us",
        "speedup": "times faster than the original",
        "http_p50_us": "one row over HTTP on loopback, median, us",
        "http_p99_us": "one row over HTTP on loopback, 99th percentile, us",
        "http_adds_us": "of which HTTP adds, us",
        "rows_per_s_1": "rows a second, one a call",
        "rows_per_s_32": "rows a second, 32 a call",
        "rows_per_s_1024": "rows a second, 1,024 a call",
        "cold_start_ms": "cold start (import, load, first answer), ms",
        "memory_mb": "resident growth after loading, MB",
        "peak_mb": "peak memory of the process, MB",
        "size_mb": "sealed part, MB",
    }
    rows = tuple((told, metrics[name]) for name, told in names.items() if name in metrics)
    return DataTable(name="costs", title="Measured on this machine, one thread", columns=("what", "value"), rows=rows)


def _evidence(ship: Ship, metrics: dict[str, Metric]) -> bytes:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return msgspec.json.encode(Measurement(ship=ship.id, measured_at=at, environment=environment(), metrics=metrics))
