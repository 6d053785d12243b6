"""Static figures as files: one, or all figures of a report; the same bytes for the same figure."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Canvas

from shiplap.adapters.figures.sketch import sketch
from shiplap.adapters.figures.static.compose import compose, drawing
from shiplap.adapters.figures.static.look import Look, look
from shiplap.core.atomic import replacing
from shiplap.core.errors import InputError
from shiplap.core.report import Figure, Report

__all__ = ["FORMATS", "as_png", "save", "save_all"]

FORMATS = ("pdf", "svg", "png")
_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)


def save(figure: Figure, path: str | Path, **asked: Any) -> Path:
    """Write a figure as a PDF, SVG or PNG; see `shiplap.core.report.Figure.save`.

    Parameters
    ----------
    figure : Figure
        The picture as data.
    path : path
        File to write; its suffix says what.
    **asked
        How it looks; see `Look`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Another suffix, an unknown option, or a folder that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> data = {"t": [0, 1, 2], "v": [2.0, 3.0, 2.5]}
    >>> figure = Figure(name="f", title="It rises and falls", kind="line", data=data, x="t", y=("v",))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(figure, f"{folder}/growth.pdf").read_bytes()[:5]
    b'%PDF-'
    """
    path = Path(path)
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise InputError(f"a figure is written as {', '.join(FORMATS)}, not '{path.suffix or path.name}'")
    _write(figure, {kind: path}, look(**asked))
    return path


def save_all(report: Report, folder: str | Path, **asked: Any) -> tuple[Path, ...]:
    """Write every figure of a report and of its parts as PDF, SVG and PNG.

    Parameters
    ----------
    report : Report
        Of any verb.
    folder : path
        Where to; it is made.
    **asked
        How they look; see `Look`.

    Returns
    -------
    tuple of Path
        The files: ``NAME.pdf``, ``NAME.svg``, ``NAME.png``; those of a part as ``VERB-NAME``.
    """
    folder, chosen = Path(folder), look(**asked)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write in '{folder}': {error.strerror}", hint="choose another folder") from error
    written: list[Path] = []
    taken: set[str] = set()
    for name, figure in _named(report, ""):
        if sketch(figure).is_empty:
            continue
        stem = _free(name, taken)
        files = {kind: folder / f"{stem}.{kind}" for kind in FORMATS}
        _write(figure, files, chosen)
        written += files.values()
    return tuple(written)


def as_png(figure: Figure, **asked: Any) -> bytes:
    """Return a figure as the bytes of a PNG."""
    chosen = look(**asked)
    with drawing(chosen):
        canvas = Canvas()
        compose(canvas, figure, chosen)
        out = io.BytesIO()
        canvas.savefig(out, format="png", dpi=chosen.dpi, metadata={"Software": None})
    return out.getvalue()


def _write(figure: Figure, files: dict[str, Path], chosen: Look) -> None:
    said = {
        "pdf": {"Title": figure.title, "Creator": "shiplap", "CreationDate": None},
        "svg": {"Title": figure.title, "Creator": "shiplap", "Date": None},
        "png": {"Title": figure.title.encode("ascii", "replace").decode(), "Software": None},
    }
    with drawing(chosen):
        canvas = Canvas()
        compose(canvas, figure, chosen)
        for kind, path in files.items():
            with replacing(path) as part:
                canvas.savefig(part, format=kind, dpi=chosen.dpi, metadata=said[kind])


def _named(report: Report, before: str) -> Iterator[tuple[str, Figure]]:
    for figure in report.figures:
        yield f"{before}{figure.name}", figure
    for part in report.parts:
        yield from _named(part, f"{before}{part.verb}-")


def _free(name: str, taken: set[str]) -> str:
    """Return a file name that no other figure has: no folders, no signs that a shell reads."""
    stem = _UNSAFE.sub("-", name).strip("-.")[:80] or "figure"
    number = 1
    while (found := stem if number == 1 else f"{stem}-{number}").lower() in taken:
        number += 1
    taken.add(found.lower())
    return found
