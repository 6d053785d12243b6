"""Image files that a column names: which are missing or broken, how large they are, which are the same.

Files are only read, and only ones that lie, links resolved, in the folder of the table or below it. A table comes from
others: it must not make anybody open a file that they did not hand over with it.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from shiplap.core.finding import Finding, Grade
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.part import Part
from shiplap.scientist.explore.view import View
from shiplap.scoring.readers.image import MAX_BYTES, MAX_PIXELS

__all__ = ["look_at_images"]

_NAME = re.compile(r"[^\x00]+\.(png|jpe?g|gif|bmp|tiff?|webp)", re.IGNORECASE)
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_SHARE = 0.9
_MOST_FILES = 1_000
_ALL_BYTES, _ALL_PIXELS = 512 * 2**20, 200_000_000
"""Bytes read and pixels decoded of one column: a second or two. Of what comes after, only the head is looked at."""
_FEW_BYTES = 2**16
_NAMED = 3

State = Literal["whole", "broken", "missing", "outside", "too large"]


@dataclass(frozen=True)
class _Image:
    """One file that a column names, and what it is; `whole` says as much as was decoded of it."""

    name: str
    state: State
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    digest: str = ""


def look_at_images(view: View) -> Part:
    """Open up to 1,000 files of each column of the sample that names images."""
    findings: list[Finding] = []
    rows: list[tuple[Cell, ...]] = []
    figures = []
    for column in view.profile.columns:
        if column.lengths is None or not (names := _names(view.sample[column.name])):
            continue
        if view.table.folder is None:
            findings.append(_unseen(column.name))
            continue
        seen = _looked(names, view.table.folder)
        findings += _said(column.name, seen, len(names))
        rows.append(_row(column.name, seen, len(names)))
        if whole := [image for image in seen if image.state == "whole"]:
            figures.append(_sizes(column.name, whole))
    title = "The images that columns name (sizes in pixels, of the files looked at)"
    headings = ("column", "names", "looked at", "whole", "formats", "modes", "width", "height")
    table = DataTable(name="images", title=title, columns=headings, rows=tuple(rows))
    return Part(findings=tuple(findings), tables=(table,) if rows else (), figures=tuple(figures))


def _names(values: pd.Series) -> list[str]:
    """Return the different names of image files in a column; none where other texts are more than a tenth."""
    different = values.dropna().unique()
    if not len(different) or not _NAME.fullmatch(str(different[0])):
        return []
    named = [text for text in map(str, different) if _NAME.fullmatch(text)]
    return named if len(named) >= _SHARE * len(different) else []


def _looked(names: list[str], folder: Path) -> list[_Image]:
    """Look at files that are spread evenly over the names."""
    some = [names[place] for place in np.linspace(0, len(names) - 1, min(_MOST_FILES, len(names))).astype(int)]
    read, decoded, seen = 0, 0, []
    folder = folder.resolve()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is odd in a file but readable; its size is judged here
        for name in some:
            path = _inside(name, folder)
            if not isinstance(path, Path):
                seen.append(_Image(name, path))
                continue
            whole = read < _ALL_BYTES and decoded < _ALL_PIXELS
            image = _opened(name, path, whole=whole)
            read += path.stat().st_size if whole else 0
            decoded += image.width * image.height if whole else 0
            seen.append(image)
    return seen


def _inside(name: str, folder: Path) -> Path | State:
    """Return the file that a name means, or why it is not opened."""
    if re.match(r"[a-z][a-z0-9+.-]*://", name, re.IGNORECASE):
        return "outside"
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            return "outside"
        if not path.is_file():
            return "missing"
        return "too large" if path.stat().st_size > MAX_BYTES else path
    except (OSError, RuntimeError):  # a name that no file can have, or links that lead in a circle
        return "missing"


def _opened(name: str, path: Path, *, whole: bool) -> _Image:
    """Read one file: all of it, or its head alone."""
    from PIL import Image as pillow  # noqa: PLC0415, N813  (only tables that name images need it)

    broken = (OSError, ValueError, SyntaxError, EOFError, pillow.DecompressionBombError)
    try:
        with pillow.open(path, formats=_FORMATS) as image:
            width, height = image.size
            told = _Image(name, "whole", str(image.format), image.mode, width, height)
            if width * height > MAX_PIXELS:
                return _Image(name, "too large")
            if not whole:
                return told
            image.draft(None, (width // 8, height // 8))  # a JPEG is read to its end, and computed at an eighth
            image.load()
    except broken:
        return _Image(name, "broken")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _Image(name, "whole", told.format, told.mode, width, height, digest)


def _row(column: str, seen: list[_Image], n_names: int) -> tuple[Cell, ...]:
    whole = [image for image in seen if image.state == "whole"]
    formats, modes = (
        ", ".join(f"{value} {rows:,}" for value, rows in counts.most_common())
        for counts in (Counter(image.format for image in whole), Counter(image.mode for image in whole))
    )
    wide, high = _span([image.width for image in whole]), _span([image.height for image in whole])
    return (column, n_names, len(seen), len(whole), formats or None, modes or None, wide, high)


def _span(sizes: list[int]) -> str | None:
    if not sizes:
        return None
    low, high = min(sizes), max(sizes)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}, half at most {int(np.median(sizes)):,}"


def _said(column: str, seen: list[_Image], n_names: int) -> Iterator[Finding]:
    of = f"of {len(seen):,} looked at" + (f", of {n_names:,} named" if n_names > len(seen) else "")
    faults: tuple[tuple[State, Grade, str, str], ...] = (
        ("missing", "warn", "are not there", "see whether the folder moved; leave out rows without their image"),
        ("broken", "warn", "cannot be read to the end", "fetch them again, or leave their rows out"),
        ("too large", "note", f"are beyond {MAX_BYTES >> 20} MB or {MAX_PIXELS:,} pixels", "make them smaller"),
        ("outside", "note", "lie outside the table's folder and are not opened", "put the table above its images"),
    )
    for state, verdict, what, todo in faults:
        if named := [image.name for image in seen if image.state == state]:
            shown = ", ".join(repr(name) for name in named[:_NAMED])
            means = f"{len(named):,} images of '{column}' ({of}) {what}: {shown}"
            yield _finding(state.replace(" ", "_"), verdict, column, means, todo, len(named))
    whole = [image for image in seen if image.state == "whole"]
    digests = Counter(image.digest for image in whole if image.digest)
    if copies := sum(rows - 1 for rows in digests.values()):
        first, second = [image.name for image in whole if image.digest == digests.most_common(1)[0][0]][:2]
        means = f"{copies:,} images of '{column}' ({of}) repeat another file byte for byte: {first!r} and {second!r}"
        todo = "keep copies on one side of a split: to learn from what judges flatters"
        yield _finding("copies", "warn", column, means, todo, copies)
    if len(modes := Counter(image.mode for image in whole)) > 1:
        told = ", ".join(f"{mode} {rows:,}" for mode, rows in modes.most_common())
        means = f"'{column}' mixes images of several modes: {told}"
        yield _finding("modes", "note", column, means, "convert them to one: a network takes one number of channels")


def _finding(check: str, verdict: Grade, column: str, means: str, todo: str, value: int | None = None) -> Finding:
    return Finding(check=f"images.{check}", verdict=verdict, means=means, todo=todo, columns=(column,), value=value)


def _unseen(column: str) -> Finding:
    means = f"'{column}' names image files, but this table lies in no folder that they could be looked for in"
    return _finding("unseen", "note", column, means, "write the table to a file beside them and explore that")


def _sizes(column: str, whole: list[_Image]) -> Figure:
    return Figure(
        name=f"images.{column}",
        title=f"How large the images of '{column}' are",
        kind="scatter",
        data={"width": [image.width for image in whole], "height": [image.height for image in whole]},
        x="width",
        y=("height",),
        labels={"width": "width in pixels", "height": "height in pixels"},
    )
