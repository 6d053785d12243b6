"""How far the axes of a figure reach: what is drawn, room around it, and the same for all small multiples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from shiplap.adapters.figures.sketch import Axis, Sketch

__all__ = ["across", "gap", "values"]

Span = tuple[float, float]
PAD = 0.05
FARTHEST = 305.0


def values(drawn: Sequence[Sketch], *, above: float = 0.0) -> Span:
    """Return the range of the values: from zero where bars grow from it, with room at the far end.

    Parameters
    ----------
    drawn : sequence of Sketch
        Small multiples, or one.
    above : float
        More room at the far end, as a share of the range.

    Examples
    --------
    >>> from shiplap.adapters.figures.sketch import sketch
    >>> from shiplap.core.report import Figure
    >>> values([sketch(Figure(name="f", title="", kind="bar", data={"c": ["a"], "n": [20]}, x="c", y=("n",)))])
    (0.0, 21.0)
    """
    first = drawn[0]
    log = "y" in first.figure.log
    if first.is_grid:
        places = [axis for one in drawn for axis in one.series[:1]]
        low, high = _hull([axis.span() for axis in places if _has_place(axis)], log=False)
        half = min((gap(axis.values) for axis in places), default=1.0) / 2
        return low - half, high + half
    low, high = _hull([span for one in drawn for span in _spans(one)], log=log)
    if first.figure.kind in {"bar", "histogram"} and not log:
        low, high = min(low, 0.0), max(high, 0.0)
    if first.figure.diagonal and not log:
        low, high = _hull([(low, high), *(one.x.span() for one in drawn)], log=False)
    if log:
        return _widened(low, high, PAD, PAD + above)
    room = (high - low) or abs(high) or 1.0
    below = 0.0 if low == 0 else PAD * room
    over = 0.0 if high == 0 and low < 0 and not above else (PAD + above) * room
    return (low - below, high + over) if low - below < high + over else (low - 1.0, high + 1.0)


def across(drawn: Sequence[Sketch]) -> Span:
    """Return the range of the horizontal axis, half a step wider where bars stand on it."""
    first = drawn[0]
    marked = [(at, at) for one in drawn for at, _ in one.marks] + [
        (start, end) for one in drawn for start, end, _ in one.spans
    ]
    if first.edges:
        axes: Iterable[Axis] = (axis for one in drawn for axis in one.edges or ())
        low, high = _hull([axis.span() for axis in axes] + marked, log=first.x.log)
        if low < high:
            return low, high
        half = max(0.5, abs(low) / 20)
        return _widened(low, high, 0.03, 0.03) if first.x.log else (low - half, high + half)
    low, high = _hull([one.x.span() for one in drawn if _has_place(one.x)] + marked, log=first.x.log)
    if first.x.log:
        return _widened(low, high, 0.03, 0.03)
    if first.figure.kind in {"bar", "histogram", "density"} or first.x.kind == "category":
        half = min(gap(one.x.values) for one in drawn) / 2
        return low - half, high + half
    room = 0.02 * ((high - low) or 1.0)
    return low - room, high + room


def gap(places: Iterable[float]) -> float:
    """Return the least distance between two different places; 1 where there are no two.

    Examples
    --------
    >>> gap([1.0, 4.0, 2.5])
    1.5
    """
    known = sorted({place for place in places if math.isfinite(place)})
    return min((right - left for left, right in itertools.pairwise(known)), default=1.0)


def _spans(one: Sketch) -> list[Span]:
    axes = [*one.series, *(end for bounds in one.bounds for end in (bounds.low, bounds.high))]
    lines = [place for place, _ in one.levels] + ([place for place, _ in one.marks] if one.lies_down else [])
    return [axis.span() for axis in axes if _has_place(axis)] + [(place, place) for place in lines]


def _has_place(axis: Axis) -> bool:
    return any(math.isfinite(value) for value in axis.values)


def _hull(spans: list[Span], *, log: bool) -> Span:
    if not spans:
        return (1.0, 10.0) if log else (0.0, 1.0)
    return min(low for low, _ in spans), max(high for _, high in spans)


def _widened(low: float, high: float, below: float, above: float) -> Span:
    """Widen a logarithmic range by shares of its decades, at least a third of one to either side of a single value."""
    start, end = math.log10(low), math.log10(high)
    decades = (end - start) or 1 / PAD / 3
    return 10 ** max(-FARTHEST, start - below * decades), 10 ** min(FARTHEST, end + above * decades)
