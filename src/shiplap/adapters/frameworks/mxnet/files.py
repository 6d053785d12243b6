"""Open an MXNet network from its files, without MXNet."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.mxnet.arrays import read_arrays
from shiplap.adapters.frameworks.mxnet.symbol import Symbol, read_symbol
from shiplap.core.errors import InputError

__all__ = ["MxnetModel", "load"]

_SYMBOL = "-symbol.json"
_LARGEST_SYMBOL, _LARGEST_PARAMS = 2**28, 2**34
# Their second input is what the answer should have been, which only training looks at.
_LABELED = frozenset(
    {
        *("SoftmaxOutput", "Softmax", "LogisticRegressionOutput", "LinearRegressionOutput", "MAERegressionOutput"),
        "SVMOutput",
    }
)
_TYPES: dict[str, Any] = {"0": np.float32, "1": np.float64, "2": np.float16, "4": np.int32, "6": np.int64}


@dataclass(frozen=True)
class MxnetModel:
    """A network and its weights.

    Parameters
    ----------
    symbol : Symbol
        The operators.
    params : dict of str to ndarray
        Weights and kept statistics by name.
    """

    symbol: Symbol
    params: dict[str, NDArray[Any]] = field(repr=False)

    @cached_property
    def labels(self) -> frozenset[int]:
        """Numbers of the variables that only training reads."""
        nodes = self.symbol.nodes
        as_label = {
            node.inputs[1][0]
            for node in nodes
            if node.kind in _LABELED and len(node.inputs) > 1 and nodes[node.inputs[1][0]].kind == "null"
        }
        read = {
            entry[0]
            for node in nodes
            for place, entry in enumerate(node.inputs)
            if not (node.kind in _LABELED and place == 1)
        }
        return frozenset(as_label - read)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the order of the network."""
        return tuple(
            node.name
            for index, node in enumerate(self.symbol.nodes)
            if node.kind == "null" and index not in self.labels and node.name not in self.params
        )

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of an input's numbers, single precision where the network does not say."""
        node = next(node for node in self.symbol.nodes if node.kind == "null" and node.name == name)
        dtype: np.dtype[Any] = np.dtype(_TYPES.get(node.attributes.get("__dtype__", "0"), np.float32))
        return dtype


def load(path: Path) -> MxnetModel:
    """Read ``NAME-symbol.json`` and the ``NAME-0000.params`` beside it; of several the one with the highest number.

    Parameters
    ----------
    path : Path
        Either of the two files.

    Raises
    ------
    InputError
        One of them is missing, too large, or not what it should be.
    """
    symbol, params = _pair(path)
    return MxnetModel(read_symbol(_content(symbol, _LARGEST_SYMBOL)), read_arrays(_content(params, _LARGEST_PARAMS)))


def _pair(path: Path) -> tuple[Path, Path]:
    if path.name.endswith(_SYMBOL):
        stem = path.name.removesuffix(_SYMBOL)
        known = sorted(path.parent.glob(f"{_escaped(stem)}-[0-9][0-9][0-9][0-9].params"))
        if not known:
            raise InputError(f"there is no '{stem}-0000.params' beside '{path}'", hint="the weights of the network")
        return path, known[-1]
    stem = path.name.removesuffix(".params").rpartition("-")[0]
    symbol = path.with_name(stem + _SYMBOL)
    if not symbol.is_file():
        raise InputError(f"there is no '{symbol.name}' beside '{path}'", hint="it says what to do with the weights")
    return symbol, path


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _content(path: Path, limit: int) -> bytes:
    try:
        if path.stat().st_size > limit:
            raise InputError(f"'{path}' is larger than {limit:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}") from error
