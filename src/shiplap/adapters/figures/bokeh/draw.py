"""Figure data drawn with Bokeh, in one manner: quiet axes, direct labels, one palette, words on hover.

Colors are the palette's light values; a page swaps them for their dark partners. Titles, legends and notes are left
to the page, where they are text. Nothing in a drawing asks for the network: strings that Bokeh would take for
mathematics are defused, since it fetches its typesetter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from bokeh.models import ColumnDataSource, HoverTool, NoOverlap
from bokeh.models.annotations import LabelSet
from bokeh.plotting import figure as canvas

from shiplap.adapters.figures.bokeh.axes import FONT, Plot, lines, safe, scales
from shiplap.adapters.figures.bokeh.cells import density, heatmap
from shiplap.adapters.figures.bokeh.tips import tooltip
from shiplap.adapters.figures.manner import MARKERS, MOST_MARKERS, dashes
from shiplap.adapters.figures.palette import AXIS, GRID, MARK, PAPER, SERIES
from shiplap.adapters.figures.ranges import gap, values
from shiplap.adapters.figures.sketch import Bounds, Sketch
from shiplap.core.report import FigureKind

__all__ = ["draw"]

HEIGHT = 300
PANEL_HEIGHT = 190
ROW_HEIGHT = 26
ROOMY_ROW = 36
FEW_ROWS = 6
_HATCHES = ("blank", "right_diagonal_line", "dot", "diagonal_cross", "left_diagonal_line", "cross")
Scale = Literal["linear", "log"]
HoverMode = Literal["mouse", "hline", "vline"]


def draw(drawn: Sketch, among: Sequence[Sketch] = ()) -> Plot:
    """Draw a figure that was read.

    Parameters
    ----------
    drawn : Sketch
        What to draw.
    among : sequence of Sketch
        The small multiples it belongs to, which share their axes.

    Returns
    -------
    bokeh.plotting.figure
        As wide as the room it is given; no title, no legend, no toolbar.

    Examples
    --------
    >>> from shiplap.adapters.figures.sketch import sketch
    >>> from shiplap.core.report import Figure
    >>> plot = draw(sketch(Figure(name="f", title="", kind="line", data={"t": [0, 1], "v": [2, 3]}, x="t", y=("v",))))
    >>> len(plot.renderers) > 0
    True
    """
    plot = _canvas(drawn)
    _PAINTERS[drawn.figure.kind](plot, drawn)
    scales(plot, drawn, among or (drawn,))
    lines(plot, drawn)
    return plot


def _canvas(drawn: Sketch) -> Plot:
    rows = len(drawn.x.values) * max(1, min(len(drawn.series), 3))
    upright = PANEL_HEIGHT if drawn.panel else HEIGHT
    height = 58 + (ROOMY_ROW if rows <= FEW_ROWS else ROW_HEIGHT) * max(rows, 2) if drawn.lies_down else upright
    log = drawn.figure.log
    axes: dict[str, Scale] = {
        "x": "log" if drawn.x.log else "linear",
        "y": "log" if "y" in log and not drawn.is_grid else "linear",
    }
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
        x_axis_type=axes["y" if drawn.lies_down else "x"],
        y_axis_type=axes["x" if drawn.lies_down else "y"],
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
    for number, bounds in enumerate(drawn.bounds):
        columns[f"low{number}"], columns[f"high{number}"] = bounds.low.values, bounds.high.values
        columns[f"bounds{number}_text"] = bounds.texts
    return ColumnDataSource({name: [safe(value) for value in values] for name, values in columns.items()})


def _line(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    for number, bounds in enumerate(drawn.bounds):
        area = plot.varea_step if drawn.strokes[bounds.series] == "step" else plot.varea
        options = {"step_mode": "after"} if drawn.strokes[bounds.series] == "step" else {}
        color = SERIES[bounds.series % len(SERIES)]
        if drawn.strokes[bounds.series] == "points":
            style = {"source": source, "line_color": color, "line_width": 2}
            plot.segment(x0="x", x1="x", y0=f"low{number}", y1=f"high{number}", **style)
        else:
            area("x", f"low{number}", f"high{number}", source=source, fill_color=color, fill_alpha=0.16, **options)
    sparse = len(drawn.x.values) <= MOST_MARKERS
    for number, stroke in enumerate(drawn.strokes):
        color, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
        style = {"source": source, "line_color": color, "line_width": 2.25, "line_dash": list(dashes(drawn, number))}
        shown: Any = None
        if stroke == "step":
            shown = plot.step("x", f"y{number}", mode="after", **style | {"source": _known(source, f"y{number}")})
        elif stroke != "points":
            shown = plot.line("x", f"y{number}", line_join="round", **style)
        if stroke == "points" or (sparse and stroke == "solid"):
            dots = plot.scatter(
                "x", f"y{number}", source=source, size=7, marker=marker, fill_color=color, line_color=PAPER
            )
            shown = shown or dots
        if number == 0:
            _hover(plot, drawn, shown, mode="vline")


def _known(source: ColumnDataSource, key: str) -> ColumnDataSource:
    """Return the rows in which a step has a value: it holds up to the next one that is known."""
    kept = [place for place, value in enumerate(source.data[key]) if math.isfinite(value)]
    return ColumnDataSource({str(name): [values[place] for place in kept] for name, values in source.data.items()})


def _scatter(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    size = 7 if len(drawn.x.values) <= 300 else 4
    for number in range(len(drawn.series)):
        color = SERIES[number % len(SERIES)]
        points = plot.scatter(
            "x", f"y{number}", source=source, size=size, marker=MARKERS[number % len(MARKERS)],
            fill_color=color, line_color=None, fill_alpha=0.65,
        )  # fmt: skip
        if number == 0:
            _hover(plot, drawn, points, mode="mouse")


def _bar(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    thick = _dodged(source, drawn)
    zero = values([drawn])[0] if "y" in drawn.figure.log else 0
    for number in range(len(drawn.series)):
        style = {
            "source": source, "fill_color": SERIES[number % len(SERIES)], "line_color": None, "fill_alpha": 0.9,
            "hatch_pattern": _HATCHES[number % len(_HATCHES)], "hatch_color": PAPER, "hatch_alpha": 0.8,
        }  # fmt: skip
        if drawn.lies_down:
            bars = plot.hbar(y=f"at{number}", right=f"y{number}", left=zero, height=thick * 0.94, **style)
            _direct_label(plot, drawn, source, number)
        else:
            bars = plot.vbar(x=f"at{number}", top=f"y{number}", bottom=zero, width=thick * 0.96, **style)
        _hover(plot, drawn, bars, mode="mouse")
    for number, bounds in enumerate(drawn.bounds):
        _whiskers(plot, drawn, source, number, bounds, color=MARK)


def _dodged(source: ColumnDataSource, drawn: Sketch) -> float:
    """Place several series beside each other; return how much room each has."""
    count = max(1, len(drawn.series))
    thick = 0.72 * gap(drawn.x.values) / count
    for number in range(count):
        shift = (number - (count - 1) / 2) * thick
        source.add([place + shift for place in drawn.x.values], f"at{number}")
    return thick


def _histogram(plot: Plot, drawn: Sketch) -> None:
    if drawn.x.kind == "category":
        _bar(plot, drawn)
        return
    source = _source(drawn)
    half = gap(drawn.x.values) / 2
    source.add(drawn.edges[0].values if drawn.edges else [value - half for value in drawn.x.values], "left")
    source.add(drawn.edges[1].values if drawn.edges else [value + half for value in drawn.x.values], "right")
    alpha = 0.85 if len(drawn.series) == 1 else 0.5
    zero = values([drawn])[0] if "y" in drawn.figure.log else 0
    for number in range(len(drawn.series)):
        color = SERIES[number % len(SERIES)]
        bars = plot.quad(
            left="left", right="right", bottom=zero, top=f"y{number}", source=source,
            fill_color=color, fill_alpha=alpha, line_color=PAPER, line_width=0.75,
        )  # fmt: skip
        if number == 0:
            _hover(plot, drawn, bars, mode="vline")


def _interval(plot: Plot, drawn: Sketch) -> None:
    source = _source(drawn)
    _dodged(source, drawn)
    several = drawn.x.kind == "category"
    for number, bounds in enumerate(drawn.bounds):
        _whiskers(plot, drawn, source, number, bounds, color=SERIES[bounds.series % len(SERIES)])
    for number in range(len(drawn.series)):
        at, value = f"at{number}" if several else "x", f"y{number}"
        across, down = (value, at) if drawn.lies_down else (at, value)
        points = plot.scatter(
            across, down, source=source, size=10, marker=MARKERS[number % len(MARKERS)],
            fill_color=SERIES[number % len(SERIES)], line_color=PAPER, line_width=1.5,
        )  # fmt: skip
        _hover(plot, drawn, points, mode="mouse")


def _whiskers(plot: Plot, drawn: Sketch, source: ColumnDataSource, number: int, bounds: Bounds, *, color: str) -> None:
    """Draw an interval as a line; a second one around the same series is narrower, and its line thicker."""
    inner = any(other.series == bounds.series for other in drawn.bounds[:number])
    style = {
        "source": source,
        "line_color": color,
        "line_width": 7 if inner else 2.5,
        "line_cap": "butt" if inner else "round",
    }
    at = f"at{bounds.series}" if drawn.x.kind == "category" or drawn.figure.kind == "bar" else "x"
    if drawn.lies_down:
        plot.segment(x0=f"low{number}", x1=f"high{number}", y0=at, y1=at, **style)
    else:
        plot.segment(x0=at, x1=at, y0=f"low{number}", y1=f"high{number}", **style)


def _direct_label(plot: Plot, drawn: Sketch, source: ColumnDataSource, number: int) -> None:
    """Write each value at the end of its bar, into the margin where it must; beside zero for bars to the left."""
    ends = [bounds.high.values for bounds in drawn.bounds if bounds.series == number]
    values = drawn.series[number].values
    reached = [max([0.0, *(end for end in reach if math.isfinite(end))]) for reach in zip(values, *ends, strict=True)]
    source.add(reached, f"end{number}")
    labels = LabelSet(
        x=f"end{number}", y=f"at{number}", text=f"y{number}_text", source=source, x_offset=6, text_baseline="middle",
        text_color=AXIS, text_font={"value": FONT}, text_font_size="12px",
    )  # fmt: skip
    plot.add_layout(labels)


def _hover(plot: Plot, drawn: Sketch, renderer: Any, *, mode: HoverMode) -> None:
    rows = [(drawn.x.title, "@x_text")]
    rows += [(axis.title, f"@y{number}_text") for number, axis in enumerate(drawn.series)]
    rows += [(bounds.title or "interval", f"@bounds{number}_text") for number, bounds in enumerate(drawn.bounds)]
    plot.add_tools(
        HoverTool(
            renderers=[renderer], mode=mode, tooltips=tooltip(rows), point_policy="snap_to_data", line_policy="nearest"
        )
    )


_PAINTERS: dict[FigureKind, Callable[[Plot, Sketch], None]] = {
    "line": _line,
    "bar": _bar,
    "histogram": _histogram,
    "scatter": _scatter,
    "density": density,
    "heatmap": heatmap,
    "interval": _interval,
}
