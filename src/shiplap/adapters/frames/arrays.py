"""Arrays from NumPy's own files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import TableError

__all__ = ["read_arrays"]


def read_arrays(path: str | Path) -> NDArray[Any] | dict[str, NDArray[Any]]:
    """Read one array from an ``.npy`` file, or several by name from an ``.npz`` file; never objects, which are pickles.

    Parameters
    ----------
    path : str or Path
        The file; the rows lie on the first axis of each array.

    Raises
    ------
    TableError
        There is no such file, or it holds no arrays of numbers.
    """
    try:
        with Path(path).open("rb") as file:
            held = np.load(file, allow_pickle=False)
            return held if isinstance(held, np.ndarray) else {name: held[name] for name in held.files}
    except FileNotFoundError:
        raise TableError(f"there is no file '{path}'") from None
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise TableError(f"'{path}' holds no arrays that can be read: {error}") from error
