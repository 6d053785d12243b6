"""The audit of a ship's members: digests, formats and how the parts fit together, before anything is made of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Image, Operation, Tensor, Text
from shiplap.core.errors import ShipError, nearest
from shiplap.core.policy import Policy
from shiplap.core.ship import FORMAT, SEALED, WEIGHTS, Manifest, Ship
from shiplap.scoring.graph import audit_graph

__all__ = ["EVIDENCE", "LIMIT_BYTES", "LIMIT_FILE_BYTES", "audit_members", "audit_path", "id_of", "ordered"]

T = TypeVar("T")
EVIDENCE, VARIANTS = "evidence/", "variants/"
LIMIT_BYTES = 2**31 - 1
"""Everything but ``graph.data``, which is mapped and not read where the file is larger than this."""
LIMIT_FILE_BYTES = 2**36
_LIMIT_MEMBERS = 4096
_LIMIT_DEPTH = 32
_LIMIT_WIDTH = 2**20
_LIMIT_NGRAM, _LIMIT_SHORTEST = 100, 1_000
_PATH = re.compile(r"(evidence|variants)(/[A-Za-z0-9_][A-Za-z0-9_.@+=-]{0,99}){1,4}")
_DIRECTIVES = frozenset("YmdHMSfyjbBaApIz%")
_HINT = "pack it again from the model"


class _Format(msgspec.Struct):
    format: int


def audit_members(path: Path, members: Mapping[str, bytes], weights: bytes | memoryview = b"") -> Ship:
    """Make a ship of its members, each checked.

    Parameters
    ----------
    path : Path
        The file, for messages.
    members : mapping of str to bytes
        Contents by path, in the order of the file; that of ``graph.data`` is not looked at.
    weights : bytes or memoryview
        Content of ``graph.data``, where there is one: it may be too large to be held in memory.

    Raises
    ------
    ShipError
        A member is missing, unknown, altered or malformed, the format is not known here, or parts do not fit.
    """
    if next(iter(members), "") != "manifest.json":
        raise ShipError("is not a ship file: its first member is no manifest", hint="made by `shiplap pack`?")
    manifest = _manifest(members["manifest.json"])
    _require_parts(manifest, members, weights)
    encoding = _decoded(members["encode.json"], Encoding, "encode.json")
    policy = _decoded(members["policy.json"], Policy, "policy.json")
    _require_sound(encoding)
    _require_fit(manifest, encoding, policy)
    ports = audit_graph(members["graph.onnx"], n_data=len(weights))
    if ports.width != encoding.width:
        raise ShipError(f"encodes {encoding.width} numbers a row while its graph takes {ports.width}", hint=_HINT)
    expected = manifest.signature.n_outputs
    if ports.n_outputs not in {0, expected}:
        raise ShipError(f"has a graph with {ports.n_outputs} outputs where {expected} are expected", hint=_HINT)
    evidence = {name.removeprefix(EVIDENCE): body for name, body in members.items() if name.startswith(EVIDENCE)}
    return Ship(path, manifest, encoding, members["graph.onnx"], policy, evidence, weights)


def audit_path(member: str) -> None:
    """Check the path of an attachment or variant.

    Raises
    ------
    ShipError
        It is not one that a ship file may hold.

    Examples
    --------
    >>> audit_path("evidence/parity.json")
    >>> audit_path("evidence/../../etc/passwd")
    Traceback (most recent call last):
    shiplap.core.errors.ShipError: holds an unknown member 'evidence/../../etc/passwd' (...)
    """
    if member not in {*SEALED, WEIGHTS} and not _PATH.fullmatch(member):
        raise ShipError(
            f"holds an unknown member '{member[:80]}'", hint="letters, digits and _.@+=- in at most 4 levels"
        )


def id_of(digests: Mapping[str, str]) -> str:
    """Return the ship id: SHA-256 over the canonical JSON of the digests of the sealed parts.

    Parameters
    ----------
    digests : mapping of str to str
        SHA-256 by member; others than the sealed parts are ignored. ``graph.data`` counts where there is one.

    Examples
    --------
    >>> id_of(dict.fromkeys(("encode.json", "graph.onnx", "policy.json"), "0" * 64))[:12]
    '9f65ee0ec7e8'
    """
    sealed = sorted([*SEALED, *({WEIGHTS} & set(digests))])
    canonical = msgspec.json.encode({member: digests[member] for member in sealed})
    return hashlib.sha256(canonical).hexdigest()


def _manifest(content: bytes) -> Manifest:
    number = _decoded(content, _Format, "manifest.json").format
    if number != FORMAT:
        newer = "install a newer Shiplap" if number > FORMAT else _HINT
        raise ShipError(f"has format {number}; this Shiplap reads format {FORMAT}", hint=newer)
    return _decoded(content, Manifest, "manifest.json")


def ordered(members: Iterable[str]) -> list[str]:
    """Return the paths of a ship's members, its manifest aside, in the order in which they lie in the file.

    Examples
    --------
    >>> ordered({"evidence/a", "graph.data", "policy.json", "encode.json", "graph.onnx"})
    ['encode.json', 'graph.onnx', 'policy.json', 'graph.data', 'evidence/a']
    """
    known = set(members)
    first = [*SEALED, *({WEIGHTS} & known)]
    return [*first, *sorted(known - set(first))]


def _require_parts(manifest: Manifest, members: Mapping[str, bytes], weights: bytes | memoryview) -> None:
    parts = list(members)[1:]
    if len(parts) > _LIMIT_MEMBERS:
        raise ShipError(f"holds more than {_LIMIT_MEMBERS} members", hint=_HINT)
    for member in parts:
        audit_path(member)
    for member in SEALED:
        if member not in members:
            raise ShipError(f"lacks '{member}'", hint=_HINT)
    if WEIGHTS in members and not weights:
        raise ShipError(f"holds an empty '{WEIGHTS}'", hint=_HINT)
    if parts != ordered(parts) or list(manifest.parts) != parts:
        raise ShipError("holds other members than its manifest names, or in another order", hint=_HINT)
    for member in parts:
        content = weights if member == WEIGHTS else members[member]
        if hashlib.sha256(content).hexdigest() != manifest.parts[member]:
            raise ShipError(f"was altered at '{member}' after it was sealed", hint="copy it again, or pack it again")
    if manifest.id != id_of(manifest.parts):
        raise ShipError("carries a ship id that is not that of its parts", hint=_HINT)


def _decoded(content: bytes, kind: type[T], member: str) -> T:
    _require_shallow(content, member)
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ShipError(f"holds a '{member}' that cannot be read: {error}", hint=_HINT) from error


def _require_shallow(content: bytes, member: str) -> None:
    depth = 0
    for mark in re.finditer(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', content, re.DOTALL):
        first = mark[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > _LIMIT_DEPTH:
            raise ShipError(f"holds a '{member}' that nests deeper than {_LIMIT_DEPTH} levels", hint=_HINT)


def _require_sound(encoding: Encoding) -> None:
    if encoding.version != 1:
        raise ShipError(f"has encoding version {encoding.version}; this Shiplap reads version 1", hint="update Shiplap")
    if not 1 <= encoding.width <= _LIMIT_WIDTH:
        raise ShipError(f"encodes {encoding.width} numbers a row; 1 to {_LIMIT_WIDTH:,} are possible", hint=_HINT)
    for operation in encoding.operations:
        if problem := _problem(operation):
            raise ShipError(f"encodes the column '{operation.column}' in a way that {problem}", hint=_HINT)


def _problem(operation: Operation) -> str:
    if isinstance(operation, Category):
        return _category_problem(operation)
    if isinstance(operation, Date):
        return _date_problem(operation)
    if isinstance(operation, Text):
        return _text_problem(operation)
    if isinstance(operation, Tensor) and (not operation.shape or min(operation.shape) < 1):
        return "gives it no shape"
    if isinstance(operation, Image) and min(operation.size) < 1:
        return "gives it no size"
    if isinstance(operation, Boolean) and set(operation.true) & set(operation.false):
        return "takes the same text for yes and for no"
    return ""


def _category_problem(operation: Category) -> str:
    if len(set(map(type, operation.categories))) > 1:
        return "mixes texts and numbers in one vocabulary"
    if len(set(operation.categories)) < len(operation.categories):
        return "names a category twice"
    if operation.values and len(operation.values) != len(operation.categories):
        return "has not as many rows of numbers as categories"
    widths = {len(operation.if_missing), len(operation.if_unseen), *map(len, operation.values)}
    if len(widths) > 1 or (not operation.values and operation.categories and widths != {1}):
        return "writes rows of numbers of different lengths"
    return ""


def _date_problem(operation: Date) -> str:
    unknown = set(re.findall(r"%(.?)", operation.format, re.DOTALL)) - _DIRECTIVES
    if unknown:
        return f"uses the unknown date directive '%{min(unknown)}'"
    return "" if operation.parts else "asks for no part of the date"


def _text_problem(operation: Text) -> str:
    shortest, longest = operation.ngrams
    if bool(operation.vocabulary) == (operation.n_features > 0):
        return "has both a vocabulary and hashed places, or neither"
    if len(set(operation.vocabulary)) < len(operation.vocabulary):
        return "names a token twice"
    if not 1 <= shortest <= longest <= _LIMIT_NGRAM or not 1 <= operation.shortest <= _LIMIT_SHORTEST:
        return "asks for tokens of an impossible length"
    places = operation.places
    if len(set(places)) < len(places) or not all(0 <= place < operation.n_features for place in places):
        return "writes a hashed place twice, or one that there is not"
    if operation.rest != "none" and not places:
        return "writes a rest of nothing"
    if operation.also and (operation.whole or operation.characters in {"letter", "not_space"}):
        return "adds characters to a kind that takes none"
    return ""


def _require_fit(manifest: Manifest, encoding: Encoding, policy: Policy) -> None:
    signature = manifest.signature
    if (signature.task, signature.classes) != (policy.task, policy.classes):
        raise ShipError("has a signature and a policy of different tasks or classes", hint=_HINT)
    n_classes = len(policy.classes)
    if (policy.task == "binary" and n_classes != 2) or (policy.task == "multiclass" and n_classes < 2):
        raise ShipError(f"has {n_classes} classes, too few or too many for a {policy.task} task", hint=_HINT)
    if policy.task in {"regression", "tensor"} and n_classes:
        raise ShipError(f"names classes for a {policy.task}", hint=_HINT)
    if (policy.task == "tensor") != bool(signature.outputs or signature.shape):
        raise ShipError("names or shapes the outputs of what is no tensor, or of a tensor neither", hint=_HINT)
    if policy.task == "binary" and policy.positive not in {0, 1}:
        raise ShipError(f"names class number {policy.positive} as the positive one of 2", hint=_HINT)
    if policy.matrix and {len(policy.matrix), *map(len, policy.matrix)} != {n_classes}:
        raise ShipError(f"has a value matrix that is not {n_classes} by {n_classes}", hint=_HINT)
    if len(set(signature.names)) < len(signature.names):
        raise ShipError("names an input twice", hint=_HINT)
    for column in encoding.columns:
        if column not in signature.names:
            raise ShipError(f"encodes the column '{column}', no input of it", hint=nearest(column, signature.names))
