"""Any report as one page that needs nothing but itself; findings first, then figures, then tables."""

from __future__ import annotations

from dataclasses import dataclass

from shiplap.adapters.figures import words
from shiplap.adapters.figures.embed import Grid, Picture, grid, picture, templates
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Report
from shiplap.core.run import Run

__all__ = ["lineage_grid", "render", "tone"]

MOST_FIGURES = 60
FEW_ENTRIES = 5


@dataclass(frozen=True)
class _Part:
    verb: str
    title: str
    verdict: str
    tone: str
    findings: tuple[Finding, ...]
    metrics: list[tuple[str, str]]
    pictures: list[Picture]
    tables: list[Grid]
    parts: list[_Part]
    place: str
    note: str

    @property
    def is_long(self) -> bool:
        """Whether a reader wants a table of contents."""
        return len(self.pictures) + len(self.tables) > FEW_ENTRIES or any(part.is_long for part in self.parts)


def render(report: Report, *, bare: bool = False) -> str:
    """Render a report as one self-contained page: no request is ever made, and data is never markup.

    Parameters
    ----------
    report : Report
        Of any verb; reports of its steps become sections.
    bare : bool
        Show the figures alone, without the heading of the page.

    Returns
    -------
    str
        A complete HTML document.

    Examples
    --------
    >>> page = render(Report(verb="assess", title="Is <b> worth it?", verdict="go"))
    >>> page.startswith("<!doctype html>"), "Is &lt;b&gt; worth it?" in page
    (True, True)
    """
    part = _part(report, "f")
    drawn = any(shown.pictures for shown in (part, *part.parts))
    template = templates("shiplap.adapters.figures").get_template("bare.html" if bare else "report.html")
    return template.render(
        title=words.plain(report.title),
        where=report.verb,
        report=part,
        lineage=lineage_grid(report.run) if report.run else None,
        drawn=drawn,
    )


def tone(report: Report) -> str:
    """Return the color role of a report's verdict: ``good``, ``warn``, ``fail`` or ``note``.

    Examples
    --------
    >>> tone(Report(verb="assess", title="", verdict="collect more")), tone(Report(verb="explore", title=""))
    ('warn', 'note')
    """
    if report.verdict in {"collect more", "leaks"}:
        return "warn"
    if not report.holds or report.verdict in {"no-go", "broken"}:
        return "fail"
    return "good" if report.verdict in {"go", "holds", "exact", "within tolerance"} else "note"


def lineage_grid(run: Run) -> Grid:
    """Return what ran, on what and with what, as a table."""
    rows = [("run", run.id), ("started", run.started), ("git commit", run.commit or "outside a repository")]
    rows += [(f"input: {name}", digest) for name, digest in run.inputs.items()]
    rows += [(f"output: {name}", digest) for name, digest in run.outputs.items()]
    rows += [("seed", str(run.seed)), ("wall time", f"{words.number(round(run.seconds, 1))} s")]
    rows += list(run.environment.items())
    known = tuple((name, value) for name, value in rows if value)
    return grid(DataTable(name="lineage", title="Lineage", columns=("", "value"), rows=known), width=90)


def _part(report: Report, place: str) -> _Part:
    figures = enumerate(report.figures[:MOST_FIGURES])
    left = len(report.figures) - MOST_FIGURES
    pictures = [shown for number, figure in figures if (shown := picture(figure, f"{place}{number}"))]
    return _Part(
        verb=report.verb,
        title=words.plain(report.title),
        verdict=report.verdict,
        tone=tone(report),
        findings=report.findings,
        metrics=words.metrics(report.metrics),
        pictures=pictures,
        tables=[grid(table) for table in report.tables],
        place=place,
        note=f"{left:,} more figures are in the record of the report." if left > 0 else "",
        parts=[_part(inner, f"{place}-{number}-") for number, inner in enumerate(report.parts)],
    )
