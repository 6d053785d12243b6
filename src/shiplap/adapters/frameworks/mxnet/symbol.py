"""Read MXNet's ``-symbol.json``: a network as a list of operators, in the forms that versions 0.x to 1.9 wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shiplap.core.errors import InputError, RefusedError

__all__ = ["Node", "Symbol", "read_symbol"]

_MISSING = object()
# What later versions list as inputs and earlier ones left out of the file.
_AUXILIARY = {"BatchNorm": ("data", "gamma", "beta", "moving_mean", "moving_var")}
# How training or the search for a fast kernel went; nothing of it changes an answer.
_IDLE = frozenset(
    {
        *("workspace", "cudnn_tune", "cudnn_off", "num_args", "grad_scale", "ignore_label", "use_ignore"),
        *("normalization", "out_grad", "smooth_alpha", "momentum", "p", "use_global_stats", "margin"),
        *("regularization_coefficient", "use_linear", "valid_thresh", "sparse_grad", "ctx", "min_calib_range"),
        *("max_calib_range", "force_mirroring", "mirror_stage", "lr_mult", "wd_mult", "ctx_group", "weight_lr_mult"),
        *("forward_stype", "bias_lr_mult", "weight_wd_mult", "bias_wd_mult"),
    }
)


@dataclass
class Node:
    """One operator, or a variable where `kind` is ``null``.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        The operator.
    attributes : dict of str to str
        As written in the file.
    inputs : tuple of (int, int)
        Number of the node that is read, and which of its outputs.
    """

    name: str
    kind: str
    attributes: dict[str, str]
    inputs: tuple[tuple[int, int], ...]
    used: set[str] = field(default_factory=set)

    def text(self, key: str, default: Any = _MISSING) -> Any:
        """Return an attribute as it is written; `default` where it is absent or ``None``."""
        self.used.add(key)
        value = self.attributes.get(key, "None")
        if value != "None":
            return value
        if default is _MISSING:
            raise self.refuse(f"lacks '{key}'")
        return default

    def number(self, key: str, default: Any = _MISSING) -> Any:
        """Return an attribute as a float."""
        value = self.text(key, default)
        return value if value is default else self._read(key, float, value)

    def integer(self, key: str, default: Any = _MISSING) -> Any:
        """Return an attribute as an integer."""
        value = self.text(key, default)
        return value if value is default else self._read(key, int, value)

    def flag(self, key: str, default: bool = False) -> bool:
        """Return an attribute as yes or no."""
        value = self.text(key, None)
        if value is None:
            return default
        if value not in {"True", "False", "true", "false", "1", "0"}:
            raise self.refuse(f"has '{key}' of '{value}'")
        return value in {"True", "true", "1"}

    def sizes(self, key: str, default: Any = _MISSING) -> Any:
        """Return an attribute as a tuple of integers, where ``None`` may stand among them."""
        value = self.text(key, default)
        if value is default:
            return value
        words = [word for word in re.split(r"[\s,()\[\]]+", value) if word]
        return tuple(None if word == "None" else self._read(key, int, word.rstrip("L")) for word in words)

    def _read(self, key: str, kind: type, value: str) -> Any:
        try:
            return kind(value)
        except ValueError:
            raise self.refuse(f"has '{key}' of '{value}'") from None

    def require_known(self) -> None:
        """Refuse attributes that nobody asked for: each may change the answer."""
        unknown = [
            key for key in self.attributes if key not in self.used | _IDLE and not re.fullmatch(r"__.*__|_.*", key)
        ]
        if unknown:
            raise self.refuse(f"has the attribute '{min(unknown)}', which is not known")

    def refuse(self, what: str, *, hint: str = "") -> RefusedError:
        """Return the error that says what of this operator cannot be had."""
        return RefusedError(f"the operator {self.kind} ('{self.name}') {what}", hint=hint)


@dataclass(frozen=True)
class Symbol:
    """A network.

    Parameters
    ----------
    nodes : tuple of Node
        Each after those that it reads.
    heads : tuple of (int, int)
        What it answers: number of a node, and which of its outputs.
    """

    nodes: tuple[Node, ...]
    heads: tuple[tuple[int, int], ...]


def read_symbol(content: bytes) -> Symbol:
    """Read a ``-symbol.json`` file.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    InputError
        It is no such file.

    Examples
    --------
    >>> symbol = read_symbol(b'{"nodes": [{"op": "null", "name": "data", "inputs": []}], "heads": [[0, 0]]}')
    >>> symbol.nodes[0].name, symbol.heads
    ('data', ((0, 0),))
    """
    try:
        written = msgspec.json.decode(content, type=_Written)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"this is no MXNet symbol file: {error}", hint="such files end in -symbol.json") from error
    nodes: list[Node] = []
    places: list[int] = []
    for node in written.nodes:
        inputs = tuple(_entry(entry, places) for entry in node.inputs)
        attributes = {**node.attr, **node.param, **node.attrs}
        inputs += _left_out(node, len(inputs), nodes)
        places.append(len(nodes))
        nodes.append(Node(node.name, node.op, attributes, inputs))
    return Symbol(tuple(nodes), tuple(_entry(entry, places) for entry in written.heads))


class _WrittenNode(msgspec.Struct):
    op: str
    name: str
    inputs: list[list[int]]
    attrs: dict[str, str] = {}
    attr: dict[str, str] = {}
    param: dict[str, str] = {}
    subgraphs: list[Any] = []


class _Written(msgspec.Struct):
    nodes: list[_WrittenNode]
    heads: list[list[int]]


def _entry(entry: list[int], places: list[int]) -> tuple[int, int]:
    if not 2 <= len(entry) <= 3 or not 0 <= entry[0] < len(places) or entry[1] < 0:
        raise InputError("the MXNet symbol file is damaged: an operator reads one that does not come before it")
    return places[entry[0]], entry[1]


def _left_out(node: _WrittenNode, n_inputs: int, nodes: list[Node]) -> tuple[tuple[int, int], ...]:
    """Name the inputs that files of version 0.8 and before do not list, as MXNet itself does when it reads them."""
    names = _AUXILIARY.get(node.op, ())[n_inputs:]
    start = len(nodes)
    nodes.extend(Node(f"{node.name}_{name}", "null", {}, ()) for name in names)
    return tuple((start + step, 0) for step in range(len(names)))
