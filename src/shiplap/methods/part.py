"""`Part`: what one look at a table or a question adds to a report."""

from __future__ import annotations

from dataclasses import dataclass, field

from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Metric

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """Findings, tables, figures and metrics of one kind of look, in the order a reader should meet them."""

    findings: tuple[Finding, ...] = ()
    tables: tuple[DataTable, ...] = ()
    figures: tuple[Figure, ...] = ()
    metrics: dict[str, Metric] = field(default_factory=dict)
