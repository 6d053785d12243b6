"""Read LightGBM's own model files: text, which holds no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm

from shiplap.core.errors import InputError

__all__ = ["load"]


def load(path: Path) -> Any:
    """Read a model file.

    Parameters
    ----------
    path : Path
        A file that ``save_model`` wrote, ``.txt``.

    Returns
    -------
    lightgbm.Booster

    Raises
    ------
    InputError
        It is no LightGBM model.
    """
    with path.open("rb") as file:
        if file.readline(8).strip() != b"tree":
            raise InputError(f"{path.name} is no LightGBM model", hint="write it with save_model")
    try:
        return lightgbm.Booster(model_file=path)
    except lightgbm.basic.LightGBMError as error:
        raise InputError(f"{path.name} is a damaged LightGBM model: {error}", hint="write it again") from error
