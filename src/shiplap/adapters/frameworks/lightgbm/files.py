"""Read LightGBM's own model files: text, which holds no code; checked before the library gets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm

from shiplap.adapters.frameworks.lightgbm.checks import checked_text
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
    content = path.read_bytes()
    if not content.startswith(b"tree\n"):
        raise InputError(f"{path.name} is no LightGBM model", hint="write it with save_model")
    try:
        return lightgbm.Booster(model_str=checked_text(content))
    except (ValueError, KeyError, lightgbm.basic.LightGBMError) as error:
        raise InputError(f"{path.name} is a damaged LightGBM model: {error}", hint="write it again") from error
