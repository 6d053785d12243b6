"""Figure data drawn with Bokeh, in one manner: quiet axes, direct labels, one palette, words on hover.

Colors are the palette's light values; a page swaps them for their dark partners. Titles, legends and notes are left
to the page, where they are text. Nothing in a drawing asks for the network: strings that Bokeh would take for
mathematics are defused, since it fetches its typesetter.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any, Literal

from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, NoOverlap
from bokeh.models.annotations import ColorBar, LabelSet
from bokeh.plotting import figure as canvas

from shiplap.adapters.figures.axes import FONT, Plot, formatter, gap, heat_axes, marks, name_steps, safe, scales
from shiplap.adapters.figures.palette import AXIS, GRID, HEAT, MARK, PAPER, SERIES
from shiplap.adapters.figures.sketch import Axis, Sketch, read_axis, sketch
from shiplap.adapters.figures.words import clip
from shiplap.core.report import Figure, FigureKind

__all__ = ["draw"]

HEIGHT = 300
ROW_HEIGHT = 26
ROOMY_ROW = 36
FEW_ROWS = 6
MOST_MARKERS = 40
HoverMode = Literal["mouse", "hline", "vline"]


def draw(figure: Figure) -> Plot:
    """Draw a figure.

    Parameters
    ----------
    figure : Figure
        The picture as data.

    Returns
    -------
    bokeh.plotting.figure
        As wide as the room it is given; no title, no legend, no toolbar.

    Examples
    --------
    >>> plot = draw(Figure(name="f", title="", kind="line", data={"t": [0, 1], "v": [2.0, 3.0]}, x="t", y=("v",)))
    >>> len(plot.renderers) > 0
    True
    """
    drawn = sketch(figure)
    plot = _canvas(drawn)
    _PAINTERS[figure.kind](plot, drawn)
    scales(plot, drawn)
    marks(plot, drawn)
    return plot


def _canvas(drawn: Sketch) -> Plot:
    rows = len(drawn.x.values) * max(1, min(len(drawn.series), 3))
    height = 58 + (ROOMY_ROW if rows <= FEW_ROWS else ROW_HEIGHT) * max(rows, 2) if drawn.lies_down else HEIGHT
    plot = canvas(
        height=height,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border_left=8,
        min_border_right=16,
        min_border_top=8,
    )
    plot.grid.grid_line_color = GRID
    for axis in plot.axis:
        axis.axis_line_color = None
        axis.major_tick_line_color = None
        axis.minor_tick_line_color = None
        axis.major_label_text_color = AXIS
        axis.major_label_text_font = FONT
        axis.major_label_text_font_size = "12px"
        axis.axis_label_text_color = AXIS
        axis.axis_label_text_font = FONT
        axis.axis_label_text_font_size = "12px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 8
        axis.major_label_policy = NoOverlap(min_distance=8)
    return plot


def _source(drawn: Sketch) -> ColumnDataSource:
    columns: dict[str, list[Any]] = {"x": drawn.x.values, "x_text": drawn.x.texts}
    for number, axis in enumerate(drawn.series):
        columns[f"y{number}"] = axis.values
        columns[f"y{number}_text"] = axis.texts
    if drawn.low and drawn.high:
        columns["low"], columns["high"] = drawn.low.values, drawn.high.values
        pairs = zip(drawn.low.texts, drawn.high.texts, strict=True)
        columns["interval_text"] = [f"{low} to {high}" for low, high in pairs]
    return ColumnDataSource({name: [safe(value) for value in values] for name, values in columns.items()})


def _line(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    if drawn.low:
        plot.varea("x", "low", "high", source=source, fill_color=SERIES[0], fill_alpha=0.16)
    sparse = len(drawn.x.values) <= MOST_MARKERS
    for number in range(len(drawn.series)):
        color = SERIES[number % len(SERIES)]
        line = plot.line("x", f"y{number}", source=source, line_color=color, line_width=2.25, line_join="round")
        if sparse:
            plot.scatter("x", f"y{number}", source=source, size=6, fill_color=color, line_color=PAPER)
        if number == 0:
            _hover(plot, drawn, line, mode="vline")


def _scatter(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    size = 7 if len(drawn.x.values) <= 300 else 4
    for number in range(len(drawn.series)):
        color = SERIES[number % len(SERIES)]
        points = plot.scatter(
            "x", f"y{number}", source=source, size=size, fill_color=color, line_color=None, fill_alpha=0.65
        )
        if number == 0:
            _hover(plot, drawn, points, mode="mouse")


def _bar(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    count = max(1, len(drawn.series))
    room = 0.72 * gap(drawn.x.values)
    thick = room / count
    for number in range(count if drawn.series else 0):
        shift = (number - (count - 1) / 2) * thick
        at = f"at{number}"
        source.add([value + shift for value in drawn.x.values], at)
        color = SERIES[number % len(SERIES)]
        style = {"source": source, "fill_color": color, "line_color": None, "fill_alpha": 0.9}
        if drawn.lies_down:
            bars = plot.hbar(y=at, right=f"y{number}", left=0, height=thick * 0.94, **style)
            _direct_label(plot, source, at, number)
        else:
            bars = plot.vbar(x=at, top=f"y{number}", bottom=0, width=thick * 0.96, **style)
        _hover(plot, drawn, bars, mode="mouse")
    if drawn.low and drawn.high:
        _whiskers(plot, drawn, source)


def _histogram(plot: Plot, drawn: Sketch) -> None:
    if drawn.x.kind == "category":
        _bar(plot, drawn)
        return
    source = _source(drawn)
    if not (drawn.low and drawn.high):
        half = gap(drawn.x.values) / 2
        source.add([value - half for value in drawn.x.values], "low")
        source.add([value + half for value in drawn.x.values], "high")
    alpha = 0.85 if len(drawn.series) == 1 else 0.5
    for number in range(len(drawn.series)):
        color = SERIES[number % len(SERIES)]
        bars = plot.quad(
            left="low", right="high", bottom=0, top=f"y{number}", source=source,
            fill_color=color, fill_alpha=alpha, line_color=PAPER, line_width=0.75,
        )  # fmt: skip
        if number == 0:
            _hover(plot, drawn, bars, mode="vline")


def _interval(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    if drawn.low and drawn.high:
        _whiskers(plot, drawn, source)
    across, down = ("y0", "x") if drawn.lies_down else ("x", "y0")
    points = plot.scatter(across, down, source=source, size=10, fill_color=SERIES[0], line_color=PAPER, line_width=1.5)
    _hover(plot, drawn, points, mode="mouse")


def _whiskers(plot: Plot, drawn: Sketch, source: ColumnDataSource) -> None:
    color = SERIES[0] if drawn.figure.kind == "interval" else MARK
    style = {"source": source, "line_color": color, "line_width": 2.5, "line_cap": "round"}
    if drawn.lies_down:
        plot.segment(x0="low", x1="high", y0="x", y1="x", **style)
    else:
        plot.segment(x0="x", x1="x", y0="low", y1="high", **style)


def _heatmap(plot: Plot, drawn: Sketch) -> None:
    figure = drawn.figure
    if len(figure.y) < 2:
        return
    across, across_names = _steps(read_axis(figure, figure.x))
    down, down_names = _steps(read_axis(figure, figure.y[0]))
    heat = read_axis(figure, figure.y[1])
    source = ColumnDataSource(
        {"x": across, "y": down, "heat": [safe(v) for v in heat.values], "heat_text": heat.texts,
         "x_text": [across_names[int(p)] for p in across], "y_text": [down_names[int(p)] for p in down]}
    )  # fmt: skip
    low, high = heat.span()
    mapper = LinearColorMapper(palette=list(HEAT), low=low, high=high if high > low else low + 1, nan_color=GRID)
    cells = plot.rect(
        "x", "y", width=1, height=1, source=source,
        fill_color={"field": "heat", "transform": mapper}, line_color=PAPER, line_width=1,
    )  # fmt: skip
    tooltips = [(axis.title, f"@{key}_text") for key, axis in zip("xy", heat_axes(figure), strict=True)]
    plot.add_tools(HoverTool(renderers=[cells], tooltips=_tooltip([*tooltips, (heat.title, "@heat_text")])))
    bar = ColorBar(
        color_mapper=mapper, width=10, padding=4, bar_line_color=None, major_tick_line_color=None,
        background_fill_color=None, major_label_text_color=AXIS, major_label_text_font=FONT, formatter=formatter(heat),
    )  # fmt: skip
    plot.add_layout(bar, "right")
    plot.height = max(180, 70 + ROW_HEIGHT * len(down_names))
    name_steps(plot.xaxis[0], across_names, across=True)
    name_steps(plot.yaxis[0], down_names)
    plot.x_range.start, plot.x_range.end = -0.5, len(across_names) - 0.5
    plot.y_range.start, plot.y_range.end = len(down_names) - 0.5, -0.5


def _steps(axis: Axis) -> tuple[list[float], list[str]]:
    order = dict.fromkeys(axis.texts)
    if axis.kind != "category":
        order = {text: None for _, text in sorted(zip(axis.values, axis.texts, strict=True))}
    place = {text: float(position) for position, text in enumerate(order)}
    return [place[text] for text in axis.texts], list(order)


def _direct_label(plot: Plot, source: ColumnDataSource, at: str, number: int) -> None:
    """Write each value at the end of its bar, into the margin where it must; beside zero for bars to the left."""
    place = f"end{number}"
    source.add([max(value, 0.0) for value in source.data[f"y{number}"]], place)
    labels = LabelSet(
        x=place, y=at, text=f"y{number}_text", source=source, x_offset=6, text_baseline="middle",
        text_color=AXIS, text_font={"value": FONT}, text_font_size="12px",
    )  # fmt: skip
    plot.add_layout(labels)


def _hover(plot: Plot, drawn: Sketch, renderer: Any, *, mode: HoverMode) -> None:
    rows = [(drawn.x.title, "@x_text")]
    rows += [(axis.title, f"@y{number}_text") for number, axis in enumerate(drawn.series)]
    if drawn.low and drawn.high and drawn.figure.kind != "histogram":
        rows.append(("interval", "@interval_text"))
    plot.add_tools(
        HoverTool(
            renderers=[renderer], mode=mode, tooltips=_tooltip(rows), point_policy="snap_to_data", line_policy="nearest"
        )
    )


def _tooltip(rows: list[tuple[str, str]]) -> str:
    """Write the hover text: names escaped, since Bokeh reads markup and field names out of it."""
    lines = []
    for name, value in rows:
        shown = html.escape(clip(name, 60)).replace("@", "&#64;").replace("$", "&#36;").replace("{", "&#123;")
        lines.append(f'<div><span style="color: var(--muted)">{shown}</span> <b>{value}</b></div>')
    return f'<div style="line-height: 1.5">{"".join(lines)}</div>'


_PAINTERS: dict[FigureKind, Callable[[Plot, Sketch], None]] = {
    "line": _line,
    "bar": _bar,
    "histogram": _histogram,
    "scatter": _scatter,
    "heatmap": _heatmap,
    "interval": _interval,
}
