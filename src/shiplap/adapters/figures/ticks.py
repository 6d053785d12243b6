"""The numbers on an axis as people read them, one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

from shiplap.adapters.figures.sketch import Axis
from shiplap.adapters.figures.words import MINUS, number, percent

__all__ = ["tick_text"]

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LARGE = ((1e9, "bn"), (1e6, "m"))


def tick_text(axis: Axis) -> Callable[..., str]:
    """Return how the numbers of an axis are written: percentages, years, powers of ten, or with separators.

    Examples
    --------
    >>> tick_text(Axis("number", "rows", [0.0, 1200.0], []))(1000.0)
    '1,000'
    >>> tick_text(Axis("number", "rows", [1.0, 1e9], [], log=True))(1e6)
    '10⁶'
    """
    low, high = axis.span()
    years = "year" in axis.title.lower() and 1000 <= low <= high <= 3000

    def text(value: float, _position: object = None) -> str:
        if axis.share:
            return percent(round(value, 12))
        if years:
            return f"{value:.0f}"
        if axis.log and value > 0 and not 1e-3 <= value < 1e5:
            return _power(value)
        for size, name in _LARGE:
            if abs(value) >= size and abs(value) < 1e12 and not axis.log:
                return f"{number(value / size)}{name}".replace("-", MINUS)
        return number(float(f"{value:.12g}"), digits=6 if high - low < abs(high) / 100 else 4)

    return text


def _power(value: float) -> str:
    exponent = math.floor(math.log10(value) + 1e-9)
    mantissa = value / 10.0**exponent
    power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
    return power if abs(mantissa - 1) < 1e-6 else f"{number(mantissa, digits=2)} × {power}"
