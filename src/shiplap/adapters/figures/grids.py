"""The cells of heat maps and densities: where each stands, which color scale they share, what is written in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shiplap.adapters.figures.ranges import gap
from shiplap.adapters.figures.sketch import Axis, Sketch

__all__ = ["MOST_WRITTEN", "Cells", "cells"]

MOST_WRITTEN = 150
WIDE_RANGE = 50.0


@dataclass(frozen=True)
class Cells:
    """Colored cells.

    Parameters
    ----------
    across, down : list of float
        Middles of the cells; places 0, 1, ... in a heat map.
    heat : Axis
        What is colored.
    across_names, down_names : list of str
        What stands at the places of a heat map, in the order in which they come first; empty for a density.
    width, height : float
        Of a cell.
    low, high : float
        The ends of the color scale.
    parts : bool
        Two colors part from the middle of the scale.
    log : bool
        The color scale is logarithmic.
    """

    across: list[float]
    down: list[float]
    heat: Axis
    across_names: list[str]
    down_names: list[str]
    width: float
    height: float
    low: float
    high: float
    parts: bool
    log: bool

    @property
    def is_written(self) -> bool:
        """Whether there are few enough cells to write the value into each."""
        return bool(self.across_names) and len(self.heat.values) <= MOST_WRITTEN and len(self.across_names) <= 12

    def share(self, value: float) -> float:
        """Return where a value lies on the color scale, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def cells(drawn: Sketch) -> Cells:
    """Read the cells of a heat map or a density.

    Examples
    --------
    >>> from shiplap.adapters.figures.sketch import sketch
    >>> from shiplap.core.report import Figure
    >>> columns = {"a": ["u", "v"], "b": ["s", "s"], "r": [0.5, -1.0]}
    >>> found = cells(sketch(Figure(name="f", title="", kind="heatmap", data=columns, x="a", y=("b", "r"), center=0)))
    >>> found.across, found.across_names, (found.low, found.high), found.share(0.5)
    ([0.0, 1.0], ['u', 'v'], (-1.0, 1.0), 0.75)
    """
    heat = drawn.series[1]
    low, high = heat.span()
    center, dense = drawn.figure.center, drawn.figure.kind == "density"
    log = dense and center is None and low > 0 and high / low > WIDE_RANGE
    if center is not None:
        reach = max(abs(low - center), abs(high - center)) or 1.0
        low, high = center - reach, center + reach
    high = high if high > low else low + (abs(low) or 1.0)
    scale = {"low": low, "high": high, "parts": center is not None, "log": log}
    if dense:
        across, down = drawn.x.values, drawn.series[0].values
        return Cells(across, down, heat, [], [], width=gap(across), height=gap(down), **scale)  # type: ignore[arg-type]
    (across, across_names), (down, down_names) = _steps(drawn.x), _steps(drawn.series[0])
    return Cells(across, down, heat, across_names, down_names, width=1.0, height=1.0, **scale)  # type: ignore[arg-type]


def _steps(axis: Axis) -> tuple[list[float], list[str]]:
    """Return the place of each value and the names of the places; numbers and dates in their own order."""
    order = dict.fromkeys(axis.texts)
    if axis.kind != "category":
        placed = zip(axis.values, axis.texts, strict=True)
        order = dict.fromkeys(
            text for _, text in sorted(placed, key=lambda pair: (math.isnan(pair[0]), pair[0], pair[1]))
        )
    place = {text: float(position) for position, text in enumerate(order)}
    return [place[text] for text in axis.texts], list(order)
