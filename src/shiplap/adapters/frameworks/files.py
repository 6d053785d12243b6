"""Model files: which framework wrote one, and how it is read without running anything that is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from shiplap.adapters.frameworks.modelfile import holds_vectors, types_of
from shiplap.adapters.frameworks.sklearn.persist import COMPILED
from shiplap.core.errors import InputError, UntrustedError, nearest
from shiplap.core.registry import Registry
from shiplap.core.sandbox import unsupported

__all__ = ["PICKLED", "is_pickled", "model_file", "model_files", "read_model", "require_trust", "trusted_files"]

_HERE = "shiplap.adapters.frameworks"
_HEAD_BYTES = 4_096
_PICKLE_HEADS = (b"\x80", b"\x78\x9c", b"\x78\x01", b"\x78\xda", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x04\x22\x4d\x18")

model_files: Registry[Callable[[Path], Any]] = Registry("model file", group="shiplap.model_files")
"""Functions ``(path) -> model`` by the name of the format; none of them runs what a file holds."""
trusted_files: Registry[Callable[[Path], Any]] = Registry("trusted model file", group="shiplap.trusted_model_files")
"""Functions ``(path) -> model`` that run what a file holds: for the sandbox alone."""
trusted_files.add_lazy("torch", f"{_HERE}.torch.files:load", extra="torch")
described_files: Registry[Callable[[Path], Path]] = Registry("model folder", group="shiplap.model_folders")
"""Functions ``(folder) -> file`` for folders that describe the model in them."""
described_files.add_lazy("mlflow", f"{_HERE}.mlflow.files:model_file", extra="lab")
for _format, _function, _extra in (
    ("skops", "modelfile:read_skops", "lab"),
    ("lightgbm", "lightgbm.files:load", "lab"),
    ("xgboost", "xgboost.files:load", "xgboost"),
    ("catboost", "catboost.files:load", "catboost"),
    ("tensorflow", "tensorflow.files:load", "tensorflow"),
    ("onnx", "onnx.files:load", "lab"),
    ("mxnet", "mxnet.files:load", "lab"),
):
    model_files.add_lazy(_format, f"{_HERE}.{_function}", extra=_extra)

_SUFFIXES = {
    ".skops": "skops",
    ".txt": "lightgbm",
    ".lgb": "lightgbm",
    ".ubj": "xgboost",
    ".xgb": "xgboost",
    ".cbm": "catboost",
    ".cb": "catboost",
    ".keras": "tensorflow",
    ".onnx": "onnx",
    ".params": "mxnet",
}
_NATIVE = frozenset({"lightgbm", "xgboost", "catboost"})
"""Formats that C++ reads and believes: crafted files crash it, so they are read in the sandbox where there is one."""
PICKLED = (".joblib", ".pkl", ".pickle", ".dill", ".cloudpickle", ".pt", ".pth", ".pt2", ".ckpt", ".bin")
"""Suffixes of files that run code when they are read."""


def read_model(path: Path) -> Any:
    """Read a model file; nothing in it is run.

    Parameters
    ----------
    path : Path
        A skops archive; a native file of LightGBM (``.txt``), XGBoost (``.json``, ``.ubj``) or CatBoost (``.cbm``,
        ``.json``); a ``.keras`` file or a SavedModel folder; an ``.onnx`` file; MXNet's
        ``-symbol.json`` with its ``.params`` beside it.

    Returns
    -------
    model
        As its framework gives it; a `Model` where `train` wrote the file.

    Raises
    ------
    InputError
        There is no such file, or it is of no known format.
    UntrustedError
        It is a pickle, which runs what it holds when it is read.
    MissingExtraError
        Its framework is not installed.

    Examples
    --------
    >>> read_model(Path("none.skops"))
    Traceback (most recent call last):
    ...
    shiplap.core.errors.InputError: there is no file 'none.skops' (...)
    """
    path = model_file(path)
    require_trust(path)
    return model_files.get(_format_of(path))(path)


def model_file(path: Path) -> Path:
    """Return the file that holds a model: the path itself, or what the description of an MLflow folder names.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Raises
    ------
    InputError
        It is not there, or the folder's description names nothing that is known.
    """
    if not path.exists():
        there = sorted(entry.name for entry in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        raise InputError(f"there is no file '{path}'", hint=nearest(path.name, there))
    if path.is_dir() and (path / "MLmodel").is_file():
        found: Path = described_files.get("mlflow")(path)
        return found
    return path


def require_trust(path: Path, *, trust: bool = False) -> bool:
    """Tell whether a model file is read in the sandbox only, where somebody trusts it or no code of it is run.

    Parameters
    ----------
    path : Path
        A model file.
    trust : bool
        Whether somebody said to trust it.

    Raises
    ------
    UntrustedError
        It runs what it holds, and nobody said to trust it.
    """
    if is_pickled(path):
        if not trust:
            raise UntrustedError(
                f"'{path}' is a pickle: reading one runs whatever is in it",
                hint="store the model with skops.io.dump or in its framework's own format; or say --trust, and it is "
                "read in a child process that reaches no network and writes nothing",
            )
        return True
    if path.suffix.lower() != ".skops":
        return path.is_file() and _format_of(path) in _NATIVE and not unsupported()
    unknown = types_of(path)
    strange = [name for name in unknown if name not in COMPILED]
    if strange and not trust:
        raise UntrustedError(
            f"'{path}' holds the type {strange[0]}, which is not trusted",
            hint="pack the model from the Python session that made it; or say --trust, and it is read in a child "
            "process that reaches no network and writes nothing",
        )
    return bool(unknown) or (holds_vectors(path) and not unsupported())


def is_pickled(path: Path) -> bool:
    """Tell whether reading the file would unpickle: by its name, and by its first bytes whatever it is called.

    Parameters
    ----------
    path : Path
        A file.

    Examples
    --------
    >>> is_pickled(Path("model.joblib"))
    True
    """
    if path.suffix.lower() in PICKLED:
        return True
    if not path.is_file():
        return False
    return path.suffix.lower() not in {".cbm", ".cb", ".onnx"} and _head(path).startswith(_PICKLE_HEADS)


def _format_of(path: Path) -> str:
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            return "tensorflow"
        if (path / "_CHECKPOINT_METADATA").is_file():
            raise InputError(
                f"'{path}' is an Orbax checkpoint, which holds arrays and no model",
                hint="restore it into the module in Python, and pass that to shiplap.pack",
            )
        raise InputError(
            f"the folder '{path}' holds no model that is known",
            hint="a SavedModel has a saved_model.pb, an MLflow model a file MLmodel",
        )
    if path.name.endswith("-symbol.json"):
        return "mxnet"
    if path.suffix.lower() == ".json":
        return "xgboost" if b'"learner"' in _head(path) else "catboost"
    if path.suffix.lower() == ".safetensors":
        raise InputError(
            f"'{path}' holds weights and no architecture",
            hint="load them into the module in Python, and pass that to shiplap.pack",
        )
    if path.suffix.lower() in {".h5", ".hdf5"}:
        raise InputError(
            f"'{path}' is of Keras's old format, whose layers may hold code",
            hint="load it where it was made, and save the model again as .keras",
        )
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        known = ", ".join(sorted([*_SUFFIXES, ".json"]))
        raise InputError(f"'{path}' is a model file of no known kind", hint=f"known are {known}, and folders of models")
    return found


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
