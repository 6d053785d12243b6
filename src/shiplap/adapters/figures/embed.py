"""Pages that carry everything they need: style, drawings and the library that draws them. Nothing is fetched.

A page states so to the browser: its content security policy forbids every request and every script but its own,
which are named by their digests. What comes from data reaches the page as escaped text or as inert JSON.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jinja2
from bokeh.core.types import ID
from bokeh.embed import json_item
from bokeh.resources import INLINE
from markupsafe import Markup

from shiplap.adapters.figures import words
from shiplap.adapters.figures.bokeh import draw
from shiplap.adapters.figures.manner import Entry, legend, notes
from shiplap.adapters.figures.palette import as_css, pairs
from shiplap.adapters.figures.sketch import panels
from shiplap.core.report import DataTable, Figure

__all__ = ["Grid", "Panel", "Picture", "grid", "picture", "templates"]

MOST_NUMBERS = 60
TALL = 420


@dataclass(frozen=True)
class Grid:
    """A table ready to be shown.

    Parameters
    ----------
    title : str
        What it shows.
    head : list of (str, bool)
        Headings, and whether the column holds numbers.
    rows : list of list of str
        Cells as text.
    """

    title: str
    head: list[tuple[str, bool]]
    rows: list[list[str]]


@dataclass(frozen=True)
class Panel:
    """One drawing: a whole figure, or one of its small multiples.

    Parameters
    ----------
    id : str
        Identifier of its place on the page.
    title : str
        Which of the small multiples it is; empty for a whole figure.
    height : int
        Pixels.
    item : Markup
        The drawing as JSON that is safe inside a ``script`` element.
    """

    id: str
    title: str
    height: int
    item: Markup


@dataclass(frozen=True)
class Picture:
    """A figure ready to be shown.

    Parameters
    ----------
    id : str
        Identifier of its place on the page.
    title : str
        What a reader should see in it.
    axis, across : str
        What runs upwards and what runs to the right, units included; empty where the legend or the title says it.
    legend : list of Entry
        The series where they are several, and what the bands are.
    notes : list of str
        What a reader must know to read it right, and what is not drawn.
    panels : list of Panel
        The drawings; one, unless it consists of small multiples.
    numbers : Grid or None
        The figure's numbers, where there are few enough to read.
    """

    id: str
    title: str
    axis: str
    across: str
    legend: list[Entry]
    notes: list[str]
    panels: list[Panel]
    numbers: Grid | None

    @property
    def is_tall(self) -> bool:
        """Whether it needs the room of two figures."""
        return len(self.panels) == 1 and self.panels[0].height > TALL


def picture(figure: Figure, place: str) -> Picture | None:
    """Draw a figure for a page.

    Parameters
    ----------
    figure : Figure
        The picture as data.
    place : str
        Identifier of its place, unique on the page.

    Returns
    -------
    Picture or None
        None where there is nothing to draw.

    Examples
    --------
    >>> shown = picture(Figure(name="f", title="F", kind="bar", data={"c": ["a"], "n": [1]}, x="c", y=("n",)), "p1")
    >>> shown.title, shown.numbers.rows
    ('F', [['a', '1']])
    """
    read = [drawn for drawn in panels(figure) if not drawn.is_empty]
    if not read:
        return None
    plots = [draw(drawn, read) for drawn in read]
    axis, across = ("", "")
    for plot in plots:
        across, axis = (str(shown.axis_label or "") for shown in (plot.xaxis[0], plot.yaxis[0]))
        plot.xaxis.axis_label = plot.yaxis.axis_label = None
    ids = [place if len(read) == 1 else f"{place}-{number}" for number in range(len(read))]
    return Picture(
        id=place,
        title=words.plain(figure.title),
        axis=axis,
        across=across,
        legend=legend(read[0]),
        notes=notes(figure, read),
        panels=[
            Panel(spot, drawn.panel, plot.height, _inert(json_item(plot, ID(spot))))
            for spot, drawn, plot in zip(ids, read, plots, strict=True)
        ],
        numbers=_numbers(figure),
    )


def grid(table: DataTable, *, most: int = 200, width: int = 80) -> Grid:
    """Make a table ready to be shown: at most `most` rows, cells cut to `width` characters.

    Examples
    --------
    >>> grid(DataTable(name="t", title="T", columns=("name", "share"), rows=(("a", 0.5),))).rows
    [['a', '50%']]
    """
    columns = list(zip(*table.rows[:most], strict=True)) or [() for _ in table.columns]
    cells = [words.column_cells(name, values, width=width) for name, values in zip(table.columns, columns, strict=True)]
    numeric = [_is_numeric(values) for values in columns]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return Grid(words.plain(table.title), list(zip(map(words.plain, table.columns), numeric, strict=True)), rows)


@functools.cache
def templates(package: str) -> jinja2.Environment:
    """Return the templates of a package and the shared ones, with everything escaped unless it is told otherwise.

    Parameters
    ----------
    package : str
        Dotted name of a package with a folder ``templates``.
    """
    loaders = [jinja2.PackageLoader(name) for name in dict.fromkeys((package, "shiplap.adapters.figures"))]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        others=words.others, sentence=words.sentence, style=_style, script=_script, policy=_policy, library=_library
    )
    return environment


def _numbers(figure: Figure) -> Grid | None:
    ends = [end for band in figure.bands for end in (band.low, band.high)]
    named = (figure.facet, figure.x, *figure.y, figure.low, figure.high, *ends)
    keys = [key for key in dict.fromkeys(named) if key in figure.data]
    rows = tuple(zip(*(figure.data[key] for key in keys), strict=False))
    if not rows or len(rows) > MOST_NUMBERS:
        return None
    headings = tuple(figure.labels.get(key, key.replace("_", " ")) for key in keys)
    return grid(DataTable(name=figure.name, title=figure.title, columns=headings, rows=rows))


def _is_numeric(values: Iterable[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def _inert(item: Any) -> Markup:
    text = json.dumps(item, separators=(",", ":"), default=str)
    for char, escape in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(char, escape)
    return Markup(text)  # noqa: S704


@functools.cache
def _style() -> Markup:
    return Markup(as_css() + "\n" + _read("page.css"))  # noqa: S704


@functools.cache
def _script(name: str) -> Markup:
    return Markup(_read(name).replace("__PALETTE__", json.dumps(pairs())))  # noqa: S704


@functools.cache
def _library() -> Markup:
    """Return BokehJS alone, without widgets and tables, packed: a third of its size, and nothing to parse at once."""
    return Markup(base64.b64encode(gzip.compress(_bokeh().encode(), mtime=0)).decode())  # noqa: S704


@functools.cache
def _bokeh() -> str:
    return str(INLINE.clone(components=["bokeh"]).js_raw[0])


def _read(name: str) -> str:
    loader = jinja2.PackageLoader("shiplap.adapters.figures")
    source, _, _ = loader.get_source(jinja2.Environment(autoescape=True), name)
    return source


@functools.cache
def _policy(*, drawn: bool) -> str:
    """Return the content security policy: no request at all, no script but the page's own."""
    scripts = [_script("theme.js"), *([_bokeh(), _script("draw.js")] if drawn else [])]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
