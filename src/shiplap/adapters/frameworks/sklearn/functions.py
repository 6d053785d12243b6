"""``FunctionTransformer`` of known functions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy import special
from sklearn.utils import check_array

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.sklearn.dates import date_parts
from shiplap.adapters.frameworks.sklearn.ufuncs import BUILT, CONFIGURED
from shiplap.core.encoding import Date
from shiplap.core.errors import RefusedError

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
    np.log2: "Log2",
    np.log10: "Log10",
    np.exp2: "Exp2",
    np.cbrt: "Cbrt",
    np.arcsinh: "Arcsinh",
    np.tan: "Tan",
    np.trunc: "Trunc",
    np.fix: "Trunc",
    np.positive: "Identity",
    np.fabs: "Abs",
    np.radians: "Radians",
    np.deg2rad: "Radians",
    np.degrees: "Degrees",
    np.rad2deg: "Degrees",
    np.isnan: "IsNaN",
    np.isinf: "IsInf",
    np.isfinite: "IsFinite",
    np.logical_not: "LogicalNot",
    special.expit: "Expit",
    special.logit: "Logit",
    special.log1p: "Log1p",
    special.expm1: "Expm1",
}


def function_transformer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``FunctionTransformer``: our `date_parts` in the encoder, known numpy functions in the graph."""
    function = estimator.func
    arguments = dict(estimator.kw_args or {})
    if function is date_parts:
        return _dates(block, context, **arguments)
    if isinstance(function, functools.partial) and function.func is check_array:
        return block.pieces
    if isinstance(function, functools.partial) and not function.args:
        arguments, function = {**function.keywords, **arguments}, function.func
    build, known = CONFIGURED.get(function, (None, frozenset())) if _is_hashable(function) else (None, frozenset())
    if build is not None and arguments.keys() <= known:
        return context.computed(build(context.matrix(block.pieces), context, **arguments), len(block.pieces))
    if arguments or not _is_hashable(function) or function not in _KNOWN:
        raise _unknown(function, arguments, context)
    operator = _KNOWN[function]
    if operator == "Identity":
        return block.pieces
    tensor = context.matrix(block.pieces)
    made = composed(operator, tensor, context)
    return context.computed(made, len(block.pieces))


def _unknown(function: Any, arguments: dict[str, Any], context: Context) -> RefusedError:
    shown = getattr(function, "__qualname__", None) or getattr(function, "__name__", repr(function))
    names = sorted({known.__name__ for known in (*_KNOWN, *CONFIGURED) if known is not None})
    given = f" with {', '.join(arguments)}" if arguments else ""
    return context.refuse(
        f"the function '{shown}'{given} is code, and a ship carries none",
        hint=f"use shiplap's date_parts, or one of numpy's {', '.join(names)}",
    )


def composed(operator: str, tensor: str, context: Context) -> str:
    """Apply one operator, or what makes up one that ONNX lacks."""
    build = BUILT.get(operator)
    return build(tensor, context) if build else context.graph.op(operator, tensor)


def _is_hashable(function: Any) -> bool:
    try:
        hash(function)
    except TypeError:
        return False
    return True


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
