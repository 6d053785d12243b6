"""Figures drawn with Matplotlib in Seaborn's ticks style, for papers and slides: PDF, SVG, PNG."""

from shiplap.adapters.figures.static.compose import plot
from shiplap.adapters.figures.static.files import as_png, save, save_all

__all__ = ["as_png", "plot", "save", "save_all"]
