"""Heat maps and densities drawn with Bokeh."""

from __future__ import annotations

import math
from typing import Any

from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, LogColorMapper
from bokeh.models.annotations import ColorBar, LabelSet

from shiplap.adapters.figures.bokeh.axes import FONT, Plot, formatter, name_steps, safe
from shiplap.adapters.figures.bokeh.tips import tooltip
from shiplap.adapters.figures.grids import Cells, cells
from shiplap.adapters.figures.palette import AXIS, GRID, HEAT, INK, PAPER, PARTING
from shiplap.adapters.figures.sketch import Sketch

__all__ = ["density", "heatmap"]

ROW_HEIGHT = 26
DARK_FROM = 0.55


def heatmap(plot: Plot, drawn: Sketch) -> None:
    """Draw named rows and columns; the value stands in each cell where they are few."""
    if len(drawn.series) < 2:
        return
    found = cells(drawn)
    source = _paint(plot, drawn, found, line_color=PAPER)
    plot.grid.grid_line_color = None
    if found.is_written:
        _write(plot, source)
    plot.height = max(180, 70 + ROW_HEIGHT * len(found.down_names))
    plot.xaxis[0].axis_label, plot.yaxis[0].axis_label = safe(drawn.x.title), safe(drawn.series[0].title)
    name_steps(plot.xaxis[0], found.across_names, across=True)
    name_steps(plot.yaxis[0], found.down_names)
    plot.x_range.start, plot.x_range.end = -0.5, len(found.across_names) - 0.5
    plot.y_range.start, plot.y_range.end = len(found.down_names) - 0.5, -0.5


def density(plot: Plot, drawn: Sketch) -> None:
    """Draw how many rows lie where."""
    if len(drawn.series) > 1:
        _paint(plot, drawn, cells(drawn), line_color=None)


def _paint(plot: Plot, drawn: Sketch, found: Cells, *, line_color: str | None) -> ColumnDataSource:
    down, heat = drawn.series[:2]
    dark = [math.isfinite(v) and _is_strong(found, v) for v in heat.values]
    source = ColumnDataSource(
        {"x": found.across, "y": found.down, "heat": [safe(v) for v in heat.values], "heat_text": heat.texts,
         "x_text": drawn.x.texts, "y_text": down.texts, "ink": [PAPER if it else INK for it in dark]}
    )  # fmt: skip
    mapper: Any = LogColorMapper if found.log else LinearColorMapper
    palette = list(PARTING if found.parts else HEAT)
    colors = mapper(palette=palette, low=found.low, high=found.high, nan_color=GRID)
    shown = plot.rect(
        "x", "y", width=found.width, height=found.height, source=source,
        fill_color={"field": "heat", "transform": colors}, line_color=line_color, line_width=1,
    )  # fmt: skip
    tips = [(drawn.x.title, "@x_text"), (down.title, "@y_text"), (heat.title, "@heat_text")]
    plot.add_tools(HoverTool(renderers=[shown], tooltips=tooltip(tips)))
    bar = ColorBar(
        color_mapper=colors, width=10, padding=4, bar_line_color=None, major_tick_line_color=None,
        background_fill_color=None, major_label_text_color=AXIS, major_label_text_font=FONT, formatter=formatter(heat),
    )  # fmt: skip
    plot.add_layout(bar, "right")
    return source


def _is_strong(found: Cells, value: float) -> bool:
    share = found.share(value)
    return abs(2 * share - 1) > DARK_FROM if found.parts else share > DARK_FROM


def _write(plot: Plot, source: ColumnDataSource) -> None:
    labels = LabelSet(
        x="x", y="y", text="heat_text", source=source, text_align="center", text_baseline="middle",
        text_color={"field": "ink"}, text_font={"value": FONT}, text_font_size="11px",
    )  # fmt: skip
    plot.add_layout(labels)
