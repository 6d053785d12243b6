"""The manner of every picture, whoever draws it: dashes, markers, legends, where labels of marks stand.

Series are told apart by more than color, so that a picture can be printed in gray: lines by their dashes, points by
their shape.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shiplap.adapters.figures.sketch import MOST_PANELS, Sketch
from shiplap.adapters.figures.words import plain
from shiplap.core.report import Figure

__all__ = ["DASHES", "EXPECTED", "MARKERS", "MOST_MARKERS", "Entry", "Tag", "dashes", "legend", "notes", "tags"]

Shape = Literal["circle", "square", "triangle", "diamond", "inverted_triangle", "plus"]
Dashes = tuple[int, ...]

DASHES: tuple[Dashes, ...] = ((), (14, 4, 3, 4), (3, 4), (22, 4), (14, 4, 3, 4, 3, 4), (6, 3))
EXPECTED: Dashes = (8, 6)
MARKERS: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond", "inverted_triangle", "plus")
MOST_MARKERS = 40


@dataclass(frozen=True)
class Entry:
    """A line of a legend.

    Parameters
    ----------
    series : int
        Whose color and shape it shows.
    look : str
        ``bar``, ``fill``, ``line``, ``points`` or ``band``.
    title : str
        What it is.
    dashes : tuple of int
        Of a line, in pixels; empty for a solid one.
    """

    series: int
    look: Literal["bar", "fill", "line", "points", "band"]
    title: str
    dashes: Dashes = ()


@dataclass(frozen=True)
class Tag:
    """The label of a mark.

    Parameters
    ----------
    place : float
        Where on the axis.
    lines : tuple of str
        Its text, wrapped.
    leftward : bool
        It stands to the left of its mark.
    above : int
        How many lines of other labels stand above it.
    """

    place: float
    lines: tuple[str, ...]
    leftward: bool
    above: int


def dashes(drawn: Sketch, number: int) -> Dashes:
    """Return how the line of a series is dashed: as it was asked for, else each series in its own manner.

    Examples
    --------
    >>> from shiplap.adapters.figures.sketch import sketch
    >>> from shiplap.core.report import Figure
    >>> data = {"x": [1, 2], "seen": [1, 2], "told": [2, 3]}
    >>> strokes = {"told": "dashed"}
    >>> drawn = sketch(Figure(name="f", title="", kind="line", data=data, x="x", y=("seen", "told"), strokes=strokes))
    >>> dashes(drawn, 0), dashes(drawn, 1)
    ((), (8, 6))
    """
    strokes = drawn.strokes[:number]
    if drawn.strokes[number] == "dashed":
        return EXPECTED
    return DASHES[sum(stroke in {"solid", "step"} for stroke in strokes) % len(DASHES)]


def legend(drawn: Sketch) -> list[Entry]:
    """Return what a legend has to say: the series where they are several, and what each named band is."""
    if drawn.is_grid:
        return []
    kind = drawn.figure.kind
    lines = kind == "line"
    area: Literal["bar", "fill"] = "bar" if kind == "bar" else "fill"
    entries = []
    for number, axis in enumerate(drawn.series):
        bands = [bounds for bounds in drawn.bounds if bounds.series == number and bounds.title]
        if len(drawn.series) > 1:
            points = kind in {"scatter", "interval"} or drawn.strokes[number] == "points"
            dashed = dashes(drawn, number) if lines and not points else ()
            entries.append(Entry(number, "points" if points else "line" if lines else area, axis.title, dashed))
        spread: Literal["band", "line"] = "band" if lines and drawn.strokes[number] != "points" else "line"
        entries += [Entry(number, spread, bounds.title) for bounds in bands]
    return list({entry.title: entry for entry in reversed(entries)}.values())[::-1]


def notes(figure: Figure, drawn: Sequence[Sketch]) -> list[str]:
    """Return what stands below a figure: its note, and what is not drawn.

    Examples
    --------
    >>> figure = Figure(name="f", title="", kind="line", data={}, x="x", y=(), note="A sample of the rows")
    >>> notes(figure, [])
    ['A sample of the rows']
    """
    omitted = sum(one.omitted for one in drawn)
    said = [plain(figure.note)] if figure.note else []
    said += [f"{omitted:,} more are not drawn"] if omitted else []
    panels = len(set(map(str, figure.data.get(figure.facet, []))))
    return said + ([f"the first {MOST_PANELS} of {panels:,} are drawn"] if panels > MOST_PANELS else [])


def tags(marks: Sequence[tuple[float, str]], span: tuple[float, float], *, width: int = 22) -> list[Tag]:
    """Place the labels of marks: one below the other, each on the side where there is room.

    Examples
    --------
    >>> [tag.leftward for tag in tags([(0.1, "chosen"), (0.9, "break-even")], (0.0, 1.0))]
    [False, True]
    """
    found: list[Tag] = []
    for place, text in marks:
        lines = tuple(textwrap.wrap(text, width, max_lines=3, placeholder="…")) or ("",)
        found.append(Tag(place, lines, _leftward(place, marks, span), sum(len(tag.lines) for tag in found)))
    return found


def _leftward(place: float, marks: Sequence[tuple[float, str]], span: tuple[float, float]) -> bool:
    """Tell whether a label reads better to the left: near the right edge, or before a close neighbor."""
    start, room = span[0], (span[1] - span[0]) or 1.0
    across = (place - start) / room
    crossed = any(0 < (other - place) / room < 0.3 for other, _ in marks)
    return across > 0.6 or (crossed and across > 0.25)
