"""What a figure's columns hold, read once for every way of drawing it: numbers, dates or categories."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from shiplap.adapters.figures.words import cell, clip, is_share, plain
from shiplap.core.report import Band, Cell, Figure, Stroke

__all__ = ["MOST_CATEGORIES", "MOST_PANELS", "Axis", "Bounds", "Sketch", "panels", "read_axis", "sketch"]

MOST_CATEGORIES = 30
MOST_PANELS = 12
FARTHEST = 1e300
Place = tuple[float, str]
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?$")


@dataclass(frozen=True)
class Axis:
    """One column of a figure.

    Parameters
    ----------
    kind : {"number", "date", "category"}
        What it holds.
    title : str
        What to call it, units included.
    values : list of float
        Positions: numbers as they are, dates in milliseconds since 1970, categories as 0, 1, ...; NaN is missing.
    texts : list of str
        Each value as people read it.
    share : bool
        Numbers from 0 to 1 that read as percentages.
    log : bool
        Drawn on a logarithmic scale; its values are positive or NaN.
    """

    kind: Literal["number", "date", "category"]
    title: str
    values: list[float]
    texts: list[str]
    share: bool = False
    log: bool = False

    def span(self) -> tuple[float, float]:
        """Return the least and the greatest value; ``(0, 1)`` when there is none, ``(1, 10)`` on a log scale."""
        known = [value for value in self.values if math.isfinite(value)]
        return (min(known), max(known)) if known else ((1.0, 10.0) if self.log else (0.0, 1.0))


@dataclass(frozen=True)
class Bounds:
    """An interval around one series.

    Parameters
    ----------
    series : int
        Which one.
    low, high : Axis
        Its ends.
    title : str
        What interval it is, where that was said.
    """

    series: int
    low: Axis
    high: Axis
    title: str = ""

    @property
    def texts(self) -> list[str]:
        """Each interval as people read it."""
        return [f"{low} to {high}" for low, high in zip(self.low.texts, self.high.texts, strict=True)]


@dataclass(frozen=True)
class Sketch:
    """A figure whose columns were read.

    Parameters
    ----------
    figure : Figure
        What it was read from.
    x : Axis
        The horizontal axis; for bars and intervals of categories it is drawn downwards.
    series : tuple of Axis
        What is drawn against it.
    strokes : tuple of str
        How each series is drawn, where it is a line.
    bounds : tuple of Bounds
        Intervals, widest first.
    edges : tuple of Axis or None
        Where the bins of a histogram begin and end.
    marks, levels : tuple of (float, str)
        Lines across and up, with their labels.
    spans : tuple of (float, float, str)
        Shaded stretches of the horizontal axis.
    omitted : int
        Categories beyond the first `MOST_CATEGORIES`, which are not drawn.
    panel : str
        Which of the small multiples this is; empty where it stands alone.
    """

    figure: Figure
    x: Axis
    series: tuple[Axis, ...]
    strokes: tuple[Stroke, ...] = ()
    bounds: tuple[Bounds, ...] = ()
    edges: tuple[Axis, Axis] | None = None
    marks: tuple[Place, ...] = ()
    levels: tuple[Place, ...] = ()
    spans: tuple[tuple[float, float, str], ...] = ()
    omitted: int = 0
    panel: str = ""

    @property
    def value_title(self) -> str:
        """What the axis of the values is called; empty where a legend says it."""
        alone = self.series and (len(self.series) == 1 or self.is_grid)
        return plain(self.figure.y_label) or (self.series[0].title if alone else "")

    @property
    def lies_down(self) -> bool:
        """Whether categories run downwards, so that their names can be read."""
        return self.figure.kind in {"bar", "interval", "histogram"} and self.x.kind == "category"

    @property
    def is_grid(self) -> bool:
        """Whether it is made of colored cells."""
        return self.figure.kind in {"heatmap", "density"}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        shown = self.series[1:] if self.is_grid else self.series
        return not any(math.isfinite(value) for axis in shown for value in axis.values)


def sketch(figure: Figure) -> Sketch:
    """Read the columns of a figure.

    Parameters
    ----------
    figure : Figure
        The picture as data; a key that `data` does not hold is left out.

    Examples
    --------
    >>> drawn = sketch(Figure(name="f", title="", kind="bar", data={"c": ["a", "b"], "n": [1, 2]}, x="c", y=("n",)))
    >>> drawn.x.kind, drawn.series[0].values, drawn.lies_down
    ('category', [1.0, 2.0], True)
    """
    scales = "" if figure.kind in {"heatmap", "density"} else figure.log  # cells are as wide as others
    x = read_axis(figure, figure.x, log="x" in scales)
    most = len(x.values)
    if x.kind == "category" and figure.kind in {"bar", "interval", "histogram"}:
        most = MOST_CATEGORIES
        x = _first(x, most)

    def read(key: str, *, log: bool = "y" in scales) -> Axis:
        return _first(read_axis(figure, key, log=log), most)

    keys = [key for key in figure.y if key in figure.data]
    given = [Band(of=keys[0], low=figure.low, high=figure.high)] if keys else []
    bins = figure.kind == "histogram"
    bands = [band for band in (*([] if bins else given), *figure.bands) if _is_whole(band, figure, keys)]
    edged = bins and figure.low in figure.data and figure.high in figure.data
    return Sketch(
        figure,
        x,
        series=tuple(read(key) for key in keys),
        strokes=tuple(figure.strokes.get(key, "solid") for key in keys),
        bounds=tuple(
            Bounds(keys.index(band.of), read(band.low), read(band.high), plain(figure.labels.get(band.low, "")))
            for band in bands
        ),
        edges=(read(figure.low, log=x.log), read(figure.high, log=x.log)) if edged else None,
        marks=tuple((at, text) for place, text in figure.marks if _is_shown(at := _place(place), x.log)),
        levels=tuple((at, text) for at, text in figure.levels if _is_shown(at, "y" in scales)),
        spans=tuple(
            (start, end, text)
            for left, right, text in figure.spans
            if _is_shown(start := _place(left), x.log) and _is_shown(end := _place(right), x.log)
        ),
        omitted=max(0, len(figure.data.get(figure.x, [])) - most),
    )


def panels(figure: Figure) -> list[Sketch]:
    """Read a figure as its small multiples, in the order in which they come first; as one where it has no `facet`.

    Examples
    --------
    >>> columns = {"t": [1, 2, 1, 2], "v": [3, 4, 5, 6], "who": ["a", "a", "b", "b"]}
    >>> figure = Figure(name="f", title="", kind="line", data=columns, x="t", y=("v",), facet="who")
    >>> [(drawn.panel, drawn.series[0].values) for drawn in panels(figure)]
    [('a', [3.0, 4.0]), ('b', [5.0, 6.0])]
    """
    if not figure.data.get(figure.facet):
        return [sketch(figure)]
    names = [cell(value, width=200) for value in figure.data[figure.facet]]
    found = []
    for name in list(dict.fromkeys(names))[:MOST_PANELS]:
        data = {
            key: [value for value, panel in zip(values, names, strict=False) if panel == name]
            for key, values in figure.data.items()
        }
        drawn = sketch(msgspec.structs.replace(figure, data=data, facet=""))
        found.append(dataclasses.replace(drawn, panel=name))
    return found


def read_axis(figure: Figure, key: str, *, log: bool = False) -> Axis:
    """Read one column of a figure; an unknown key gives an empty axis, `log` leaves out what is not positive."""
    values = figure.data.get(key, [])
    title = plain(figure.labels.get(key, key.replace("_", " ")))
    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present):
        if present and all(isinstance(value, str) and _DATE.match(value) for value in present):
            return Axis("date", title, [_moment(value) for value in values], [cell(value) for value in values])
        names = [cell(value, width=200) for value in values]
        return Axis("category", title, [float(position) for position in range(len(values))], names)
    if present and all(isinstance(value, bool) for value in present):
        return Axis("category", title, [float(position) for position in range(len(values))], [*map(cell, values)])
    numbers = [_number(value) for value in values]
    whole = figure.kind == "histogram" and len(numbers) > 1 and math.isclose(math.fsum(numbers), 1.0, abs_tol=1e-6)
    share = (whole and key in figure.y) or is_share(title if "%" in title else f"{title} {key}", values)
    shown = [value if not log or value > 1 / FARTHEST else math.nan for value in numbers]
    return Axis("number", title, shown, [_text(value, share, title) for value in values], share, log)


def _text(value: Cell, share: bool, title: str) -> str:
    if "year" in title.lower() and isinstance(value, int | float) and value == round(value):
        return str(round(value))
    return clip(cell(value, share=share), 40)


def _number(value: Cell) -> float:
    """Return a number as a place on an axis; what lies beyond every axis has none."""
    try:
        number = math.nan if value is None else float(value)
    except OverflowError:
        return math.nan
    return number if abs(number) < FARTHEST else math.nan


def _place(value: float | str) -> float:
    if isinstance(value, str):
        return _moment(value) if _DATE.match(value) else math.nan
    return _number(value)


def _is_shown(place: float, log: bool) -> bool:
    return math.isfinite(place) and (place > 1 / FARTHEST or not log)


def _is_whole(band: Band, figure: Figure, keys: list[str]) -> bool:
    return band.of in keys and band.low in figure.data and band.high in figure.data


def _moment(value: Cell) -> float:
    if not isinstance(value, str):
        return math.nan
    text = f"{value}-01" if len(value) == len("2013-01") else value
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000


def _first(axis: Axis, most: int) -> Axis:
    values: Sequence[float] = axis.values[:most]
    return Axis(axis.kind, axis.title, list(values), axis.texts[:most], axis.share, axis.log)
