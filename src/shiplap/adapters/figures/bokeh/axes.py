"""What stands around a Bokeh drawing: ranges, ticks, numbers on axes, labelled lines, shaded stretches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from bokeh.models import AllLabels, BasicTickFormatter, DatetimeTickFormatter, FixedTicker, NumeralTickFormatter
from bokeh.models.annotations import BoxAnnotation, Label, Span

from shiplap.adapters.figures import ranges
from shiplap.adapters.figures.manner import tags
from shiplap.adapters.figures.palette import AXIS, GRID, INK, MARK
from shiplap.adapters.figures.sketch import Axis, Sketch
from shiplap.adapters.figures.words import clip, plain

__all__ = ["FONT", "Plot", "formatter", "lines", "name_steps", "safe", "scales"]

FONT = "system-ui, sans-serif"
NAME_WIDTH = 28
MOST_NAMES = 12
LINE = 0.065
Plot = Any


def scales(plot: Plot, drawn: Sketch, among: Sequence[Sketch]) -> None:
    """Set ranges, ticks and axis titles for what was painted; `among` are the small multiples it belongs to."""
    if drawn.figure.kind == "heatmap":
        return
    x, (down, across) = drawn.x, (plot.yaxis[0], plot.xaxis[0])
    first = drawn.series[0] if drawn.series else Axis("number", "", [], [])
    value_range, value_axis = (plot.x_range, across) if drawn.lies_down else (plot.y_range, down)
    value_range.start, value_range.end = ranges.values(among, above=max(map(_headroom, among)))
    value_axis.formatter = formatter(first)
    value_axis.ticker.desired_num_ticks = 4 if drawn.lies_down else 5
    if drawn.lies_down:
        plot.y_range.start, plot.y_range.end = len(x.values) - 0.4, -0.6
        plot.ygrid.grid_line_color = None
        name_steps(down, x.texts)
    else:
        plot.xgrid.grid_line_color = None
        plot.x_range.start, plot.x_range.end = ranges.across(among)
        if x.kind == "category":
            name_steps(across, x.texts, across=True)
        else:
            across.formatter = formatter(x)
            across.ticker.desired_num_ticks = 6
        across.axis_label = safe(x.title)
    value_axis.axis_label = safe(drawn.value_title) or None
    low, high = value_range.start, value_range.end
    if low < 0 < high and not drawn.is_grid:
        zero = Span(location=0, dimension="height" if drawn.lies_down else "width", line_color=AXIS, line_width=1)
        plot.add_layout(zero)


def _headroom(drawn: Sketch) -> float:
    if drawn.lies_down:
        texts = [text for axis in drawn.series for text in axis.texts] if drawn.figure.kind != "interval" else []
        return 0.04 * max(map(len, texts), default=0)
    return LINE * 1.2 * sum(len(tag.lines) for tag in tags(drawn.marks, (0.0, 1.0)))


def lines(plot: Plot, drawn: Sketch) -> None:
    """Draw the labelled lines, one label below the other, the shaded stretches and the diagonal."""
    if drawn.figure.kind == "heatmap":
        return
    across, up = (plot.x_range.start, plot.x_range.end), (plot.y_range.start, plot.y_range.end)
    if drawn.figure.diagonal:
        low, high = max(across[0], up[0]), min(across[1], up[1])
        plot.segment(x0=[low], y0=[low], x1=[high], y1=[high], line_color=AXIS, line_dash=[4, 4], line_width=1.5)
    for start, end, text in () if drawn.lies_down else drawn.spans:
        plot.add_layout(
            BoxAnnotation(left=start, right=end, fill_color=GRID, fill_alpha=0.55, line_color=None, level="underlay")
        )
        _write(plot, start, up[0], text, color=AXIS, text_baseline="bottom", x_offset=4, y_offset=4)
    for place, text in drawn.levels:
        dimension: Literal["height", "width"] = "height" if drawn.lies_down else "width"
        plot.add_layout(Span(location=place, dimension=dimension, line_color=MARK, line_dash=[2, 3], line_width=1.5))
        if drawn.lies_down:
            _write(plot, place, up[1], text, x_offset=5, text_baseline="top")
        else:
            _write(plot, across[1], place, text, x_offset=-2, y_offset=3, text_align="right", text_baseline="bottom")
    for tag in tags(drawn.marks, across):
        plot.add_layout(Span(location=tag.place, dimension="height", line_color=MARK, line_dash=[5, 3], line_width=1.5))
        top = up[1] if drawn.lies_down else _below(up, LINE * tag.above, log="y" in drawn.figure.log)
        side: dict[str, Any] = (
            {"x_offset": -6, "text_align": "right"} if tag.leftward else {"x_offset": 6, "text_align": "left"}
        )
        _write(plot, tag.place, top, "\n".join(tag.lines), text_baseline="top", **side)


def _below(span: tuple[float, float], share: float, *, log: bool) -> float:
    low, high = span
    return high * (low / high) ** share if log else high - share * abs(high - low)


def _write(plot: Plot, x: float, y: float, text: str, *, color: str = INK, **style: Any) -> None:
    shown = "\n".join(map(plain, text.split("\n")))
    plot.add_layout(Label(x=x, y=y, text=safe(shown), text_color=color, text_font=FONT, text_font_size="12px", **style))


def name_steps(axis: Any, names: list[str], *, across: bool = False) -> None:
    """Put names at the places 0, 1, ... of an axis, slanted and thinned out where they run across and are many."""
    every = max(1, math.ceil(len(names) / MOST_NAMES)) if across else 1
    axis.ticker = FixedTicker(ticks=list(range(0, len(names), every)))
    axis.major_label_overrides = {place: safe(clip(name, NAME_WIDTH)) for place, name in enumerate(names)}
    if across and _crowded(names[::every]):
        axis.major_label_orientation = math.pi / 4
        axis.major_label_policy = AllLabels()


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
    if axis.log:
        return NumeralTickFormatter(format="0,0.[000]") if low >= 1e-3 and high < 1e6 else BasicTickFormatter()
    if size >= 1e15 or 0 < size < 1e-3:
        return BasicTickFormatter(precision=2)
    if size >= 1e6:
        return NumeralTickFormatter(format="0.[00]a")
    return NumeralTickFormatter(format="0,0" if span >= 10 else "0,0.[00]" if span >= 0.1 else "0,0.[0000]")


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
