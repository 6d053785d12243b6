"""What a Bokeh drawing says on hover."""

from __future__ import annotations

import html

from shiplap.adapters.figures.words import clip

__all__ = ["tooltip"]


def tooltip(rows: list[tuple[str, str]]) -> str:
    """Write the hover text: names escaped, since Bokeh reads markup and field names out of it."""
    lines = []
    for name, value in rows:
        shown = html.escape(clip(name, 60)).replace("@", "&#64;").replace("$", "&#36;").replace("{", "&#123;")
        lines.append(f'<div><span style="color: var(--muted)">{shown}</span> <b>{value}</b></div>')
    return f'<div style="line-height: 1.5">{"".join(lines)}</div>'
