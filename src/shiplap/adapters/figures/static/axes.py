"""What stands around a static drawing: ranges, ticks, names, labelled lines, shaded stretches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import seaborn
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from shiplap.adapters.figures import ranges
from shiplap.adapters.figures.grids import cells
from shiplap.adapters.figures.manner import tags
from shiplap.adapters.figures.palette import Tones
from shiplap.adapters.figures.sketch import Axis, Sketch
from shiplap.adapters.figures.static.paint import DAY_MS, pattern
from shiplap.adapters.figures.ticks import tick_text
from shiplap.adapters.figures.words import clip, plain

__all__ = ["furnish", "inches"]

LINE_PT = 8.0
SMALL = 6.5
NAME_WIDTH = 26


def furnish(ax: Axes, drawn: Sketch, among: Sequence[Sketch], shade: Tones) -> None:
    """Set ranges, ticks and axis titles for what was painted, and draw the labelled lines.

    Parameters
    ----------
    ax : Axes
        Where it was painted.
    drawn : Sketch
        What was painted.
    among : sequence of Sketch
        The small multiples it belongs to, which share their axes.
    shade : Tones
        The palette.
    """
    if drawn.figure.kind == "heatmap":
        _heat_axes(ax, drawn)
        return
    room = inches(ax)[1] * 72
    value_axis, other = (ax.xaxis, ax.yaxis) if drawn.lies_down else (ax.yaxis, ax.xaxis)
    low, high = ranges.values(among, above=max(_headroom(one, room) for one in among))
    first = drawn.series[0] if drawn.series else Axis("number", "", [], [])
    if drawn.lies_down:
        _scale(ax.set_xscale, ax.set_xlim, low, high, log=first.log)
        ax.set_ylim(len(drawn.x.values) - 0.4, -0.6)
        _names(ax.yaxis, drawn.x.texts)
        ax.tick_params(axis="y", length=0)
    else:
        _scale(ax.set_yscale, ax.set_ylim, low, high, log=first.log and not drawn.is_grid)
        across = ranges.across(among)
        unit = DAY_MS if drawn.x.kind == "date" else 1.0
        _scale(ax.set_xscale, ax.set_xlim, across[0] / unit, across[1] / unit, log=drawn.x.log)
        _ticks_across(ax, drawn)
        other.set_label_text(clip(drawn.x.title, 60))
    _number_ticks(value_axis, first)
    value_axis.set_label_text(clip(drawn.value_title, 60))
    ax.grid(visible=not drawn.is_grid, axis="x" if drawn.lies_down else "y")
    seaborn.despine(ax=ax, left=drawn.lies_down)
    if low < 0 < high and not drawn.is_grid:
        line = ax.axvline if drawn.lies_down else ax.axhline
        line(0, color=shade.axis, linewidth=0.6)
    _lines(ax, drawn, shade)


def inches(ax: Axes) -> tuple[float, float]:
    """Return how wide and high axes are."""
    return ax.bbox.width / ax.figure.dpi, ax.bbox.height / ax.figure.dpi


def _headroom(drawn: Sketch, room: float) -> float:
    if drawn.lies_down:
        texts = [text for axis in drawn.series for text in axis.texts] if drawn.figure.kind != "interval" else []
        return 0.03 * max(map(len, texts), default=0)
    return min(0.6, LINE_PT / room * sum(len(tag.lines) for tag in tags(drawn.marks, (0.0, 1.0))))


def _scale(kind: Any, limits: Any, low: float, high: float, *, log: bool) -> None:
    if log:
        kind("log")
    limits(low, high)


def _number_ticks(axis: Any, read: Axis) -> None:
    axis.set_major_locator(LogLocator(numticks=6) if read.log else MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(tick_text(read)))


def _ticks_across(ax: Axes, drawn: Sketch) -> None:
    if drawn.x.kind == "category":
        _names(ax.xaxis, drawn.x.texts, across=ax)
    elif drawn.x.kind == "date":
        locator: Any = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        ax.xaxis.get_offset_text().set_fontsize(SMALL)
    else:
        _number_ticks(ax.xaxis, drawn.x)


def _heat_axes(ax: Axes, drawn: Sketch) -> None:
    if len(drawn.series) > 1:
        found = cells(drawn)
        _names(ax.xaxis, found.across_names, across=ax)
        _names(ax.yaxis, found.down_names)
    ax.set_xlabel(clip(drawn.x.title, 60))
    ax.set_ylabel(clip(drawn.series[0].title, 60) if drawn.series else "")


def _names(axis: Any, names: list[str], *, across: Axes | None = None) -> None:
    """Put names at the places 0, 1, ... of an axis, slanted and thinned out where they run across and are many."""
    every, slant = 1, 0
    canvas = axis.axes.figure.bbox
    longest = int(min(NAME_WIDTH, 7 * canvas.width / axis.axes.figure.dpi / _columns(axis.axes)))
    if across is not None:
        wide = inches(across)[0]
        slant = 45 if sum(min(len(name), longest) + 2 for name in names) > wide * 17 else 0
        every = max(1, math.ceil(len(names) / (wide * 72 / 9)))
    shown = range(0, len(names), every)
    axis.set_major_locator(FixedLocator(list(shown)))
    axis.set_minor_locator(NullLocator())
    axis.set_ticklabels([clip(names[place], longest) for place in shown])
    if slant:
        for label in axis.get_ticklabels():
            label.set(rotation=slant, ha="right", rotation_mode="anchor")


def _columns(ax: Axes) -> int:
    """Return how many panels stand beside each other."""
    place = ax.get_subplotspec()
    return place.get_gridspec().ncols if place else 1


def _lines(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    unit = DAY_MS if drawn.x.kind == "date" and not drawn.lies_down else 1.0
    left, right = ax.get_xlim()
    halo = [withStroke(linewidth=2.0, foreground=shade.paper)]
    text: dict[str, Any] = {"fontsize": SMALL, "color": shade.ink, "path_effects": halo, "annotation_clip": False}
    if drawn.figure.diagonal:
        ends = [max(left, ax.get_ylim()[0]), min(right, ax.get_ylim()[1])]
        ax.plot(ends, ends, color=shade.axis, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for start, end, said in () if drawn.lies_down else drawn.spans:
        ax.axvspan(start / unit, end / unit, color=shade.grid, alpha=0.7, linewidth=0, zorder=0)
        _write(ax, said, (start / unit, 0), (2, 2), va="bottom", **text | {"color": shade.axis})
    for place, said in drawn.levels:
        line = ax.axvline if drawn.lies_down else ax.axhline
        line(place, color=shade.mark, linewidth=0.8, linestyle=(0, (1, 1.5)))
        if drawn.lies_down:
            _write(ax, said, (place, 1), (3, -1), va="top", **text)
        else:
            at: Any = ax.get_yaxis_transform()
            ax.annotate(
                plain(said), (1, place), xycoords=at, xytext=(-2, 2), textcoords="offset points", ha="right", **text
            )
    for tag in tags(drawn.marks, (left * unit, right * unit)):
        ax.axvline(tag.place / unit, color=shade.mark, linewidth=0.8, linestyle=pattern((8, 5)))
        side: dict[str, Any] = {"ha": "right"} if tag.leftward else {"ha": "left"}
        shift = (-3 if tag.leftward else 3, -LINE_PT * tag.above - 1)
        _write(ax, "\n".join(map(plain, tag.lines)), (tag.place / unit, 1), shift, va="top", **side, **text)


def _write(ax: Axes, said: str, at: tuple[float, float], shift: tuple[float, float], **style: Any) -> None:
    where: Any = ax.get_xaxis_transform()
    ax.annotate(said, at, xycoords=where, xytext=shift, textcoords="offset points", **style)
