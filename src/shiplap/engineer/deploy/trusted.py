"""Packing what may not be read here, a pickle above all: a confined child reads, lowers and certifies it.

Only a ship file comes back, and is then read like any stranger's: audited first, its vectors replayed by this process.
What the child said about itself counts for nothing else.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tempfile
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pyarrow as pa
import sklearn

from shiplap.adapters.frameworks import Ask, load_model, read_model
from shiplap.adapters.frameworks.files import is_pickled
from shiplap.adapters.frameworks.sklearn.persist import noting_version, unknown_types
from shiplap.core.errors import InputError, ShiplapError
from shiplap.core.policy import Policy
from shiplap.core.sandbox import Limits, run_confined
from shiplap.core.schema import Column
from shiplap.core.ship import WRITTEN_BY, Ship
from shiplap.proof import GivenRows, given_rows
from shiplap.scoring import read_ship, verify

__all__ = ["digest_of", "pack_confined", "packed_here"]

_LIMITS = Limits()
_UNREADABLE = (
    *(pickle.UnpicklingError, EOFError, ImportError, AttributeError),
    *(ValueError, TypeError, LookupError, OSError),
)
_UNNAMED = "0"
_HERE = "shiplap.engineer.deploy.trusted:packed_here"


class _Order(msgspec.Struct):
    """What the child is to do: everything but the rows and the model itself."""

    file: str
    framework: str
    method: str
    classes: tuple[str | int | float | bool, ...]
    private: tuple[str, ...]
    columns: tuple[Column, ...]
    canonical: bool
    policy: Policy | None


def pack_confined(
    model: Path, X: Any, *, ask: Ask, framework: str = "", policy: Policy | None = None, limits: Limits = _LIMITS
) -> Ship:
    """Pack a file that may hold code, or crash what reads it, in a child process where neither does harm.

    Parameters
    ----------
    model : Path
        A pickle of any kind (joblib's, cloudpickle's, PyTorch's), a skops archive, or a native file of a library.
    X : Table, DataFrame, array, or dict of columns or arrays
        Rows the model can answer.
    ask : Ask
        What the model leaves open; no function can be sent along.
    framework : str
        Name of the model's framework, where its class does not tell.
    policy : Policy, optional
        What to decide.
    limits : Limits
        Time and memory.

    Returns
    -------
    Ship
        Audited and replayed; its file is gone.

    Raises
    ------
    UntrustedError
        There is no sandbox on this machine.
    InputError
        The file cannot be read, needs more than it may use, or reaches for what it may not.
    """
    if ask.preprocess is not None:
        raise InputError("a function cannot be sent into the sandbox", hint="pack the model from Python instead")
    rows = given_rows(X)
    order = _Order(
        file=f"model{''.join(model.suffixes[-2:]).lower()}",
        framework=framework,
        method=ask.method,
        classes=ask.classes,
        private=ask.private,
        columns=rows.columns,
        canonical=rows.canonical,
        policy=policy,
    )
    files: dict[str, bytes | Path] = {"order.json": msgspec.json.encode(order), order.file: model}
    content = run_confined(_HERE, {**files, **_written(rows)}, limits=limits)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "packed.ship"
        path.write_bytes(content)
        ship = read_ship(path)
        if not verify(path).holds or ship.certificate.flips:
            raise InputError("the ship from the sandbox does not answer as its own certificate says")
        if policy is not None and ship.policy != policy:
            raise InputError("the ship from the sandbox decides by another policy than it was given")
    return ship


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def packed_here(folder: str) -> bytes:
    """Do the child's part: read the pickle, which runs what it holds, and pack the model.

    Parameters
    ----------
    folder : str
        Where order, model and rows lie.

    Returns
    -------
    bytes
        The ship file.
    """
    from shiplap.engineer.deploy.packing import pack  # noqa: PLC0415 - packing calls this module for pickles

    place = Path(folder)
    order = msgspec.json.decode((place / "order.json").read_bytes(), type=_Order)
    with noting_version() as versions:
        model = _unpickled(place / order.file)
    rows = _read(place, order)
    target = place / "packed.ship"
    asked: dict[str, Any] = {"framework": order.framework, "method": order.method, "classes": order.classes}
    asked["private"] = order.private
    lineage = {WRITTEN_BY: versions[0]} if versions else {}
    try:
        pack(model, rows, path=target, policy=order.policy, lineage=lineage, **asked)
    except (*_UNREADABLE, ShiplapError) as error:
        if not versions:
            raise
        said = error.message if isinstance(error, ShiplapError) else error
        raise InputError(
            f"{said}; scikit-learn {versions[0]} wrote the model file",
            hint=f"install that version, or train it again with {sklearn.__version__}, which is installed",
        ) from error
    return target.read_bytes()


def _unpickled(path: Path) -> Any:
    if path.suffix.lower() in {".pt", ".pth", ".pt2", ".ckpt"}:
        from shiplap.adapters.frameworks.files import trusted_files  # noqa: PLC0415

        return trusted_files.get("torch")(path)
    if path.suffix == ".skops":
        content = path.read_bytes()
        return load_model(content, trusted=unknown_types(content))
    if not is_pickled(path):
        return read_model(path)
    try:
        return joblib.load(path)
    except ModuleNotFoundError as error:
        raise InputError(
            f"the pickle needs the module '{error.name}', which is not installed",
            hint="install it, or pack the model from the Python session that made it",
        ) from error
    except _UNREADABLE as error:
        raise InputError(
            f"the pickle cannot be read: {type(error).__name__}: {error}".strip(": "),
            hint="it is damaged, or of another version of its library: write it again with the one installed here",
        ) from error


def _written(rows: GivenRows) -> dict[str, bytes]:
    buffer = io.BytesIO()
    if rows.arrays is not None:
        np.savez(buffer, allow_pickle=False, **{name or _UNNAMED: array for name, array in rows.arrays.items()})
        return {"rows.npz": buffer.getvalue()}
    try:
        table = pa.Table.from_pandas(rows.frame)
    except (pa.lib.ArrowException, ValueError, TypeError) as error:
        raise InputError(
            f"the rows cannot be sent into the sandbox: {error}", hint="pack the model from Python instead"
        ) from error
    with pa.ipc.new_file(buffer, table.schema) as file:
        file.write_table(table)
    return {"rows.arrow": buffer.getvalue()}


def _read(folder: Path, order: _Order) -> Any:
    arrays = folder / "rows.npz"
    if arrays.exists():
        with np.load(arrays, allow_pickle=False) as held:
            found = {name: held[name] for name in held.files}
        return found.get(_UNNAMED, found)
    frame = pa.ipc.open_file((folder / "rows.arrow").read_bytes()).read_all().to_pandas()
    return GivenRows(frame=frame, columns=order.columns, canonical=order.canonical)
