"""A `Model` in a file: a skops archive of its pipeline, with what it was trained for as one more member.

Anyone can read the pipeline with skops alone; Shiplap reads the whole noun back. No pickle.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from shiplap.adapters.frameworks.sklearn.persist import dump, load, unknown_types
from shiplap.core.errors import InputError
from shiplap.core.model import Model
from shiplap.core.policy import Policy
from shiplap.core.report import Report
from shiplap.core.schema import Schema
from shiplap.core.signature import Signature

__all__ = ["dump_model", "holds_vectors", "load_model", "read_skops", "types_of"]

_MEMBER = "shiplap.json"


class _About(msgspec.Struct, frozen=True):
    framework: str
    signature: Signature
    schema: Schema
    policy: Policy
    name: str
    report: Report
    lineage: dict[str, str]


def dump_model(model: Model) -> bytes:
    """Encode a model as a skops archive.

    Parameters
    ----------
    model : Model
        What `train` returned.

    Returns
    -------
    bytes
        A zip that ``skops.io.loads`` reads too.
    """
    about = _About(
        framework=model.framework,
        signature=model.signature,
        schema=model.schema,
        policy=model.policy,
        name=model.name,
        report=model.report,
        lineage=model.lineage,
    )
    buffer = io.BytesIO(dump(model.pipeline))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(zipfile.ZipInfo(_MEMBER), msgspec.json.encode(about))
    return buffer.getvalue()


def read_skops(path: Path) -> Any:
    """Read a skops archive; see `load_model`."""
    return load_model(path.read_bytes())


def types_of(path: Path) -> tuple[str, ...]:
    """Return the types that a skops archive would build and that are not simply trusted."""
    return unknown_types(path.read_bytes())


def holds_vectors(path: Path) -> bool:
    """Tell whether a skops archive holds a support vector machine, whose C code believes what the arrays say."""
    try:
        with zipfile.ZipFile(path) as archive:
            schema = json.loads(archive.read("schema.json"))
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, KeyError) as error:
        raise InputError(f"'{path}' is no skops archive", hint="store the estimator with skops.io.dump") from error
    return "sklearn.svm" in json.dumps(schema)


def load_model(content: bytes, *, trusted: Sequence[str] = ()) -> Any:
    """Decode a skops archive: a `Model` where `dump_model` wrote it, else the bare estimator.

    Parameters
    ----------
    content : bytes
        The archive.
    trusted : sequence of str
        Further types that are built.

    Returns
    -------
    Model or estimator

    Raises
    ------
    InputError
        It is not a skops archive, or it holds types that are not trusted.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            about = archive.read(_MEMBER) if _MEMBER in archive.namelist() else b""
    except zipfile.BadZipFile as error:
        raise InputError(
            "not a skops file: it is no zip archive", hint="store the estimator with skops.io.dump"
        ) from error
    pipeline = load(content, trusted=trusted)
    if not about:
        return pipeline
    known = msgspec.json.decode(about, type=_About)
    return Model(pipeline=pipeline, **{name: getattr(known, name) for name in _About.__struct_fields__})
