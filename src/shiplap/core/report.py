"""`Report`: what a verb found, as findings, metrics, tables and figures.

A figure is data (kind, columns, labels, units); whoever shows it draws it. The renderers live in
`shiplap.adapters.figures` and are found by name, so a report can be read where no plotting library is installed.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from shiplap.core.finding import Finding
from shiplap.core.registry import Registry
from shiplap.core.run import Run

__all__ = ["Cell", "DataTable", "Figure", "FigureKind", "Metric", "Report", "renderers"]

Cell = str | float | int | bool | None
Metric = float | int | str | bool | None
FigureKind = Literal["line", "bar", "histogram", "scatter", "heatmap", "interval"]

renderers: Registry[Any] = Registry("renderer", group="shiplap.renderers")
"""Functions ``(report) -> str`` by name: ``terminal``, ``markdown``, ``html``, ``notebook``."""
renderers.add_lazy("terminal", "shiplap.adapters.figures.terminal:render", extra="")
renderers.add_lazy("markdown", "shiplap.adapters.figures.markdown:render", extra="")
renderers.add_lazy("html", "shiplap.adapters.figures.page:render", extra="lab")
renderers.add_lazy("notebook", "shiplap.adapters.figures.page:render_frame", extra="lab")


class DataTable(msgspec.Struct, frozen=True, kw_only=True):
    """A small table for people.

    Parameters
    ----------
    name : str
        Stable name, unique within the report.
    title : str
        What it shows.
    columns : tuple of str
        Headings, with units where a column has one.
    rows : tuple of tuple
        Cells, one tuple a row, as long as `columns`.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as data.

    Parameters
    ----------
    name : str
        Stable name, unique within the report.
    title : str
        What a reader should see in it, as a sentence where possible.
    kind : str
        How it is drawn: ``line``, ``bar``, ``histogram`` (`x` is the middle of a bin, `low` and `high` its edges when
        given), ``scatter``, ``heatmap`` (`y` names the rows and then the values), ``interval`` (a point, its bounds).
    data : dict of str to list
        Columns of equal length.
    x : str
        Key of `data` on the horizontal axis.
    y : tuple of str
        Keys of `data` drawn against `x`, one series each.
    low, high : str
        Keys of `data` that bound the first series (an interval); empty when there is none.
    labels : dict of str to str
        What to call a key in a legend or on an axis, units included.
    marks : tuple of (float, str)
        Vertical lines at positions of `x`, with what they mark.
    diagonal : bool
        Draw y = x (calibration).
    """

    name: str
    title: str
    kind: FigureKind
    data: dict[str, list[Cell]]
    x: str
    y: tuple[str, ...]
    low: str = ""
    high: str = ""
    labels: dict[str, str] = {}
    marks: tuple[tuple[float, str], ...] = ()
    diagonal: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one verb found.

    Parameters
    ----------
    verb : str
        The verb that made it.
    title : str
        One line.
    verdict : str
        The verb's own answer in a word: ``go``, ``no-go``, ``collect more``, ``holds``, ``broken``, ``done`` ...
    holds : bool
        False when what was checked does not hold (exit code 1).
    findings, tables, figures : tuple
        In the order a reader should meet them.
    metrics : dict
        Named figures, units in the names where they have one (``latency_p50_us``).
    run : Run or None
        The execution that made it.
    parts : tuple of Report
        Reports of the steps, for a verb that runs others.

    Examples
    --------
    >>> report = Report(verb="assess", title="Is it worth it?", verdict="go", metrics={"auc": 0.71})
    >>> msgspec.json.decode(report.to_json(), type=Report) == report
    True
    """

    verb: str
    title: str
    verdict: str = "done"
    holds: bool = True
    findings: tuple[Finding, ...] = ()
    tables: tuple[DataTable, ...] = ()
    figures: tuple[Figure, ...] = ()
    metrics: dict[str, Metric] = {}
    run: Run | None = None
    parts: tuple[Report, ...] = ()

    def part(self, verb: str) -> Report:
        """Return the report of one step.

        Raises
        ------
        KeyError
            No step of that name was run.
        """
        for report in self.parts:
            if report.verb == verb:
                return report
        raise KeyError(verb)

    def figure(self, name: str) -> Figure:
        """Return the figure called `name`; raises ``KeyError`` when there is none."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)

    def table(self, name: str) -> DataTable:
        """Return the table called `name`; raises ``KeyError`` when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    def to_json(self) -> bytes:
        """Encode the report as JSON; what ``--json`` prints."""
        return msgspec.json.encode(self)

    def to_markdown(self) -> str:
        """Render the report as Markdown."""
        return str(renderers.get("markdown")(self))

    def to_html(self) -> str:
        """Render the report as one self-contained page."""
        return str(renderers.get("html")(self))

    def __repr__(self) -> str:
        return f"Report({self.verb!r}, {self.title!r}, verdict={self.verdict!r})"

    def _repr_html_(self) -> str:
        return str(renderers.get("notebook")(self))

    def __str__(self) -> str:
        return str(renderers.get("terminal")(self))
