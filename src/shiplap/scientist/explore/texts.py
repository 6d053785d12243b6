"""How long texts are, in which scripts they are written, and which are nearly the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.near_texts import near_texts
from shiplap.methods.part import Part
from shiplap.scientist.explore.profile.figures import round_edges
from shiplap.scientist.explore.profile.records import ColumnProfile
from shiplap.scientist.explore.profile.scripts import has_look_alikes, script_of
from shiplap.scientist.explore.view import View

__all__ = ["look_at_texts"]

_CHARACTERS = 4_000_000
"""Characters that are looked at in all columns together: about a second."""
_FREE_WORDS = 5
_SHARE = 0.005
_ALIKE = 0.8
_MANY = 0.01
_DRAWN = 2
_SHOWN = 60


@dataclass(frozen=True, eq=False)
class _Texts:
    """A column of texts: what it holds over all rows, and the texts of some rows, with their lengths in words."""

    column: ColumnProfile
    shown: list[str]
    words: list[int]

    @property
    def is_free(self) -> bool:
        """Whether people wrote sentences here, rather than chose a value."""
        return not self.column.complete and float(np.median(self.words)) >= _FREE_WORDS


def look_at_texts(view: View) -> Part:
    """Measure the texts of the sample; shortest and longest are those of all rows."""
    columns = [column for column in view.profile.columns if column.lengths is not None]
    looked = [texts for column in columns if (texts := _texts(column, view.sample[column.name], len(columns)))]
    free = [texts for texts in looked if texts.is_free]
    findings = [finding for texts in looked for finding in (*_scripts(texts), *_look_alikes(texts))]
    findings += [finding for texts in free for finding in _near(texts)]
    return Part(
        findings=tuple(findings),
        tables=(_table(looked),) if looked else (),
        figures=tuple(_lengths(texts) for texts in free[:_DRAWN]),
    )


def _texts(column: ColumnProfile, sample: pd.Series, n_columns: int) -> _Texts | None:
    """Take evenly so many texts of the sample that their characters stay within the limit."""
    known = sample.dropna().astype(str)
    if not len(known):
        return None
    share = min(1.0, _CHARACTERS / n_columns / max(1, int(known.str.len().sum())))
    places = np.linspace(0, len(known) - 1, max(1, int(share * len(known)))).astype(np.int64)
    shown = known.iloc[places].tolist()
    return _Texts(column, shown, [len(text.split()) for text in shown])


def _table(looked: list[_Texts]) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    for texts in looked:
        lengths = texts.column.lengths
        if lengths is None:
            continue
        characters = float(np.median([len(text) for text in texts.shown]))
        named = ", ".join(f"{script} {share:.3g} %" for script, share in _shares(texts).items())
        words = (min(texts.words), float(np.median(texts.words)), max(texts.words))
        rows.append((texts.column.name, lengths.shortest, characters, lengths.longest, *words, named or None))
    headings = (
        "column",
        "fewest characters",
        "median",
        "most",
        "fewest words",
        "median words",
        "most words",
        "scripts",
    )
    title = "The texts (medians, words and scripts of the sample)"
    return DataTable(name="texts", title=title, columns=headings, rows=tuple(rows))


def _shares(texts: _Texts) -> dict[str, float]:
    """Return the scripts of texts that have letters, in percent, most texts first."""
    counts = Counter(script_of(text) for text in texts.shown)
    del counts[""]
    return {script: 100.0 * rows / counts.total() for script, rows in sorted(counts.items(), key=lambda c: -c[1])}


def _scripts(texts: _Texts) -> Iterator[Finding]:
    shares = {script: share for script, share in _shares(texts).items() if share >= 100 * _SHARE}
    if len(shares) > 1:
        told = ", ".join(f"{script} ({share:.1f} %)" for script, share in shares.items())
        yield Finding(
            check="column.scripts",
            verdict="note",
            means=f"'{texts.column.name}' is written in several scripts: {told} of {len(texts.shown):,} texts "
            "looked at",
            todo="look at results for each of them: words of one tell a model nothing of the others",
            columns=(texts.column.name,),
            value=len(shares),
        )


def _look_alikes(texts: _Texts) -> Iterator[Finding]:
    found = [text for text in texts.shown if has_look_alikes(text)]
    if found:
        yield Finding(
            check="column.look_alikes",
            verdict="warn",
            means=f"'{texts.column.name}' mixes letters of two scripts that look alike in one word, in "
            f"{len(found):,} of {len(texts.shown):,} texts looked at: {_shortened(found[0])}",
            todo="make them letters of one script: texts that look the same count as different",
            columns=(texts.column.name,),
            value=len(found),
        )


def _near(texts: _Texts) -> Iterator[Finding]:
    """Count the texts that resemble another one; equal ones count as one, they are no near ones."""
    folded = list(dict.fromkeys(" ".join(text.casefold().split()) for text in texts.shown))
    found = near_texts(folded, least=_ALIKE)
    if not len(found.pairs):
        return
    alike = len(np.unique(found.pairs))
    first, second = (folded[place] for place in found.pairs[int(np.argmin(found.resemblance))])
    yield Finding(
        check="column.near_texts",
        verdict="warn" if alike > _MANY * len(folded) else "note",
        means=f"'{texts.column.name}' has {alike:,} texts among {len(folded):,} different ones looked at that are "
        f"nearly another one, such as {_shortened(first)} and {_shortened(second)}",
        todo="keep near copies on one side of a split, or one of each: to learn from a copy of what judges flatters",
        columns=(texts.column.name,),
        value=alike,
        limit=_ALIKE,
    )


def _lengths(texts: _Texts) -> Figure:
    lengths = np.array([len(text) for text in texts.shown])
    top = max(1.0, float(np.quantile(lengths, 0.99)))
    edges = round_edges(float(lengths.min()), top, whole=True)
    rows, _ = np.histogram(lengths, edges)
    beyond = int((lengths > edges[-1]).sum())
    return Figure(
        name=f"lengths.{texts.column.name}",
        title=f"How long the texts of '{texts.column.name}' are: half at most {np.median(lengths):,.0f} characters",
        kind="histogram",
        data={
            "length": ((edges[1:] + edges[:-1]) / 2).tolist(),
            "low": edges[:-1].tolist(),
            "high": edges[1:].tolist(),
            "rows": rows.tolist(),
        },
        x="length",
        y=("rows",),
        low="low",
        high="high",
        labels={"length": "characters", "rows": "texts"},
        note=f"{len(lengths):,} texts of the sample" + (f", {beyond:,} longer ones left out" if beyond else ""),
    )


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")
