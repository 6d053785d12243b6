"""One palette for every picture: a light and a dark value for each role, told apart by color-blind eyes.

The series follow M. Okabe and K. Ito, "Color Universal Design" (2008), lightened or darkened so that each stands at
3:1 or better against its background (WCAG 2.2, 1.4.11). Every light value is used by one role only: a page in the
dark replaces each by its partner.
"""

from __future__ import annotations

__all__ = ["AXIS", "GRID", "HEAT", "INK", "MARK", "PAPER", "SERIES", "as_css", "pairs"]

PAPER = "#ffffff"
INK = "#15191e"
AXIS = "#5a6470"
GRID = "#e4e7eb"
MARK = "#3d4650"
SERIES = ("#0072b2", "#d55e00", "#008f69", "#a8548a", "#8a6d00", "#4f5b93")
HEAT = ("#eaf3f9", "#cfe3f1", "#aecfe6", "#86b7d8", "#5a9bc7", "#2f7fb4", "#0f659c", "#0a4d79", "#073655")

_DARK_SERIES = ("#56b4e9", "#f08a4b", "#2ec79b", "#dd96c4", "#e0b93c", "#9aa6e8")
_DARK_HEAT = ("#16222c", "#1a3040", "#1f4056", "#25536f", "#2d688a", "#3980a6", "#4b9ac2", "#6ab5dc", "#98d2f2")
_PAIRS = {
    PAPER: "#14171b",
    INK: "#eceff2",
    AXIS: "#9aa5b1",
    GRID: "#2b3138",
    MARK: "#c3cbd3",
    **dict(zip(SERIES, _DARK_SERIES, strict=True)),
    **dict(zip(HEAT, _DARK_HEAT, strict=True)),
}


def pairs() -> dict[str, str]:
    """Return the dark partner of each light color.

    Examples
    --------
    >>> pairs()[SERIES[0]]
    '#56b4e9'
    """
    return dict(_PAIRS)


def as_css() -> str:
    """Return the palette as custom properties of a style sheet, light and dark at once.

    Examples
    --------
    >>> as_css().splitlines()[1]
    '  --paper: light-dark(#ffffff, #14171b);'
    """
    roles = {"paper": PAPER, "ink": INK, "axis": AXIS, "grid": GRID, "mark": MARK}
    roles |= {f"series-{number}": color for number, color in enumerate(SERIES)}
    lines = [f"  --{role}: light-dark({color}, {_PAIRS[color]});" for role, color in roles.items()]
    return "\n".join([":root {", *lines, "}"])
