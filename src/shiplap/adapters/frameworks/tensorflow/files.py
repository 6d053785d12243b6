"""Read Keras and SavedModel files without running what is in them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from shiplap.adapters.frameworks.tensorflow.audit import require_harmless
from shiplap.core.errors import InputError, RefusedError

__all__ = ["load"]


def load(path: Path) -> Any:
    """Read a model file.

    Parameters
    ----------
    path : Path
        A ``.keras`` file, or the folder of a SavedModel.

    Returns
    -------
    keras.Model or SavedModel
        What `pack` takes.

    Raises
    ------
    InputError
        The file is no such model, is cut off, or misses a class that is not Keras's own.
    RefusedError
        It holds code (a Lambda layer), or operators that do more than compute.

    Examples
    --------
    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder, "model.keras"))
    ...     load(Path(folder, "model.keras")).count_params()
    3
    """
    if path.is_dir():
        require_harmless(path)
        return tf.saved_model.load(str(path))
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path.name} is no .keras file", hint="save the model with model.save('model.keras')")
    return _keras(path)


def _keras(path: Path) -> Any:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, ModuleNotFoundError, zipfile.BadZipFile) as error:
        reason = str(error).strip().splitlines()[0]
        if "lambda" in str(error).lower():
            raise RefusedError(
                f"{path.name} holds a Lambda layer, which is code: {reason}",
                hint="build the model with layers instead of Lambda, or pack the live model",
            ) from error
        raise InputError(
            f"{path.name} cannot be read: {reason}",
            hint="a model with classes of its own is packed live: shiplap.pack(model, X)",
        ) from error
