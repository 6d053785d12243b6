"""Figures out of characters, a line for each bar, interval, series or row of cells: for terminals and plain text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shiplap.adapters.figures import ranges, words
from shiplap.adapters.figures.grids import Cells, cells
from shiplap.adapters.figures.sketch import Axis, Sketch, panels
from shiplap.adapters.figures.sparks import bar, spark, whisker
from shiplap.core.report import Figure

__all__ = ["Strip", "strips"]

MOST_BARS = 8
MOST_INTERVALS = 16
MOST_ROWS = 20
ACROSS, DOWN = 40, 10
SHADES = " ░▒▓█"


@dataclass(frozen=True)
class Strip:
    """One line of a picture.

    Parameters
    ----------
    name, value : str
        What it shows, and its figure; either may be empty.
    picture : str
        Characters.
    """

    name: str
    value: str
    picture: str


def strips(figure: Figure, *, width: int = 36) -> list[Strip]:
    """Draw a figure as lines of characters.

    Parameters
    ----------
    figure : Figure
        The picture as data.
    width : int
        Characters of a picture at most.

    Returns
    -------
    list of Strip
        Empty where there is nothing to draw.

    Examples
    --------
    >>> data = {"who": ["a", "b"], "share": [2.0, 4.0], "low": [1.0, 3.0], "high": [3.0, 5.0]}
    >>> figure = Figure(name="f", title="", kind="interval", data=data, x="who", y=("share",), low="low", high="high")
    >>> [(strip.name, strip.value, strip.picture) for strip in strips(figure, width=9)]
    [('a', '2', '├─●─┤'), ('b', '4', '    ├─●─┤')]
    """
    read = [drawn for drawn in panels(figure) if not drawn.is_empty]
    found: list[Strip] = []
    for drawn in read:
        if drawn.panel and (drawn.lies_down or drawn.is_grid or len(drawn.series) > 1):
            found.append(Strip(drawn.panel, "", ""))
        found += _panel(drawn, read, width)
    return found


def _panel(drawn: Sketch, among: list[Sketch], width: int) -> list[Strip]:
    if drawn.is_grid:
        return _heat(cells(drawn)) if drawn.figure.kind == "heatmap" else _dense(cells(drawn))
    if not drawn.lies_down:
        return [_series(axis, drawn.panel if len(drawn.series) == 1 else "") for axis in drawn.series[:6]]
    if drawn.figure.kind == "interval" and drawn.bounds:
        return _intervals(drawn, ranges.values(among), width)
    axis = drawn.series[0]
    widest = max(map(abs, axis.span())) or 1.0
    named = list(zip(drawn.x.texts, axis.texts, axis.values, strict=True))[:MOST_BARS]
    return [Strip(words.clip(name, 32), text, bar(value / widest)) for name, text, value in named]


def _intervals(drawn: Sketch, span: tuple[float, float], width: int) -> list[Strip]:
    axis, bounds = drawn.series[0], drawn.bounds[0]
    room = (span[1] - span[0]) or 1.0
    rows = zip(drawn.x.texts, axis.texts, bounds.low.values, axis.values, bounds.high.values, strict=True)
    return [
        Strip(words.clip(name, 32), text, whisker(*((place - span[0]) / room for place in places), width=width))
        for name, text, *places in list(rows)[:MOST_INTERVALS]
    ]


def _series(axis: Axis, panel: str) -> Strip:
    low, high = axis.span()
    placed = zip(axis.values, axis.texts, strict=True)
    ends = [text for _, text in sorted(pair for pair in placed if math.isfinite(pair[0]))]
    said = f"{ends[0]} to {ends[-1]}" if low != high and ends else ""
    return Strip("", "", f"{spark(axis.values)}  {words.clip(f'{panel or axis.title} {said}', 60)}")


def _heat(found: Cells) -> list[Strip]:
    known = {(y, x): value for x, y, value in zip(found.across, found.down, found.heat.values, strict=True)}
    lines = []
    for row, name in enumerate(found.down_names[:MOST_ROWS]):
        shades = [
            _shade(found, known.get((row, column), math.nan)) for column in range(min(ACROSS, len(found.across_names)))
        ]
        lines.append(Strip(words.clip(name, 32), "", "".join(shade * 2 for shade in shades)))
    return lines


def _dense(found: Cells) -> list[Strip]:
    """Draw the densest of the cells that share a character, highest on top."""
    columns, rows = (Axis("number", "", places, []).span() for places in (found.across, found.down))
    most: dict[tuple[int, int], float] = {}
    for x, y, value in zip(found.across, found.down, found.heat.values, strict=True):
        if math.isfinite(x) and math.isfinite(y) and math.isfinite(value):
            place = (_step(y, rows, DOWN), _step(x, columns, ACROSS))
            most[place] = max(value, most.get(place, -math.inf))
    grid = [[_shade(found, most.get((row, column), math.nan)) for column in range(ACROSS)] for row in range(DOWN)]
    return [Strip("", "", "".join(line).rstrip()) for line in reversed(grid)]


def _step(value: float, span: tuple[float, float], count: int) -> int:
    return min(count - 1, int((value - span[0]) / ((span[1] - span[0]) or 1.0) * count))


def _shade(found: Cells, value: float) -> str:
    """Return how strong a value is: the stronger, the farther it lies from the pale end or middle of the scale."""
    if not math.isfinite(value):
        return " "
    share = found.share(value)
    strength = abs(2 * share - 1) if found.parts else math.sqrt(max(0.0, share)) if found.log else share
    return SHADES[round(min(max(strength, 0.0), 1.0) * (len(SHADES) - 1))]
