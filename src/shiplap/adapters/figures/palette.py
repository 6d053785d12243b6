"""One palette for every picture: a light and a dark value for each role, told apart by color-blind eyes.

The series follow M. Okabe and K. Ito, "Color Universal Design" (2008), moved until any two of them lie at least 12
apart by CIEDE2000 to normal eyes and to those that lack one kind of cone (G. M. Machado, M. M. Oliveira and L. A. F.
Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009), and each
stands at 3:1 or better against its background (WCAG 2.2, 1.4.11). Every light value is used by one role only: a
page in the dark replaces each by its partner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "AXIS", "GRID", "HEAT", "INK", "MARK", "PAPER", "PARTING", "SERIES", "Theme", "Tones", "as_css", "pairs", "tones",
]  # fmt: skip

Theme = Literal["light", "dark"]

PAPER = "#ffffff"
INK = "#15191e"
AXIS = "#5a6470"
GRID = "#e4e7eb"
MARK = "#3d4650"
SERIES = ("#0072b2", "#b74706", "#066546", "#90497b", "#ae9114", "#353065")
HEAT = ("#eaf3f9", "#cfe3f1", "#aecfe6", "#86b7d8", "#5a9bc7", "#2f7fb4", "#0f659c", "#0a4d79", "#073655")
PARTING = ("#7a2c00", "#a9480f", "#cf7436", "#e9b08a", "#f3f1ee", "#a6cbe4", "#5596c4", "#15649a", "#0b3e63")
"""Two colors that part from a pale middle, for values that lie to either side of one."""

_DARK_SERIES = ("#56b4e9", "#ed823d", "#3beeb9", "#d193af", "#efde71", "#7c78cb")
_DARK_HEAT = ("#16222c", "#1a3040", "#1f4056", "#25536f", "#2d688a", "#3980a6", "#4b9ac2", "#6ab5dc", "#98d2f2")
_DARK_PARTING = ("#ffb98a", "#f1904f", "#b9622b", "#6e3f22", "#24282d", "#1f4a66", "#2f7aa8", "#62b2e0", "#a5d8f7")
_PAIRS = {
    PAPER: "#14171b",
    INK: "#eceff2",
    AXIS: "#9aa5b1",
    GRID: "#2b3138",
    MARK: "#c3cbd3",
    **dict(zip(SERIES, _DARK_SERIES, strict=True)),
    **dict(zip(HEAT, _DARK_HEAT, strict=True)),
    **dict(zip(PARTING, _DARK_PARTING, strict=True)),
}


@dataclass(frozen=True)
class Tones:
    """The palette in one theme; see the constants of this module."""

    paper: str
    ink: str
    axis: str
    grid: str
    mark: str
    series: tuple[str, ...]
    heat: tuple[str, ...]
    parting: tuple[str, ...]


def tones(theme: Theme) -> Tones:
    """Return the palette in one theme.

    Examples
    --------
    >>> tones("dark").paper
    '#14171b'
    """
    shown = {light: light for light in _PAIRS} if theme == "light" else _PAIRS
    series, heat, parting = (tuple(shown[color] for color in scale) for scale in (SERIES, HEAT, PARTING))
    paper, ink, axis, grid, mark = (shown[color] for color in (PAPER, INK, AXIS, GRID, MARK))
    return Tones(paper, ink, axis, grid, mark, series, heat, parting)


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
