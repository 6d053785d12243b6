"""PyTorch's own files. Reading any of them can run what it holds, so none is read outside the sandbox.

``torch.load`` unpickles. A TorchScript archive is a program whose interpreter can write files, and it runs while it is
loaded. A ``.pt2`` program looks harmless and is not: its constants and sample inputs are unpickled, its shape
expressions are evaluated by SymPy as Python, and its operators are looked up by any path below ``torch``.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from shiplap.core.errors import InputError, RefusedError

__all__ = ["load"]


def load(path: Path) -> Any:
    """Read a file of PyTorch. This runs what the file holds: call it in the sandbox only.

    Parameters
    ----------
    path : Path
        A ``.pt2`` program, a TorchScript archive, or a pickled module; told apart by what is in it.

    Returns
    -------
    Module, ScriptModule or ExportedProgram

    Raises
    ------
    InputError
        It is no file of PyTorch, or one of another version.
    RefusedError
        It holds weights and no architecture, as a state dict or a checkpoint of Lightning does.
    """
    members = _members(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if any(member.endswith("archive_format") or "models/" in member for member in members):
                return torch.export.load(path)
            if any("/code/" in member for member in members):
                return torch.jit.load(path, map_location="cpu")
            found = torch.load(path, map_location="cpu", weights_only=False)
    except (RuntimeError, OSError, EOFError, AttributeError, ImportError, KeyError, ValueError) as error:
        raise InputError(
            f"'{path.name}' cannot be read by PyTorch {torch.__version__}: {type(error).__name__}: {error}"[:500],
            hint="read it with the version it was written with, and pass the module to shiplap.pack",
        ) from error
    if isinstance(found, torch.nn.Module):
        return found
    what = "weights and no architecture" if isinstance(found, Mapping) else f"a {type(found).__name__}, no module"
    raise RefusedError(
        f"'{path.name}' holds {what}",
        hint="build the module in Python, load the weights into it, and pass it to shiplap.pack",
    )


def _members(path: Path) -> list[str]:
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()
