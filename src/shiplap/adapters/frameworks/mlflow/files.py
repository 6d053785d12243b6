"""Which file of an MLflow model folder holds the model, by its ``MLmodel`` description.

The format is documented at https://mlflow.org/docs/latest/ml/model/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from shiplap.core.errors import InputError

__all__ = ["model_file"]

# Where each flavor says that its model lies, in the order in which they are tried: what no pickle is comes first.
_FLAVORS = {
    "lightgbm": ("data",),
    "xgboost": ("data",),
    "catboost": ("data",),
    "onnx": ("data",),
    "tensorflow": ("data",),
    "keras": ("data",),
    "sklearn": ("pickled_model", "data"),
    "pytorch": ("model_data", "data"),
}
_USUAL = {"keras": "data/model.keras", "tensorflow": "data/model.keras", "pytorch": "data/model.pth"}
_LIMIT_BYTES, _LONGEST = 1 << 20, 200


def model_file(folder: Path) -> Path:
    """Return the file that holds the model of an MLflow folder.

    Parameters
    ----------
    folder : Path
        A folder with a file ``MLmodel``.

    Raises
    ------
    InputError
        The description cannot be read, names no flavor that is known, or a file outside the folder.
    """
    flavors = _described(folder / "MLmodel").get("flavors", {})
    for flavor, keys in _FLAVORS.items():
        about = flavors.get(flavor) if isinstance(flavors, dict) else None
        if isinstance(about, dict):
            named = next((str(about[key]) for key in keys if isinstance(about.get(key), str)), "")
            return _inside(folder, named, _USUAL.get(flavor, ""))
    known = ", ".join(map(str, flavors)) if isinstance(flavors, dict) and flavors else "none"
    raise InputError(
        f"the MLflow model in '{folder}' has no flavor that can be packed; it has {known}",
        hint=f"log it with one of {', '.join(_FLAVORS)}",
    )


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads no merge keys: each may double what those before it hold, and a description of MLflow has none."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave a mapping as it is."""


def _described(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LIMIT_BYTES:
        raise InputError(f"'{path}' is too large to be a description")
    try:
        about = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"'{path}' cannot be read: {' '.join(str(error).split())}", hint="log it again") from error
    if not isinstance(about, dict):
        raise InputError(f"'{path}' describes no model")
    return about


def _inside(folder: Path, named: str, usual: str) -> Path:
    places = [place for place in (named, f"{named}/{Path(usual).name}" if named and usual else "", usual) if place]
    for place in places:
        if "\0" in place or len(place) > _LONGEST:
            raise InputError(f"the MLflow model in '{folder}' names a file that there cannot be")
        path = (folder / place).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise InputError(f"the MLflow model in '{folder}' names a file outside it: '{place}'")
        if path.is_file() or (path / "saved_model.pb").is_file():
            return path
    raise InputError(f"the MLflow model in '{folder}' names '{named or usual}', which is not there")
