"""``FunctionTransformer`` of known functions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from sklearn.utils import check_array

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.sklearn.dates import date_parts
from shiplap.core.encoding import Date

__all__ = ["composed", "function_transformer"]

# Functions that the graph gives to the last bit or within the band: an operator, or several (`composed`).
_KNOWN: dict[Any, str] = {
    None: "Identity",
    np.log: "Log",
    np.log1p: "Log1p",
    np.exp: "Exp",
    np.expm1: "Expm1",
    np.sqrt: "Sqrt",
    np.abs: "Abs",
    np.sin: "Sin",
    np.cos: "Cos",
    np.tanh: "Tanh",
    np.sign: "Sign",
    np.negative: "Neg",
    np.reciprocal: "Reciprocal",
    np.floor: "Floor",
    np.ceil: "Ceil",
    np.rint: "Round",
    np.square: "Square",
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
    operator = _KNOWN[function]
    if operator == "Identity":
        return block.pieces
    tensor = context.matrix(block.pieces)
    made = composed(operator, tensor, context)
    return context.computed(made, len(block.pieces))


def composed(operator: str, tensor: str, context: Context) -> str:
    """Apply one operator, or what makes up one that ONNX lacks.

    ``log1p`` and ``expm1`` keep their last digits near 0 by Kahan's correction: Higham (2002), "Accuracy and stability
    of numerical algorithms", section 1.14.1.
    """
    graph, one = context.graph, context.graph.constant(np.array([1.0]))
    if operator == "Square":
        return graph.op("Mul", tensor, tensor)
    if operator == "Log1p":
        moved = graph.op("Add", tensor, one)
        slope = graph.op("Div", graph.op("Log", moved), graph.op("Sub", moved, one))
        plain = graph.op("Or", graph.op("Equal", moved, one), graph.op("IsInf", moved, detect_negative=0))
        return graph.op("Where", plain, tensor, graph.op("Mul", tensor, slope))
    if operator == "Expm1":
        power = graph.op("Exp", tensor)
        moved = graph.op("Sub", power, one)
        slope = graph.op("Div", tensor, graph.op("Log", power))
        near = graph.op("LessOrEqual", graph.op("Abs", tensor), one)
        exact = graph.op("Where", graph.op("Equal", power, one), tensor, graph.op("Mul", moved, slope))
        return graph.op("Where", near, exact, moved)
    return graph.op(operator, tensor)


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
