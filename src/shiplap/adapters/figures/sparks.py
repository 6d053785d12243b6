"""Pictures out of characters: bars and lines small enough to stand in a terminal or a table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

__all__ = ["bar", "spark", "whisker"]

_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def spark(values: Sequence[float], *, width: int = 40) -> str:
    """Draw a series as one line of characters, a space where it has no value.

    Parameters
    ----------
    values : sequence of float
        In order; more than `width` are averaged in groups.
    width : int
        Characters at most.

    Examples
    --------
    >>> spark([0, 1, 2, 3])
    '▁▃▆█'
    """
    points = _grouped(values, width)
    known = [value for value in points if math.isfinite(value)]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    top = len(_LEVELS) - 1
    return "".join(_LEVELS[round((value - low) / span * top)] if math.isfinite(value) else " " for value in points)


def bar(share: float, *, width: int = 20) -> str:
    """Draw a share from 0 to 1 as a bar of at most `width` characters, to an eighth of one.

    Examples
    --------
    >>> bar(0.5, width=4), bar(1.0, width=4)
    ('██', '████')
    """
    if not math.isfinite(share):
        return ""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def whisker(low: float, value: float, high: float, *, width: int = 36) -> str:
    """Draw a value with its interval, places given as shares of the width; the value alone where it has none.

    Examples
    --------
    >>> whisker(0.25, 0.5, 1.0, width=9), whisker(math.nan, 0.5, math.nan, width=9)
    ('  ├─●───┤', '    ●')
    """
    if not math.isfinite(value):
        return ""
    line = [" "] * width
    ends = [end for end in (low, high) if math.isfinite(end)]
    if len(ends) == 2:
        start, stop = (_column(end, width) for end in sorted(ends))
        line[start : stop + 1] = "─" * (stop + 1 - start)
        line[start], line[stop] = "├", "┤"
    line[_column(value, width)] = "●"
    return "".join(line).rstrip()


def _column(share: float, width: int) -> int:
    return round(min(max(share, 0.0), 1.0) * (width - 1))


def _grouped(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [round(place * len(values) / width) for place in range(width + 1)]
    groups = [[v for v in values[left:right] if math.isfinite(v)] for left, right in itertools.pairwise(edges)]
    return [sum(group) / len(group) if group else math.nan for group in groups]
