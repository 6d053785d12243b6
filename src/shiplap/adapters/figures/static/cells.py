"""Heat maps and densities painted with Matplotlib."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from shiplap.adapters.figures.grids import Cells, cells
from shiplap.adapters.figures.palette import Tones
from shiplap.adapters.figures.sketch import Sketch
from shiplap.adapters.figures.ticks import tick_text

__all__ = ["density", "heatmap"]

MOST_VECTORS = 3_000


def heatmap(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    """Paint named rows and columns; the value stands in each cell where they are few."""
    if len(drawn.series) < 2:
        return
    found = cells(drawn)
    painted = _paint(ax, drawn, found, shade, line=0.6)
    ax.set_xlim(-0.5, max(1, len(found.across_names)) - 0.5)
    ax.set_ylim(max(1, len(found.down_names)) - 0.5, -0.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if found.is_written:
        for x, y, value, text in zip(found.across, found.down, found.heat.values, found.heat.texts, strict=True):
            if math.isfinite(value):
                red, green, blue, _ = painted.to_rgba(np.array([value]))[0]
                color = "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "#ffffff"
                ax.text(x, y, text, ha="center", va="center", fontsize=6, color=color)


def density(ax: Axes, drawn: Sketch, shade: Tones) -> None:
    """Paint how many rows lie where."""
    if len(drawn.series) > 1:
        _paint(ax, drawn, cells(drawn), shade, line=0.0)


def _paint(ax: Axes, drawn: Sketch, found: Cells, shade: Tones, *, line: float) -> PolyCollection:
    scale = 1 / 86_400_000.0 if drawn.x.kind == "date" and not found.across_names else 1.0
    x, y, heat = np.asarray(found.across) * scale, np.asarray(found.down), np.asarray(found.heat.values)
    half, tall = found.width * scale / 2, found.height / 2
    corners = [(-half, -tall), (half, -tall), (half, tall), (-half, tall)]
    squares = np.stack([np.column_stack([x + dx, y + dy]) for dx, dy in corners], axis=1)
    colors = LinearSegmentedColormap.from_list("shiplap", shade.parting if found.parts else shade.heat, bad=shade.grid)
    painted = PolyCollection(
        list(squares),
        array=np.ma.masked_invalid(heat),
        cmap=colors,
        norm=LogNorm(found.low, found.high) if found.log else Normalize(found.low, found.high),
        edgecolors=shade.paper if line else "face",
        linewidths=line or 0.2,
        rasterized=len(x) > MOST_VECTORS,
    )
    ax.add_collection(painted, autolim=False)
    bar = ax.figure.colorbar(painted, ax=ax, pad=0.02, fraction=0.05, aspect=24)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=6.5)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(tick_text(found.heat)))
    if not found.log:
        bar.ax.yaxis.set_major_locator(MaxNLocator(5))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label(found.heat.title, fontsize=6.5)
    return painted
