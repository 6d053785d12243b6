"""Figures drawn with Bokeh, for pages."""

from shiplap.adapters.figures.bokeh.draw import draw

__all__ = ["draw"]
