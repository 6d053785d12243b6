"""Lookups of strings and of whole numbers: they go to the encoder, and the model begins behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from shiplap.adapters.frameworks.tensorflow.entry import Entry, entry_of
from shiplap.core.encoding import Category
from shiplap.core.errors import RefusedError

__all__ = ["Lookup", "behind", "lookups_of"]

_LARGEST = 2_000_000
"""Numbers that the tables of one lookup may hold."""


@dataclass(frozen=True)
class Lookup:
    """An input that goes straight into a lookup.

    Parameters
    ----------
    operation : Category
        The lookup as the encoder does it.
    layer : keras.Layer
        The lookup itself.
    dtype : str
        NumPy's name of the type that comes out.
    shape : tuple of int
        Shape of one row's value behind the lookup.
    """

    operation: Category
    layer: Any
    dtype: str
    shape: tuple[int, ...]


def lookups_of(model: Any, entry: Entry) -> dict[str, Lookup]:
    """Return the lookups that a model begins with, by the name of the input.

    Raises
    ------
    RefusedError
        A text goes into something else, or a lookup hashes what it does not know.
    """
    tensors = getattr(model, "inputs", None) if isinstance(model, keras.Model) else None
    found = {}
    for place, port in enumerate(entry.ports):
        readers = _readers(model, tensors[place]) if tensors else []
        lookups = [
            layer for layer in readers if isinstance(layer, keras.layers.StringLookup | keras.layers.IntegerLookup)
        ]
        if lookups and len(readers) == 1 and port.single:
            found[port.name] = _lookup(port.name, lookups[0])
        elif port.dtype == "string" or lookups:
            kinds = ", ".join(sorted({type(layer).__name__ for layer in readers})) or "no lookup"
            raise RefusedError(
                f"the input '{port.name}' goes into {kinds}, and the graph computes with numbers",
                hint="let each input of one text a row go into one StringLookup of its own, in the model itself: of a "
                "model in the model, take its .output",
            )
    return found


def behind(model: Any, entry: Entry, lookups: dict[str, Lookup]) -> Entry:
    """Return the model as it begins behind its lookups.

    Raises
    ------
    RefusedError
        The rest of the model cannot be taken apart from them.
    """
    if not lookups:
        return entry
    starts = [
        lookups[port.name].layer.output if port.name in lookups else tensor
        for port, tensor in zip(entry.ports, model.inputs, strict=True)
    ]
    try:
        rest = keras.Model(starts, model.outputs)
    except (ValueError, KeyError) as error:
        raise RefusedError(
            f"the model cannot be taken apart behind its lookups: {error}", hint="build it as a functional model"
        ) from error
    return Entry((), lambda given, names: rest(list(given), training=False), entry_of(model).dtype)


def _readers(model: Any, tensor: Any) -> list[Any]:
    """Return the layers that an input goes into."""
    readers = []
    for layer in model.layers:
        try:
            taken = keras.tree.flatten(layer.input)
        except (AttributeError, ValueError):
            continue  # one that is called several times: if it reads a text, the rest of the model cannot be built
        if not isinstance(layer, keras.layers.InputLayer) and any(one is tensor for one in taken):
            readers.append(layer)
    return readers


def _lookup(name: str, layer: Any) -> Lookup:
    if layer.num_oov_indices != 1 or layer.invert or layer.sparse:
        raise RefusedError(
            f"the lookup of '{name}' has num_oov_indices={layer.num_oov_indices}, and hashing or failing on a value "
            "that it does not know is not for the encoder",
            hint="build it with num_oov_indices=1",
        )
    texts = isinstance(layer, keras.layers.StringLookup)
    known: list[Any] = [
        str(term) if texts else int(term) for term in layer.get_vocabulary(include_special_tokens=False)
    ]
    if layer.mask_token is not None and layer.mask_token not in known:
        known.append(layer.mask_token)
    if texts:
        unseen, missing = "\x00" * (1 + max(map(len, known), default=0)), ""
        asked = np.array([*known, unseen, missing], object)
    else:
        asked = np.array([*known, *[max(known, default=0) + 1] * 2], np.int64)
    depth = int(layer.output.shape[-1])
    if depth * len(asked) > _LARGEST:
        raise RefusedError(
            f"the lookup of '{name}' writes {depth} numbers for each of {len(known)} values",
            hint="use output_mode='int', and an Embedding behind it",
        )
    rows = np.asarray(layer(asked.reshape(-1, 1)), np.float64)
    values = tuple(tuple(row) for row in rows.reshape(len(asked), -1).tolist())
    operation = Category(
        column=name,
        categories=tuple(term if texts else float(term) for term in known),
        values=values[:-2],
        if_unseen=values[-2],
        if_missing=values[-1],
    )
    return Lookup(operation, layer, str(layer.output.dtype), tuple(layer.output.shape[1:]))
