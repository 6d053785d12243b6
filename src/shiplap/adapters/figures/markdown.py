"""A report as Markdown (CommonMark with tables), for a pull request, a wiki or a model card."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shiplap.adapters.figures import words
from shiplap.adapters.figures.strips import strips
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report

__all__ = ["escape", "render", "table_lines"]

MOST_ROWS = 50
MOST_FIGURES = 20
_GLYPHS = {"good": "✅", "note": "ℹ️", "warn": "⚠️", "fail": "❌"}
_SPECIAL = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=[#\w])|^[>#+-]")


def render(report: Report) -> str:
    """Render a report as Markdown; what comes from data is escaped.

    Parameters
    ----------
    report : Report
        Of any verb; reports of its steps follow as sections.

    Returns
    -------
    str
        Text that ends in one newline.

    Examples
    --------
    >>> print(render(Report(verb="assess", title="Is it worth it?", verdict="go", metrics={"base_rate": 0.24})))
    # Is it worth it?
    <BLANKLINE>
    **go**
    <BLANKLINE>
    | figure | value |
    | --- | --- |
    | base rate | 24% |
    """
    return "\n".join(_section(report, 1)).rstrip() + "\n"


def escape(text: str) -> str:
    """Escape a text so that Markdown shows it as it is, on one line.

    Examples
    --------
    >>> escape("<b> a|b_c")
    '\\\\<b> a\\\\|b_c'
    """
    return _SPECIAL.sub(r"\\\g<0>", words.plain(" ".join(text.split())))


def table_lines(table: DataTable, *, most: int = MOST_ROWS) -> list[str]:
    """Write a table as lines of Markdown.

    Examples
    --------
    >>> table_lines(DataTable(name="t", title="T", columns=("name", "rows"), rows=(("a", 1200),)))
    ['| name | rows |', '| --- | ---: |', '| a | 1,200 |']
    """
    rows = table.rows[:most]
    columns = list(zip(*rows, strict=True)) or [() for _ in table.columns]
    marks = ["---:" if _is_numeric(values) else "---" for values in columns]
    cells = [words.column_cells(name, values) for name, values in zip(table.columns, columns, strict=True)]
    lines = [_row(map(escape, table.columns)), _row(marks)]
    lines += [_row(map(escape, row)) for row in zip(*cells, strict=True)]
    if len(table.rows) > most:
        lines += ["", f"and {len(table.rows) - most:,} more"]
    return lines


def _section(report: Report, level: int) -> list[str]:
    lines = [f"{'#' * min(level, 6)} {escape(report.title)}", "", f"**{escape(report.verdict)}**", ""]
    lines += [_finding(finding) for finding in report.findings]
    lines += [""] if report.findings else []
    if report.metrics:
        rows = tuple(words.metrics(report.metrics))
        lines += [*table_lines(DataTable(name="metrics", title="", columns=("figure", "value"), rows=rows)), ""]
    for table in report.tables:
        lines += [f"**{escape(table.title)}**", "", *table_lines(table), ""]
    for figure in report.figures[:MOST_FIGURES]:
        lines += _figure(figure)
    for part in report.parts:
        lines += _section(part, level + 1)
    return lines


def _finding(finding: Finding) -> str:
    todo = f" *{escape(finding.todo)}*" if finding.todo else ""
    columns = "".join(
        f" `{words.plain(name).replace('`', '')}`" for name in words.others(finding.means, finding.columns)
    )
    return f"- {_GLYPHS[finding.verdict]} {escape(words.sentence(finding))}{columns}{todo}"


def _figure(figure: Figure) -> list[str]:
    """Draw a figure out of characters, as a block that keeps its columns."""
    drawn = strips(figure)
    if not drawn:
        return []
    names, values = (max(len(getattr(strip, part)) for strip in drawn) for part in ("name", "value"))
    block = [
        "  ".join(column for column in (f"{strip.name:<{names}}", f"{strip.value:>{values}}", strip.picture) if column)
        for strip in drawn
    ]
    return [f"**{escape(figure.title)}**", "", *(f"    {line}".rstrip() for line in block), ""]


def _is_numeric(values: tuple[object, ...]) -> bool:
    return any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
