"""What a figure's columns hold, read once for every way of drawing it: numbers, dates or categories."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from shiplap.adapters.figures.words import cell, clip, is_share, plain
from shiplap.core.report import Cell, Figure

__all__ = ["MOST_CATEGORIES", "Axis", "Sketch", "read_axis", "sketch"]

MOST_CATEGORIES = 30
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
    """

    kind: Literal["number", "date", "category"]
    title: str
    values: list[float]
    texts: list[str]
    share: bool = False

    def span(self) -> tuple[float, float]:
        """Return the least and the greatest value; ``(0, 1)`` when there is none."""
        known = [value for value in self.values if math.isfinite(value)]
        return (min(known), max(known)) if known else (0.0, 1.0)


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
    low, high : Axis or None
        Bounds of the first series.
    omitted : int
        Categories beyond the first `MOST_CATEGORIES`, which are not drawn.
    """

    figure: Figure
    x: Axis
    series: tuple[Axis, ...]
    low: Axis | None = None
    high: Axis | None = None
    omitted: int = 0

    @property
    def lies_down(self) -> bool:
        """Whether categories run downwards, so that their names can be read."""
        return self.figure.kind in {"bar", "interval", "histogram"} and self.x.kind == "category"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(math.isfinite(value) for axis in self.series for value in axis.values)


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
    data = figure.data
    x = read_axis(figure, figure.x)
    most = len(x.values)
    if x.kind == "category" and figure.kind in {"bar", "interval", "histogram"}:
        most = MOST_CATEGORIES
        x = _first(x, most)
    series = tuple(_first(read_axis(figure, key), most) for key in figure.y if key in data)
    low, high = (_first(read_axis(figure, key), most) if key in data else None for key in (figure.low, figure.high))
    return Sketch(figure, x, series, low, high, max(0, len(data.get(figure.x, [])) - most))


def read_axis(figure: Figure, key: str) -> Axis:
    """Read one column of a figure; an unknown key gives an empty axis."""
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
    numbers = [math.nan if value is None else float(value) for value in values]
    whole = figure.kind == "histogram" and len(numbers) > 1 and math.isclose(math.fsum(numbers), 1.0, abs_tol=1e-6)
    share = (whole and key in figure.y) or is_share(title if "%" in title else f"{title} {key}", values)
    return Axis("number", title, numbers, [_text(value, share, title) for value in values], share)


def _text(value: Cell, share: bool, title: str) -> str:
    if "year" in title.lower() and isinstance(value, int | float) and value == round(value):
        return str(round(value))
    return clip(cell(value, share=share), 40)


def _moment(value: Cell) -> float:
    if not isinstance(value, str):
        return math.nan
    text = f"{value}-01" if len(value) == len("2013-01") else value
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000


def _first(axis: Axis, most: int) -> Axis:
    values: Sequence[float] = axis.values[:most]
    return Axis(axis.kind, axis.title, list(values), axis.texts[:most], axis.share)
