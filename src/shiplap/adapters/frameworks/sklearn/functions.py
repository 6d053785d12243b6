"""``FunctionTransformer`` of known functions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from sklearn.utils import check_array

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.sklearn.dates import date_parts
from shiplap.core.encoding import Date

__all__ = ["function_transformer"]

_SAME = ("Identity",)
# Functions whose double result the graph gives to the last bit or within the band, as chains of operators.
_KNOWN: dict[Any, tuple[str, ...]] = {
    None: _SAME,
    np.log: ("Log",),
    np.exp: ("Exp",),
    np.sqrt: ("Sqrt",),
    np.abs: ("Abs",),
    np.sin: ("Sin",),
    np.cos: ("Cos",),
    np.tanh: ("Tanh",),
    np.sign: ("Sign",),
    np.negative: ("Neg",),
    np.floor: ("Floor",),
    np.ceil: ("Ceil",),
    np.square: ("Square",),
}


def function_transformer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``FunctionTransformer``: our `date_parts` in the encoder, known numpy functions in the graph."""
    function = estimator.func
    arguments = dict(estimator.kw_args or {})
    if function is date_parts:
        return _dates(block, context, **arguments)
    if isinstance(function, functools.partial) and function.func is check_array:
        return block.pieces
    if arguments or not _is_known(function):
        shown = getattr(function, "__qualname__", repr(function))
        raise context.refuse(
            f"the function '{shown}' is code, and a ship carries none",
            hint="use shiplap's date_parts, or one of numpy's "
            + ", ".join(sorted(known.__name__ for known in _KNOWN if known is not None)),
        )
    operator = _KNOWN[function][0]
    if operator == "Identity":
        return block.pieces
    tensor = context.matrix(block.pieces)
    made = context.graph.op("Mul", tensor, tensor) if operator == "Square" else context.graph.op(operator, tensor)
    return context.computed(made, len(block.pieces))


def _is_known(function: Any) -> bool:
    try:
        return function in _KNOWN
    except TypeError:
        return False


def _dates(block: Block, context: Context, *, parts: Any) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for piece in block.pieces:
        column = context.source(piece) if isinstance(piece, Raw) else None
        if column is None or column.kind != "date":
            what = "a computed number" if column is None else f"column '{column.name}', which holds a {column.kind}"
            raise context.refuse(f"date_parts reads {what}", hint="give it columns of datetime64")
        cells.extend(
            context.encoded(
                Date(column=column.name, missing=column.missing, parts=tuple(parts), format=column.format),
                integral="epoch_s" not in parts,
            )
        )
    return tuple(cells)
