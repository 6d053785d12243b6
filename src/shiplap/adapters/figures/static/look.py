"""How a static figure looks: its size, theme and fonts, as settings of Matplotlib."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Any, Literal

import seaborn
from matplotlib.font_manager import fontManager

from shiplap.adapters.figures.palette import Theme, Tones, tones
from shiplap.core.errors import InputError, nearest

__all__ = ["Look", "look", "settings"]

MM = 1 / 25.4
WIDTHS = {"column": 89 * MM, "page": 183 * MM}
SIZE = 8.0
_FONTS = {
    "sans": ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"),
    "serif": ("Times New Roman", "Liberation Serif", "STIXGeneral", "DejaVu Serif"),
}
_WIDE_FONTS = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans Arabic", "Noto Sans Devanagari", "DejaVu Sans")


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a figure is to look.

    Parameters
    ----------
    width : {"column", "page"} or float
        89 mm, 183 mm, or inches; fonts keep their size.
    height : float, optional
        Inches; what is drawn decides when left out.
    theme : {"light", "dark"}
        Ink on white, or light on dark.
    font : {"sans", "serif"}
        Family of all texts.
    dpi : int
        Dots per inch of a PNG.
    title : bool
        Write the title above; False where a caption says it.
    """

    width: float | Literal["column", "page"] = "column"
    height: float | None = None
    theme: Theme = "light"
    font: Literal["sans", "serif"] = "sans"
    dpi: int = 300
    title: bool = True

    @property
    def inches(self) -> float:
        """The width in inches."""
        return WIDTHS[self.width] if isinstance(self.width, str) else float(self.width)

    @property
    def tones(self) -> Tones:
        """The palette of the theme."""
        return tones(self.theme)


def look(**asked: Any) -> Look:
    """Return the look that was asked for.

    Raises
    ------
    InputError
        An unknown option, or a value that it does not take.

    Examples
    --------
    >>> look(width="page").inches.__round__(2)
    7.2
    >>> look(theme="sepia")
    Traceback (most recent call last):
    shiplap.core.errors.InputError: theme is 'sepia', it takes light or dark
    """
    known = [field.name for field in fields(Look)]
    for name, value in asked.items():
        if name not in known:
            raise InputError(f"a figure has no option '{name}'", hint=nearest(name, known))
        choices = {"width": tuple(WIDTHS), "theme": ("light", "dark"), "font": tuple(_FONTS)}.get(name, ())
        if (isinstance(value, str) and value not in choices) or (
            choices and not isinstance(value, str) and name != "width"
        ):
            raise InputError(f"{name} is '{value}', it takes {' or '.join(choices) or 'a number'}")
        if name in {"width", "height", "dpi"} and isinstance(value, int | float) and not 0 < value < 5000:
            raise InputError(f"{name} is {value}, it takes a number above 0")
    return Look(**asked)


def settings(chosen: Look) -> dict[str, Any]:
    """Return the settings of Matplotlib for a look: Seaborn's, then those of Shiplap.

    Fonts are embedded in a PDF as TrueType and text stays text in an SVG, so that both can be searched and edited.
    """
    shade = chosen.tones
    return {
        **seaborn.axes_style("ticks"),
        **seaborn.plotting_context("paper"),
        "axes.edgecolor": shade.axis,
        "axes.facecolor": shade.paper,
        "axes.labelcolor": shade.axis,
        "axes.labelsize": SIZE,
        "axes.linewidth": 0.6,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": SIZE,
        "axes.unicode_minus": True,
        "figure.constrained_layout.h_pad": 0.03,
        "figure.constrained_layout.w_pad": 0.03,
        "figure.facecolor": shade.paper,
        "font.family": _families(chosen.font),
        "font.size": SIZE,
        "grid.color": shade.grid,
        "grid.linewidth": 0.5,
        "hatch.linewidth": 0.7,
        "legend.fontsize": SIZE - 1,
        "lines.linewidth": 1.4,
        "lines.markersize": 4.0,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "savefig.facecolor": shade.paper,
        "svg.fonttype": "none",
        "svg.hashsalt": "shiplap",
        "text.color": shade.ink,
        "text.parse_math": False,
        "xtick.color": shade.axis,
        "xtick.labelsize": SIZE - 1,
        "xtick.major.size": 2.5,
        "xtick.major.width": 0.6,
        "xtick.minor.size": 0.0,
        "ytick.color": shade.axis,
        "ytick.labelsize": SIZE - 1,
        "ytick.major.size": 2.5,
        "ytick.major.width": 0.6,
        "ytick.minor.size": 0.0,
    }


@functools.cache
def _families(font: str) -> list[str]:
    """Return the families that this machine has, the wanted first; others lend the letters that it lacks."""
    there = set(fontManager.get_font_names())
    return list(dict.fromkeys(name for name in (*_FONTS[font], *_WIDE_FONTS) if name in there))
