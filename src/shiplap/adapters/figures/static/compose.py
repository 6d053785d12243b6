"""A whole static figure: its panels, title, legend and notes."""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from shiplap.adapters.figures.manner import MARKERS, Entry, legend, notes
from shiplap.adapters.figures.palette import Tones
from shiplap.adapters.figures.sketch import Sketch, panels
from shiplap.adapters.figures.static.axes import furnish, inches
from shiplap.adapters.figures.static.look import Look, look, settings
from shiplap.adapters.figures.static.paint import HATCHES, SHAPES, paint, pattern
from shiplap.adapters.figures.words import clip, plain
from shiplap.core.errors import InputError
from shiplap.core.report import Figure

__all__ = ["compose", "drawing", "plot"]

ROW = 0.19
PANEL_WIDTH = 1.6
PANEL_HEIGHT = 1.15
LINE = 0.14
LETTERS_PER_INCH = 16.5


def plot(figure: Figure, ax: Axes | None = None, **asked: Any) -> Any:
    """Draw a figure into axes, or into a figure of its own.

    Parameters
    ----------
    figure : Figure
        The picture as data.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a figure of its own is made when left out.
    **asked
        How it looks; see `Look`.

    Returns
    -------
    matplotlib.axes.Axes or ndarray of Axes
        Where it was drawn; an array for small multiples.

    Raises
    ------
    InputError
        An unknown option, or small multiples that are to be drawn into one pair of axes.
    """
    chosen = look(**asked)
    read = panels(figure)
    if ax is not None and len(read) > 1:
        raise InputError("small multiples need a figure of their own", hint="leave ax out")
    with drawing(chosen):
        if ax is None:
            import matplotlib.pyplot as plt  # noqa: PLC0415  (a notebook shows what pyplot holds)

            axes = compose(plt.figure(), figure, chosen)
            return axes[0] if len(axes) == 1 else np.array(axes)
        paint(ax, read[0], chosen.tones)
        furnish(ax, read[0], read, chosen.tones)
        if chosen.title:
            ax.set_title(_wrapped(figure.title, inches(ax)[0]))
        entries = legend(read[0])
        if entries:
            ax.legend(handles=[_handle(entry, read[0], chosen.tones) for entry in entries], frameon=False)
    return ax


@contextmanager
def drawing(chosen: Look) -> Iterator[None]:
    """Draw with the settings of a look, without warnings that a reader of the picture can see for himself.

    These are letters that no font of this machine has, drawn as boxes, and names too long for a small panel.
    """
    rc: Any = settings(chosen)
    with mpl.rc_context(rc), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield


def compose(canvas: Canvas, figure: Figure, chosen: Look) -> list[Axes]:
    """Draw a figure on a canvas whose size is set to what it needs, and return its axes."""
    shade, read = chosen.tones, panels(figure)
    columns = min(len(read), max(1, int(chosen.inches / PANEL_WIDTH))) if len(read) > 1 else 1
    rows = math.ceil(len(read) / columns)
    title = _wrapped(figure.title, chosen.inches) if chosen.title else ""
    below = "\n".join(_wrapped(note, chosen.inches * 1.2) for note in notes(figure, read))
    entries = legend(read[0])
    around = LINE * (title.count("\n") + 1.4 * bool(title) + bool(below) + below.count("\n") + 1.3 * bool(entries))
    height = rows * _panel_height(read) if len(read) > 1 else _height(read, chosen)
    canvas.set_size_inches(chosen.inches, chosen.height or height + around)
    canvas.set_layout_engine("constrained")
    shared: Any = {"sharex": read[0].x.kind != "category", "sharey": not read[0].lies_down}
    axes = list(canvas.subplots(rows, columns, squeeze=False, **shared).flat)
    for ax, drawn in zip(axes, read, strict=False):
        paint(ax, drawn, shade)
        furnish(ax, drawn, read, shade)
        if drawn.panel:
            ax.set_title(clip(drawn.panel, 30), fontsize=7, pad=3)
    for spare in axes[len(read) :]:
        spare.remove()
    _share_labels(canvas, axes[: len(read)], columns)
    if title:
        canvas.suptitle(title, x=0.01, ha="left", fontsize=8.5, fontweight="bold", color=shade.ink)
    if entries:
        axes[0].legend(
            handles=[_handle(entry, read[0], shade) for entry in entries], loc="lower left",
            bbox_to_anchor=(0.0, 1.16 if len(read) > 1 else 1.0), ncols=_columns(entries, chosen.inches),
            frameon=False, handlelength=2.4, columnspacing=1.4, borderpad=0.1, borderaxespad=0.2,
        )  # fmt: skip
    if below:
        canvas.supxlabel(below, x=0.01, ha="left", fontsize=6.5, color=shade.axis)
    return axes[: len(read)]


def _panel_height(read: Sequence[Sketch]) -> float:
    if read[0].lies_down or read[0].figure.kind == "heatmap":
        return max(_height([one], Look()) for one in read)
    return PANEL_HEIGHT + 0.5 * (read[0].x.kind == "category")


def _height(read: Sequence[Sketch], chosen: Look) -> float:
    drawn = read[0]
    if drawn.lies_down:
        return 0.5 + ROW * max(2, len(drawn.x.values) * max(1, min(3, len(drawn.series))))
    if drawn.figure.kind == "heatmap" and drawn.series:
        longest = max((min(len(text), 26) for text in drawn.x.texts), default=0)
        return 0.45 + 0.05 * longest + ROW * max(3, len(set(drawn.series[0].texts)))
    return min(chosen.inches * 0.6, 3.2)


def _share_labels(canvas: Canvas, axes: list[Axes], columns: int) -> None:
    """Keep the axis titles of small multiples at the left and below only."""
    if len(axes) == 1:
        return
    for number, ax in enumerate(axes):
        if number % columns:
            ax.set_ylabel("")
        if number + columns < len(axes):
            ax.set_xlabel("")
        else:
            ax.tick_params(labelbottom=True)


def _columns(entries: list[Entry], inches: float) -> int:
    widest = max(len(entry.title) for entry in entries) + 6
    return max(1, min(len(entries), int(inches * 18 / widest)))


def _handle(entry: Entry, drawn: Sketch, shade: Tones) -> Any:
    color, title = shade.series[entry.series % len(shade.series)], clip(entry.title, 60)
    if entry.look == "band":
        return Patch(facecolor=color, alpha=0.25, label=title)
    if entry.look in {"bar", "fill"}:
        hatch = HATCHES[entry.series % len(HATCHES)] if entry.look == "bar" else ""
        return Patch(facecolor=color, edgecolor=shade.paper, linewidth=0, hatch=hatch, label=title)
    if entry.look == "points":
        shape = SHAPES[MARKERS[entry.series % len(MARKERS)]]
        return Line2D([], [], color=color, linestyle="none", marker=shape, label=title)
    return Line2D([], [], color=color, linestyle=pattern(entry.dashes), label=title)


def _wrapped(text: str, inches: float) -> str:
    return "\n".join(textwrap.wrap(clip(plain(text), 400), max(12, int(inches * LETTERS_PER_INCH))))
