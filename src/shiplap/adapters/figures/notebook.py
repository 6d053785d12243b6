"""What a notebook shows: a report as its page in a frame, a figure likewise, a picture to readers without scripts.

A notebook that is read on a page that runs no scripts (such as that of a code host) loses the frame and the style; what
is hidden by that style stands there instead.
"""

from __future__ import annotations

import base64
import html
from functools import partial

from shiplap.adapters.figures import words
from shiplap.adapters.figures.manner import notes
from shiplap.adapters.figures.page import render
from shiplap.adapters.figures.sketch import panels
from shiplap.adapters.figures.static import as_png
from shiplap.core.report import Figure, Report

__all__ = ["bundle", "frame"]

HEIGHT = 640
FIGURE_HEIGHT = 470
DPI = 200
_escape = partial(html.escape, quote=True)


def frame(report: Report) -> str:
    """Render a report for a notebook: the page in a frame, so that its style and the notebook's stay apart.

    Examples
    --------
    >>> frame(Report(verb="assess", title="Is it worth it?"))[:62]
    '<div style="display: none"><h3>Is it worth it?</h3><p>done</p>'
    """
    said = "".join(f"<li>{_escape(words.sentence(finding))}</li>" for finding in report.findings)
    known = "".join(f"<li>{_escape(name)}: {_escape(value)}</li>" for name, value in words.metrics(report.metrics))
    title, verdict = _escape(words.plain(report.title)), _escape(words.plain(report.verdict))
    return _framed(render(report), title, f"<h3>{title}</h3><p>{verdict}</p><ul>{said}{known}</ul>", HEIGHT)


def bundle(figure: Figure) -> dict[str, str]:
    """Render a figure for a notebook: interactive where scripts run, a picture where they do not, else its name.

    Returns
    -------
    dict of str to str
        By media type: ``text/html``, ``image/png`` in base64, ``text/plain``.
    """
    shown = {"text/plain": repr(figure)}
    if all(drawn.is_empty for drawn in panels(figure)):
        return shown
    picture = base64.b64encode(as_png(figure, width=6.0, dpi=DPI)).decode()
    title = _escape(words.plain(figure.title))
    instead = f'<img alt="{title}" width="600" src="data:image/png;base64,{picture}">'
    page = render(Report(verb="", title="", verdict="", figures=(figure,)), bare=True)
    return {"text/html": _framed(page, title, instead, _height(figure)), "image/png": picture, **shown}


def _height(figure: Figure) -> int:
    read = panels(figure)
    rows = len(read[0].x.values) if read[0].lies_down else len(set(read[0].series[0].texts)) * read[0].is_grid
    return FIGURE_HEIGHT + 24 * len(notes(figure, read)) + max(0, 28 * rows - 260)


def _framed(page: str, title: str, instead: str, height: int) -> str:
    style = f"width: 100%; height: {height}px; border: 0; border-radius: 8px"
    shown = f'<iframe title="{title}" style="{style}" srcdoc="{_escape(page)}"></iframe>'
    return f'<div style="display: none">{instead}</div>{shown}'
