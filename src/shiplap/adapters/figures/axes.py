"""What stands around a drawing: ranges, ticks, numbers on axes, labelled marks, the diagonal."""

from __future__ import annotations

import itertools
import math
import textwrap
from typing import Any

from bokeh.models import BasicTickFormatter, DatetimeTickFormatter, FixedTicker, NumeralTickFormatter
from bokeh.models.annotations import Label, Span

from shiplap.adapters.figures.palette import AXIS, INK, MARK
from shiplap.adapters.figures.sketch import Axis, Sketch, read_axis
from shiplap.adapters.figures.words import clip
from shiplap.core.report import Figure

__all__ = ["FONT", "Plot", "formatter", "gap", "heat_axes", "marks", "name_steps", "safe", "scales"]

FONT = "system-ui, sans-serif"
NAME_WIDTH = 28
MOST_NAMES = 12
MARK_WIDTH = 22
LINE = 0.065
Plot = Any


def scales(plot: Plot, drawn: Sketch) -> None:
    """Set ranges, ticks and axis titles for what was painted."""
    figure = drawn.figure
    x, (down, across) = drawn.x, (plot.yaxis[0], plot.xaxis[0])
    if figure.kind == "heatmap":
        plot.grid.grid_line_color = None
        if len(figure.y) > 1:
            across.axis_label, down.axis_label = (safe(axis.title) for axis in heat_axes(figure))
        return
    first = drawn.series[0] if drawn.series else Axis("number", "", [], [])
    value_range, value_axis = (plot.x_range, across) if drawn.lies_down else (plot.y_range, down)
    value_range.start, value_range.end = _value_span(drawn)
    value_axis.formatter = formatter(first)
    value_axis.ticker.desired_num_ticks = 4 if drawn.lies_down else 5
    if drawn.lies_down:
        plot.y_range.start, plot.y_range.end = len(x.values) - 0.4, -0.6
        plot.ygrid.grid_line_color = None
        name_steps(down, x.texts)
    else:
        plot.xgrid.grid_line_color = None
        _stretch(plot, drawn)
        if x.kind == "category":
            name_steps(across, x.texts, across=True)
        else:
            across.formatter = formatter(x)
            across.ticker.desired_num_ticks = 6
    value_axis.axis_label = safe(first.title) if len(drawn.series) == 1 else None
    if not drawn.lies_down:
        across.axis_label = safe(x.title)
    low, high = value_range.start, value_range.end
    if low < 0 < high:
        zero = Span(location=0, dimension="height" if drawn.lies_down else "width", line_color=AXIS, line_width=1)
        plot.add_layout(zero)


def _value_span(drawn: Sketch) -> tuple[float, float]:
    """Return the range of the values: from zero where bars grow from it, with room for labels at the far end."""
    axes = [*drawn.series, *(axis for axis in (drawn.low, drawn.high) if axis and drawn.figure.kind != "histogram")]
    spans = [axis.span() for axis in axes if any(math.isfinite(value) for value in axis.values)] or [(0.0, 1.0)]
    low, high = min(start for start, _ in spans), max(end for _, end in spans)
    if drawn.figure.kind in {"bar", "histogram"}:
        low, high = min(low, 0.0), max(high, 0.0)
    if drawn.lies_down:
        places = [place for place, _ in drawn.figure.marks]
        low, high = min([low, *places]), max([high, *places])
    if drawn.figure.diagonal:
        low, high = min(low, drawn.x.span()[0]), max(high, drawn.x.span()[1])
    room = (high - low) or abs(high) or 1.0
    below = 0.0 if low == 0 else room * 0.05
    above = 0.0 if high == 0 and low < 0 and not drawn.lies_down else room * (0.05 + _headroom(drawn))
    return low - below, high + above


def _headroom(drawn: Sketch) -> float:
    if drawn.lies_down and drawn.figure.kind != "interval":
        return 0.04 * max((len(text) for axis in drawn.series for text in axis.texts), default=0)
    lines = sum(len(_wrapped(text)) for _, text in drawn.figure.marks)
    return 0.0 if drawn.lies_down else LINE * lines * 1.2


def _stretch(plot: Plot, drawn: Sketch) -> None:
    low, high = drawn.x.span()
    if drawn.figure.kind == "histogram" and drawn.low and drawn.high:
        low, high = drawn.low.span()[0], drawn.high.span()[1]
    elif drawn.figure.kind in {"bar", "histogram"} or drawn.x.kind == "category":
        low, high = low - gap(drawn.x.values) / 2, high + gap(drawn.x.values) / 2
    pad = 0.0 if drawn.figure.kind == "histogram" else 0.02 * ((high - low) or 1.0)
    plot.x_range.start, plot.x_range.end = low - pad, high + pad


def marks(plot: Plot, drawn: Sketch) -> None:
    """Draw the labelled vertical lines, one label below the other, and the diagonal."""
    figure = drawn.figure
    start, end = plot.x_range.start, plot.x_range.end
    if figure.diagonal:
        low, high = max(start, plot.y_range.start), min(end, plot.y_range.end)
        plot.segment(x0=[low], y0=[low], x1=[high], y1=[high], line_color=AXIS, line_dash=[4, 4], line_width=1.5)
    if figure.kind == "heatmap":
        return
    top, room = plot.y_range.end, abs(plot.y_range.end - plot.y_range.start)
    above = 0
    for place, text in figure.marks:
        lines = _wrapped(text)
        plot.add_layout(Span(location=place, dimension="height", line_color=MARK, line_dash=[5, 3], line_width=1.5))
        leftward = _leftward(place, figure.marks, start, end)
        label = Label(
            x=place, y=top if drawn.lies_down else top - room * LINE * above, text=safe("\n".join(lines)),
            x_offset=-6 if leftward else 6, text_align="right" if leftward else "left", text_baseline="top",
            text_color=INK, text_font=FONT, text_font_size="12px",
        )  # fmt: skip
        plot.add_layout(label)
        above += len(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, MARK_WIDTH, max_lines=3, placeholder="…") or [""]


def _leftward(place: float, marks: tuple[tuple[float, str], ...], start: float, end: float) -> bool:
    """Tell whether a mark's label reads better to the left: near the right edge, or before a close neighbor."""
    across = (place - start) / ((end - start) or 1.0)
    crossed = any(0 < (other - place) / ((end - start) or 1.0) < 0.3 for other, _ in marks)
    return across > 0.6 or (crossed and across > 0.25)


def name_steps(axis: Any, names: list[str], *, across: bool = False) -> None:
    """Put names at the places 0, 1, ... of an axis, slanted and thinned out where they run across and are many."""
    every = max(1, math.ceil(len(names) / MOST_NAMES)) if across else 1
    axis.ticker = FixedTicker(ticks=list(range(0, len(names), every)))
    axis.major_label_overrides = {place: safe(clip(name, NAME_WIDTH)) for place, name in enumerate(names)}
    if across and _crowded(names[::every]):
        axis.major_label_orientation = math.pi / 4


def _crowded(names: list[str]) -> bool:
    return sum(len(clip(name, NAME_WIDTH)) + 2 for name in names) > 72


def formatter(axis: Axis) -> Any:
    """Return how the numbers of an axis are written: dates, percentages, or as many decimals as its span needs.

    Examples
    --------
    >>> formatter(Axis("number", "rows", [0.0, 1200.0], [])).format
    '0,0'
    """
    if axis.kind == "date":
        return DatetimeTickFormatter(days="%b %d", months="%b %Y", years="%Y")
    low, high = axis.span()
    size, span = max(abs(low), abs(high)), high - low
    if axis.share:
        return NumeralTickFormatter(format="0%" if span > 0.05 else "0.[00]%")
    if "year" in axis.title.lower() and 1000 <= low <= high <= 3000:
        return NumeralTickFormatter(format="0")
    if size >= 1e6:
        return NumeralTickFormatter(format="0.[00]a")
    if 0 < size < 1e-3:
        return BasicTickFormatter(precision=2)
    return NumeralTickFormatter(format="0,0" if span >= 10 else "0,0.[00]" if span >= 0.1 else "0,0.[0000]")


def gap(values: list[float]) -> float:
    """Return the least distance between two different values; 1 where there are no two.

    Examples
    --------
    >>> gap([1.0, 4.0, 2.5])
    1.5
    """
    known = sorted({value for value in values if math.isfinite(value)})
    return min((right - left for left, right in itertools.pairwise(known)), default=1.0)


def safe(value: Any) -> Any:
    """Break the delimiters of mathematics in a text with a word joiner, which has no width.

    Examples
    --------
    >>> safe("$$x$$") == "$\u2060$x$\u2060$", safe(1.5)
    (True, 1.5)
    """
    if isinstance(value, str):
        return value.replace("$$", "$\u2060$").replace("\\[", "\\\u2060[").replace("\\(", "\\\u2060(")
    return value


def heat_axes(figure: Figure) -> tuple[Axis, Axis]:
    """Return what runs across a heat map and what runs down it."""
    return read_axis(figure, figure.x), read_axis(figure, figure.y[0])
