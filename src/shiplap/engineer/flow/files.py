"""Verbs that leave a file, as the command line calls them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.atomic import replacing
from shiplap.core.errors import InputError, nearest
from shiplap.core.model import Model
from shiplap.core.report import Report, drawers
from shiplap.engineer.flow.project import locate
from shiplap.engineer.flow.verbs import read_rows, verbs

__all__ = ["check_folder", "export_file", "pack_file", "present_file", "train_to_file"]


def train_to_file(source: Any = None, *, out: Path | None = None, **question: Any) -> tuple[Report, Path]:
    """Train on rows from anywhere and write the model as a skops file.

    Parameters
    ----------
    source : path, str or table-like, optional
        Rows, or a folder with ``shiplap.toml``.
    out : Path, optional
        File to write; ``NAME.skops`` in the working folder when left out.
    **question
        Fields of a `Brief`.

    Returns
    -------
    tuple of (Report, Path)
        What training found, and the file.
    """
    project = locate(source, **question)
    path = out or Path(f"{project.brief.name}.skops")
    check_folder(path.parent)
    model: Model = verbs.get("train")(read_rows(project), brief=project.brief)
    _write(path, verbs.get("dump_model")(model))
    return model.report, path


def pack_file(model: Path, *, data: str, out: Path | None = None, **asked: Any) -> tuple[Report, Path]:
    """Pack a model file into a ship file.

    Parameters
    ----------
    model : Path
        A model file, or a folder that holds a model; see `shiplap.pack`.
    data : str
        Rows the model can answer: any table, or arrays in an ``.npy`` or ``.npz`` file.
    out : Path, optional
        Ship file to write; the model's name with ``.ship`` when left out.
    **asked
        `trust`, and what the model leaves open: `method`, `classes`, `framework`.

    Returns
    -------
    tuple of (Report, Path)
        The certificate's report, and the file.

    Raises
    ------
    InputError
        There is no such file, or it cannot be read.
    UntrustedError
        It runs code when it is read, and nobody said to trust it.
    """
    path = out or Path(f"{model.resolve().stem}.ship")
    check_folder(path.parent)
    rows = verbs.get("read_arrays" if data.endswith((".npy", ".npz")) else "read")(data)
    ship = verbs.get("pack")(model, rows, path=path, name=path.stem, **asked)
    return verbs.get("certificate_report")(ship), path


def export_file(ship: Path, *, out: Path | None = None) -> tuple[Report, Path]:
    """Write a ship file as one plain ONNX model.

    Parameters
    ----------
    ship : Path
        A ship file.
    out : Path, optional
        File to write; the ship's name with ``.onnx`` when left out.

    Returns
    -------
    tuple of (Report, Path)
        How the two were compared, and the file.
    """
    path = out or Path(f"{ship.stem}.onnx")
    return verbs.get("export")(ship, path), path


def present_file(report: Path, *, out: Path | None = None, figures: Path | None = None) -> Path:
    """Draw the report page of a run again.

    Parameters
    ----------
    report : Path
        What ``shiplap run --json`` printed.
    out : Path, optional
        Page to write; ``report.html`` when left out.
    figures : Path, optional
        Folder to write each figure to as PDF, SVG and PNG.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        There is no such file, or it is not a report.
    """
    try:
        decoded = msgspec.json.decode(_read(report), type=Report)
    except msgspec.DecodeError as error:
        raise InputError(f"'{report}' is not a report: {error}", hint="shiplap run --json > report.json") from error
    if figures is not None:
        drawers.get("folder")(decoded, figures)
    page: Path = verbs.get("present")(decoded, path=out or Path("report.html"))
    return page


def check_folder(folder: Path) -> None:
    """Refuse, before any work is done, a folder that nothing can be written in.

    Raises
    ------
    InputError
        It is not there, is no folder, or is read-only.

    Examples
    --------
    >>> check_folder(Path("no-such-folder"))
    Traceback (most recent call last):
    shiplap.core.errors.InputError: there is no folder 'no-such-folder' to write in (make it, or choose another)
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder '{folder}' to write in", hint="make it, or choose another")
    if not os.access(folder, os.W_OK):
        raise InputError(f"the folder '{folder}' cannot be written", hint="choose another with --out")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        there = sorted(entry.name for entry in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        raise InputError(f"no file '{path}'", hint=nearest(path.name, there)) from None
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as part:
        part.write_bytes(content)
