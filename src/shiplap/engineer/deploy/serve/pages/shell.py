"""The pages themselves: each one file, its style and scripts in it, and a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files

__all__ = ["HEADERS", "docs_page", "form_page", "policy"]

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept",
}
"""What every page is sent with, beside its policy."""


_FIGURES = "shiplap.adapters.figures"  # light or dark is chosen once, for reports and for what is served


@cache
def form_page() -> tuple[bytes, str]:
    """Return the page with a form, and its content security policy."""
    scripts = _read("keyed.js") + _read("page.js")
    link = '<a href="docs">Docs</a>'
    return _page("Shiplap", "what is served here", link, styles="page.css", main=_read("page.html"), script=scripts)


def docs_page(operations: str | None) -> tuple[bytes, str]:
    """Return the page of the description, and its content security policy.

    Parameters
    ----------
    operations : str or None
        What is described, as HTML; None where the page is to ask for it, with a key.
    """
    holder = '<div id="operations" data-ask="docs/operations"></div>'
    inner = holder if operations is None else f'<div id="operations">{operations}</div>'
    scripts = _read("keyed.js") + _read("docs.js")
    link = '<a href="openapi.json">openapi.json</a>'
    return _page("How it is asked · Shiplap", "how it is asked", link, styles="docs.css", main=inner, script=scripts)


def policy(style: str, *scripts: str) -> str:
    """Return the policy of a page: its own style and scripts, this server, and pictures that it was given.

    Examples
    --------
    >>> policy("", "let a").split("; ")[1]
    "script-src 'sha256-IfEXP/8HLuXoAiy0hZVrCAcjcLsZqYFpLOHDGj8enqE='"
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _page(title: str, where: str, link: str, *, styles: str, main: str, script: str) -> tuple[bytes, str]:
    style, theme = _read("shared.css") + _read(styles), _read("theme.js", _FIGURES)
    parts = {"title": escape(title), "where": where, "link": link, "style": style, "theme": theme}
    text = _read("base.html")
    for name, part in {**parts, "script": script, "main": main}.items():  # last, for it may hold anything
        text = text.replace(f"{{{{{name}}}}}", part, 1)
    return text.encode(), policy(style, theme, script)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _read(name: str, package: str = __package__) -> str:
    return (files(package) / "templates" / name).read_text("utf-8")
