"""A report as text for a terminal: as wide as it is, colored only where somebody looks, readable without color."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shiplap.adapters.figures import words
from shiplap.adapters.figures.strips import Strip, strips
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report

__all__ = ["render"]

MOST_ROWS = 24
MOST_FIGURES = 4
WIDEST = 110
_GLYPHS = {"good": ("✓", "green"), "note": ("·", "cyan"), "warn": ("!", "yellow"), "fail": ("✕", "red")}
_TONES = {
    "go": "green", "holds": "green", "exact": "green", "within tolerance": "green",
    "no-go": "red", "broken": "red", "collect more": "yellow", "leaks": "yellow", "missed": "red",
}  # fmt: skip


def render(report: Report) -> str:
    """Render a report for a terminal.

    Parameters
    ----------
    report : Report
        Of any verb; of the reports of its steps only what matters is shown.

    Returns
    -------
    str
        Text without a newline at its end. Escape sequences only when standard output is a terminal and ``NO_COLOR``
        is not set; characters outside its encoding are replaced.

    Examples
    --------
    >>> from shiplap.core.finding import Finding
    >>> found = Finding(check="rows.duplicates", verdict="warn", means="3 rows appear twice")
    >>> print(render(Report(verb="explore", title="What the table holds", findings=(found,))))
    What the table holds  done
    <BLANKLINE>
      ! 3 rows appear twice
    """
    looked_at = sys.stdout.isatty()
    out = io.StringIO()
    console = Console(
        file=out,
        width=min(shutil.get_terminal_size((100, 24)).columns, WIDEST),
        force_terminal=looked_at,
        color_system="standard" if looked_at and not os.environ.get("NO_COLOR") else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(Group(*_blocks(report)))
    lines = [line.rstrip() for line in out.getvalue().rstrip().splitlines()]
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return "\n".join(lines).encode(encoding, "replace").decode(encoding)


def _blocks(report: Report) -> Iterable[RenderableType]:
    yield _head(report)
    if report.findings:
        yield _findings(report.findings)
    if report.metrics:
        yield _metrics(report)
    for table in report.tables:
        if table.rows:
            yield _table(table)
    for figure in report.figures[:MOST_FIGURES]:
        drawn = strips(figure)
        if drawn:
            yield _figure(figure, drawn)
    for part in report.parts:
        yield Text()
        yield _head(part)
        grave = tuple(finding for finding in part.findings if finding.verdict in {"warn", "fail"})
        if grave:
            yield _findings(grave)
        if part.metrics:
            yield _metrics(part)


def _head(report: Report) -> RenderableType:
    tone = _TONES.get(report.verdict, "" if report.holds else "red")
    verdict = Text(words.plain(report.verdict), style=f"bold {tone}" if tone else "dim")
    return Text.assemble(Text(words.plain(report.title), style="bold"), "  ", verdict)


def _findings(findings: tuple[Finding, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for finding in findings:
        glyph, color = _GLYPHS[finding.verdict]
        said = Text(words.clip(words.sentence(finding), 600))
        columns = words.others(finding.means, finding.columns)
        if columns:
            said.append(f"  {words.clip(words.plain(', '.join(columns)), 200)}", style="cyan")
        if finding.todo:
            said.append(f"\n{words.clip(words.plain(finding.todo), 400)}", style="dim")
        grid.add_row(Text(glyph, style=f"bold {color}"), said)
    return Padding(grid, (1, 0, 0, 2))


def _metrics(report: Report) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for label, text in words.metrics(report.metrics):
        grid.add_row(Text(words.plain(label)), Text(text))
    return Padding(grid, (1, 0, 0, 2))


def _table(table: DataTable) -> RenderableType:
    shown = Table(
        box=None,
        padding=(0, 2, 0, 0),
        header_style="dim",
        pad_edge=False,
    )
    rows = table.rows[:MOST_ROWS]
    columns = list(zip(*rows, strict=True)) or [() for _ in table.columns]
    for heading, values in zip(table.columns, columns, strict=True):
        numeric = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        shown.add_column(Text(words.plain(heading)), justify="right" if numeric else "left", overflow="ellipsis")
    cells = [words.column_cells(name, values, width=48) for name, values in zip(table.columns, columns, strict=True)]
    for row in zip(*cells, strict=True):
        shown.add_row(*(Text(text) for text in row))
    more = len(table.rows) - len(rows)
    rest = [Text(f"and {more:,} more", style="dim")] if more else []
    return Padding(Group(Text(words.plain(table.title), style="bold"), shown, *rest), (1, 0, 0, 2))


def _figure(figure: Figure, drawn: list[Strip]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    named, valued = any(strip.name for strip in drawn), any(strip.value for strip in drawn)
    for strip in drawn:
        name, value = [Text(strip.name)] * named, [Text(strip.value, justify="right")] * valued
        grid.add_row(*name, *value, Text(strip.picture, style="blue", no_wrap=True, overflow="ellipsis"))
    return Padding(Group(Text(words.plain(figure.title), style="bold"), grid), (1, 0, 0, 2))
