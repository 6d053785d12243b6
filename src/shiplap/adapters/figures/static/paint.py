"""The kinds of figures painted with Matplotlib."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from shiplap.adapters.figures.manner import MARKERS, MOST_MARKERS, dashes
from shiplap.adapters.figures.palette import Tones
from shiplap.adapters.figures.ranges import gap, values
from shiplap.adapters.figures.sketch import Bounds, Sketch
from shiplap.adapters.figures.static.cells import density, heatmap
from shiplap.core.report import FigureKind

__all__ = ["HATCHES", "SHAPES", "paint", "pattern", "places"]

SHAPES = dict(zip(("circle", "square", "triangle", "diamond", "inverted_triangle", "plus"), "os^Dv+", strict=True))
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++")
DAY_MS = 86_400_000.0
PIXELS = 1.8
MOST_VECTORS = 2_000
ROUND = {"solid_capstyle": "round"}


def paint(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    """Paint a figure that was read into axes; ranges, ticks and labels are left to others."""
    _PAINTERS[drawn.figure.kind](ax, drawn, shade)


def places(drawn: Sketch, values: list[float]) -> Any:
    """Return places on the horizontal axis as Matplotlib counts them: dates in days since 1970."""
    found = np.asarray(values, dtype=float)
    return found / DAY_MS if drawn.x.kind == "date" else found


def pattern(dashed: tuple[int, ...]) -> Any:
    """Return a dash pattern, given in pixels of a screen, in widths of a line."""
    return (0, tuple(length / PIXELS / 1.4 for length in dashed)) if dashed else "-"


def _line(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    x = places(drawn, drawn.x.values)
    for bounds in drawn.bounds:
        color, stroke = shade.series[bounds.series % len(shade.series)], drawn.strokes[bounds.series]
        if stroke == "points":
            ax.vlines(x, bounds.low.values, bounds.high.values, color=color, linewidth=1.1)
        else:
            step: Any = "post" if stroke == "step" else None
            ax.fill_between(x, bounds.low.values, bounds.high.values, color=color, alpha=0.18, linewidth=0, step=step)
    sparse = len(x) <= MOST_MARKERS
    for number, (axis, stroke) in enumerate(zip(drawn.series, drawn.strokes, strict=True)):
        dots = stroke == "points" or (sparse and stroke == "solid") or len(x) == 1
        marker: Any = SHAPES[MARKERS[number % len(MARKERS)]] if dots else None
        values = np.asarray(axis.values, dtype=float)
        kept = np.isfinite(values) if stroke == "step" else slice(None)  # a step holds up to the next that is known
        ax.plot(
            x[kept], values[kept], color=shade.series[number % len(shade.series)], marker=marker, markersize=3.6,
            markeredgecolor=shade.paper if marker != "+" else None, markeredgewidth=0.5,
            linestyle="none" if stroke == "points" else pattern(dashes(drawn, number)),
            drawstyle="steps-post" if stroke == "step" else "default", solid_joinstyle="round",
        )  # fmt: skip


def _scatter(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    x = places(drawn, drawn.x.values)
    for number, axis in enumerate(drawn.series):
        shown = SHAPES[MARKERS[number % len(MARKERS)]]
        ax.scatter(
            x, axis.values, s=14 if len(x) <= 300 else 5, marker=shown, linewidths=0.8 if shown == "+" else 0,
            color=shade.series[number % len(shade.series)], alpha=0.65, rasterized=len(x) > MOST_VECTORS,
        )  # fmt: skip


def _bar(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    x = places(drawn, drawn.x.values)
    count = max(1, len(drawn.series))
    thick = 0.72 * gap(x) / count
    zero = values([drawn])[0] if "y" in drawn.figure.log else 0.0
    for number, axis in enumerate(drawn.series):
        at, reach = x + (number - (count - 1) / 2) * thick, np.asarray(axis.values) - zero
        style: Any = {
            "color": shade.series[number % len(shade.series)], "edgecolor": shade.paper, "linewidth": 0,
            "hatch": HATCHES[number % len(HATCHES)],
        }  # fmt: skip
        if drawn.lies_down:
            ax.barh(at, reach, height=thick * 0.94, left=zero, **style)
        else:
            ax.bar(at, reach, width=thick * 0.96, bottom=zero, **style)
        for bounds in drawn.bounds:
            if bounds.series == number:
                _whiskers(ax, drawn, at, bounds, color=shade.mark)
        if drawn.lies_down:
            _direct_label(ax, drawn, at, number, shade)


def _direct_label(ax: Axes, drawn: Sketch, at: Any, number: int, shade: Tones) -> None:
    axis = drawn.series[number]
    ends = [bounds.high.values for bounds in drawn.bounds if bounds.series == number]
    for y, text, *reach in zip(at, axis.texts, axis.values, *ends, strict=True):
        if math.isfinite(reach[0]):
            end = max([0.0, *(value for value in reach if math.isfinite(value))])
            ax.annotate(
                text, (end, y), xytext=(3, 0), textcoords="offset points", va="center", color=shade.axis, fontsize=6.5
            )


def _histogram(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    if drawn.x.kind == "category":
        _bar(ax, drawn, shade)
        return
    x = places(drawn, drawn.x.values)
    half = gap(x) / 2
    left = places(drawn, drawn.edges[0].values) if drawn.edges else x - half
    right = places(drawn, drawn.edges[1].values) if drawn.edges else x + half
    zero = values([drawn])[0] if "y" in drawn.figure.log else 0.0
    several = len(drawn.series) > 1
    for number, axis in enumerate(drawn.series):
        color, height = shade.series[number % len(shade.series)], np.asarray(axis.values) - zero
        ax.bar(
            left, height, width=right - left, bottom=zero, align="edge", color=color, alpha=0.3 if several else 0.9,
            edgecolor=shade.paper, linewidth=0 if several else 0.5,
        )  # fmt: skip
        if several:
            ends = np.column_stack([left, right]).ravel()
            ax.plot(ends, np.repeat(height + zero, 2), color=color, linestyle=pattern(dashes(drawn, number)))


def _interval(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    x = places(drawn, drawn.x.values)
    count = max(1, len(drawn.series))
    thick = 0.72 * gap(x) / count if drawn.x.kind == "category" else 0.0
    for number, axis in enumerate(drawn.series):
        at, color = x + (number - (count - 1) / 2) * thick, shade.series[number % len(shade.series)]
        mine = [bounds for bounds in drawn.bounds if bounds.series == number]
        for place, bounds in enumerate(mine):
            _whiskers(ax, drawn, at, bounds, color=color, inner=place > 0)
        across, up = (axis.values, at) if drawn.lies_down else (at, axis.values)
        shown = SHAPES[MARKERS[number % len(MARKERS)]]
        edge = None if shown == "+" else shade.paper
        ax.plot(across, up, linestyle="none", marker=shown, color=color, markersize=4.6, markeredgecolor=edge, zorder=3)


def _whiskers(ax: Axes, drawn: Sketch, at: Any, bounds: Bounds, *, color: str, inner: bool = False) -> None:
    """Draw an interval as a line; a second one around the same series is narrower, and its line thicker."""
    lines = ax.hlines if drawn.lies_down else ax.vlines
    lines(at, bounds.low.values, bounds.high.values, color=color, linewidth=4.0 if inner else 1.2)


_PAINTERS: dict[FigureKind, Callable[[Axes, Sketch, Tones], None]] = {
    "line": _line,
    "bar": _bar,
    "histogram": _histogram,
    "scatter": _scatter,
    "density": density,
    "heatmap": heatmap,
    "interval": _interval,
}
