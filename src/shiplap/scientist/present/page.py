"""`present`: the run as one page."""

from __future__ import annotations

from pathlib import Path

from shiplap.adapters.figures import words
from shiplap.adapters.figures.embed import templates
from shiplap.core.atomic import replacing
from shiplap.core.report import Report
from shiplap.scientist.present.facts import Facts
from shiplap.scientist.present.sections import sections
from shiplap.scientist.present.story import headline, question, sentences, verdict

__all__ = ["present"]


def present(report: Report, *, path: str | Path) -> Path:
    """Write one self-contained page about a run: verdict first, proof below, engineering where it is looked for.

    Parameters
    ----------
    report : Report
        Of ``run``, with the reports of `explore`, `assess`, `train`, `pack` and `bench` as parts; any may be absent.
    path : path
        The page; it is there whole or not at all.

    Returns
    -------
    Path
        Where it stands.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> page = present(Report(verb="run", title="late", verdict="go"), path=Path(tempfile.mkdtemp()) / "late.html")
    >>> page.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    path = Path(path)
    facts = Facts(report)
    shown = sections(facts)
    tone, word, meaning = verdict(facts)
    page = (
        templates(__package__)
        .get_template("run.html")
        .render(
            title=f"{facts.name}: {word}",
            where=words.plain(facts.name),
            facts=facts,
            question=question(facts),
            tone=tone,
            verdict=word,
            meaning=meaning,
            headline=headline(facts),
            sentences=sentences(facts),
            sections=shown,
            drawn=any(section.pictures or any(d.pictures for d in section.details) for section in shown),
        )
    )
    with replacing(path) as part:
        part.write_text(page, encoding="utf-8")
    return path
