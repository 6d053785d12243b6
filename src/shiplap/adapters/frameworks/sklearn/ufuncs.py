"""Functions of NumPy and SciPy that ONNX has no operator for, or none for doubles, made of those that it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Context

__all__ = ["BUILT", "CONFIGURED"]

_DOUBLE = 11
_LARGE = 2.0**28  # from here on the square root of x * x + 1 is x


def _constant(context: Context, value: float) -> str:
    return context.graph.constant(np.array([float(value)]))


def _square(x: str, context: Context) -> str:
    return context.graph.op("Mul", x, x)


def _log1p(x: str, context: Context) -> str:
    """Keep the last digits near 0 by Kahan's correction: Higham (2002), "Accuracy and stability", section 1.14.1."""
    graph, one = context.graph, _constant(context, 1.0)
    moved = graph.op("Add", x, one)
    slope = graph.op("Div", graph.op("Log", moved), graph.op("Sub", moved, one))
    plain = graph.op("Or", graph.op("Equal", moved, one), graph.op("IsInf", moved, detect_negative=0))
    return graph.op("Where", plain, x, graph.op("Mul", x, slope))


def _expm1(x: str, context: Context) -> str:
    """Keep the last digits near 0, as `_log1p` does."""
    graph, one = context.graph, _constant(context, 1.0)
    power = graph.op("Exp", x)
    moved = graph.op("Sub", power, one)
    slope = graph.op("Div", x, graph.op("Log", power))
    near = graph.op("LessOrEqual", graph.op("Abs", x), one)
    exact = graph.op("Where", graph.op("Equal", power, one), x, graph.op("Mul", moved, slope))
    return graph.op("Where", near, exact, moved)


def _times(factor: float) -> Callable[[str, Context], str]:
    return lambda x, context: context.graph.op("Mul", x, _constant(context, factor))


def _log_of(base: float) -> Callable[[str, Context], str]:
    def build(x: str, context: Context) -> str:
        return context.graph.op("Div", context.graph.op("Log", x), _constant(context, np.log(base)))

    return build


def _exp2(x: str, context: Context) -> str:
    return context.graph.op("Pow", _constant(context, 2.0), x)


def _cbrt(x: str, context: Context) -> str:
    graph = context.graph
    root = graph.op("Pow", graph.op("Abs", x), _constant(context, 1 / 3))
    return graph.op("Mul", graph.op("Sign", x), root)


def _arcsinh(x: str, context: Context) -> str:
    graph, one = context.graph, _constant(context, 1.0)
    size = graph.op("Abs", x)
    square = graph.op("Mul", size, size)
    rest = graph.op("Div", square, graph.op("Add", one, graph.op("Sqrt", graph.op("Add", square, one))))
    near = _log1p(graph.op("Add", size, rest), context)
    far = graph.op("Add", graph.op("Log", size), _constant(context, np.log(2.0)))
    made = graph.op("Where", graph.op("Greater", size, _constant(context, _LARGE)), far, near)
    return graph.op("Mul", graph.op("Sign", x), made)


def _tan(x: str, context: Context) -> str:
    return context.graph.op("Div", context.graph.op("Sin", x), context.graph.op("Cos", x))


def _trunc(x: str, context: Context) -> str:
    return context.graph.op("Mul", context.graph.op("Sign", x), context.graph.op("Floor", context.graph.op("Abs", x)))


def _expit(x: str, context: Context) -> str:
    graph, one = context.graph, _constant(context, 1.0)
    return graph.op("Div", one, graph.op("Add", one, graph.op("Exp", graph.op("Neg", x))))


def _logit(x: str, context: Context) -> str:
    graph = context.graph
    return graph.op("Log", graph.op("Div", x, graph.op("Sub", _constant(context, 1.0), x)))


def _flag(condition: str, context: Context) -> str:
    return context.graph.op("Cast", condition, to=_DOUBLE)


def _isnan(x: str, context: Context) -> str:
    return _flag(context.graph.op("IsNaN", x), context)


def _isinf(x: str, context: Context) -> str:
    return _flag(context.graph.op("IsInf", x), context)


def _isfinite(x: str, context: Context) -> str:
    graph = context.graph
    return _flag(graph.op("Not", graph.op("Or", graph.op("IsNaN", x), graph.op("IsInf", x))), context)


def _logical_not(x: str, context: Context) -> str:
    return _flag(context.graph.op("Equal", x, _constant(context, 0.0)), context)


def _clip(x: str, context: Context, **limits: Any) -> str:
    """Clip by ``a_min`` and ``a_max``, or ``min`` and ``max``; what is no number stays none."""
    graph = context.graph
    for name, compare in (("a_min", "Less"), ("min", "Less"), ("a_max", "Greater"), ("max", "Greater")):
        if limits.get(name) is not None:
            limit = _constant(context, limits[name])
            x = graph.op("Where", graph.op(compare, x, limit), limit, x)
    return x


def _nan_to_num(x: str, context: Context, *, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> str:
    graph = context.graph
    most = float(np.finfo(np.float64).max)
    high, low = most if posinf is None else posinf, -most if neginf is None else neginf
    made = graph.op("Where", graph.op("IsNaN", x), _constant(context, nan), x)
    made = graph.op("Where", graph.op("IsInf", x, detect_negative=0), _constant(context, high), made)
    return graph.op("Where", graph.op("IsInf", x, detect_positive=0), _constant(context, low), made)


def _round(x: str, context: Context, *, decimals: int = 0) -> str:
    graph, power = context.graph, _constant(context, 10.0 ** abs(decimals))
    if not decimals:
        return graph.op("Round", x)
    there, back = ("Mul", "Div") if decimals > 0 else ("Div", "Mul")
    return graph.op(back, graph.op("Round", graph.op(there, x, power)), power)


BUILT: dict[str, Callable[[str, Context], str]] = {
    "Square": _square,
    "Log1p": _log1p,
    "Expm1": _expm1,
    "Log2": _log_of(2.0),
    "Log10": _log_of(10.0),
    "Exp2": _exp2,
    "Cbrt": _cbrt,
    "Arcsinh": _arcsinh,
    "Tan": _tan,
    "Trunc": _trunc,
    "Radians": _times(np.pi / 180.0),
    "Degrees": _times(180.0 / np.pi),
    "Expit": _expit,
    "Logit": _logit,
    "IsNaN": _isnan,
    "IsInf": _isinf,
    "IsFinite": _isfinite,
    "LogicalNot": _logical_not,
}
"""By name: ``build(tensor, context) -> tensor``."""

CONFIGURED: dict[Any, tuple[Callable[..., str], frozenset[str]]] = {
    np.clip: (_clip, frozenset({"a_min", "a_max", "min", "max"})),
    np.nan_to_num: (_nan_to_num, frozenset({"nan", "posinf", "neginf"})),
    np.round: (_round, frozenset({"decimals"})),
    np.around: (_round, frozenset({"decimals"})),
}
"""By function: ``build(tensor, context, **arguments)`` and the arguments that it knows."""
