"""What the records of a run say, found by step and name; what no step said is None, never made up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import msgspec

from shiplap.adapters.figures import words
from shiplap.core.brief import Brief
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report
from shiplap.core.run import Run

__all__ = ["Facts", "Interval"]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval, in money per 1,000 decisions."""

    value: float
    low: float | None
    high: float | None
    unit: str

    @property
    def text(self) -> str:
        """The figure with its sign and unit."""
        return words.signed(words.money(self.value, self.unit))

    @property
    def span(self) -> str:
        """The interval in words; empty when it is not known."""
        if self.low is None or self.high is None:
            return ""
        low, high = (words.signed(words.money(end, self.unit)) for end in (self.low, self.high))
        return f"95% interval {low} to {high}"


class Facts:
    """The records of a run.

    Parameters
    ----------
    report : Report
        Of ``run``, with the reports of its steps as parts; or of a single verb.

    Examples
    --------
    >>> train = Report(verb="train", title="", metrics={"test_auc": 0.74})
    >>> facts = Facts(Report(verb="run", title="late", verdict="go", parts=(train,)))
    >>> facts.number("train", "test_auc"), facts.number("bench", "size_mb")
    (0.74, None)
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.parts = {part.verb: part for part in (report, *report.parts)}

    def number(self, verb: str, *names: str) -> float | None:
        """Return the first of some metrics of a step that is a finite number."""
        part = self.parts.get(verb)
        for name in names if part else ():
            value = part.metrics.get(name) if part else None
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                return value
        return None

    def word(self, verb: str, name: str) -> str:
        """Return a metric of a step that is a text; empty when there is none."""
        part = self.parts.get(verb)
        value = part.metrics.get(name) if part else None
        return words.plain(value) if isinstance(value, str) else ""

    def figure(self, verb: str, name: str) -> Figure | None:
        """Return a figure of a step."""
        found = self.parts.get(verb)
        return next((figure for figure in found.figures if figure.name == name), None) if found else None

    def table(self, verb: str, name: str) -> DataTable | None:
        """Return a table of a step."""
        found = self.parts.get(verb)
        return next((table for table in found.tables if table.name == name), None) if found else None

    def findings(self, verb: str, prefix: str = "", *, but: str = "") -> tuple[Finding, ...]:
        """Return the findings of a step whose check starts with one prefix and not with another."""
        part = self.parts.get(verb)
        found = part.findings if part else ()
        return tuple(f for f in found if f.check.startswith(prefix) and not (but and f.check.startswith(but)))

    @cached_property
    def runs(self) -> list[tuple[str, Run]]:
        """The executions behind the reports, in order."""
        return [(part.verb, part.run) for part in (*self.report.parts, self.report) if part.run]

    @cached_property
    def brief(self) -> Brief:
        """The question, as the steps were told it."""
        for _, run in self.runs:
            if "target" in run.parameters:
                known = {key: value for key, value in run.parameters.items() if key in Brief.__struct_fields__}
                try:
                    return msgspec.convert(known, type=Brief)
                except msgspec.ValidationError:
                    continue
        return Brief(target=self.word(self.report.verb, "target"), name=self.name)

    @cached_property
    def name(self) -> str:
        """Short name of the ship."""
        return self.word(self.report.verb, "name") or "model"

    @cached_property
    def task(self) -> str:
        """``binary``, ``multiclass`` or ``regression``, from the brief or from what was measured."""
        if self.brief.task is not None:
            return {"ranking": "regression", "forecast": "regression", "anomaly": "binary"}.get(
                self.brief.task, self.brief.task
            )
        if self.number("train", "test_rmse") is not None or self.number("assess", "rmse") is not None:
            return "regression"
        return "multiclass" if self.number("train", "test_accuracy") is not None and not self._has_auc else "binary"

    @property
    def _has_auc(self) -> bool:
        return self.number("train", "test_auc") is not None

    @cached_property
    def positive(self) -> str:
        """The class that is looked for, from the brief or as a step chose it; empty when no record names it."""
        if self.brief.positive is not None:
            return words.plain(str(self.brief.positive))
        chosen = (part.metrics.get("positive") for part in self.parts.values())
        return next((words.plain(str(label)) for label in chosen if label is not None), "")

    @cached_property
    def unit(self) -> str:
        """Currency or unit of the values."""
        given = self.brief.value.unit if self.brief.value else ""
        return given or self.word("assess", "unit") or self.word("train", "unit")

    @cached_property
    def gain(self) -> Interval | None:
        """Money per 1,000 decisions against the best policy without ML: of the shipped model, else as assessed."""
        return self._gain_of("train") or self._gain_of("assess")

    def _gain_of(self, verb: str) -> Interval | None:
        value = self.number(verb, "gain_per_1000")
        if value is None:
            return None
        return Interval(value, self.number(verb, "gain_low"), self.number(verb, "gain_high"), self.unit)

    @cached_property
    def ship_file(self) -> str:
        """Name of the ship file."""
        return f"{self.name}.ship"
