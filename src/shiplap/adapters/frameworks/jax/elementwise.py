"""Primitives that work number by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.jax.primitives import direct, primitive
from shiplap.adapters.frameworks.jax.writer import Value, Writer
from shiplap.core.errors import RefusedError

__all__ = ["dtype_of"]

direct(
    {
        "add": "Add",
        "add_any": "Add",
        "sub": "Sub",
        "mul": "Mul",
        "div": "Div",
        "max": "Max",
        "min": "Min",
        "neg": "Neg",
        "abs": "Abs",
        "sign": "Sign",
        "floor": "Floor",
        "ceil": "Ceil",
        "pow": "Pow",
        "exp": "Exp",
        "log": "Log",
        "sqrt": "Sqrt",
        "tanh": "Tanh",
        "logistic": "Sigmoid",
        "erf": "Erf",
        "sin": "Sin",
        "cos": "Cos",
        "tan": "Tan",
        "asin": "Asin",
        "acos": "Acos",
        "atan": "Atan",
        "sinh": "Sinh",
        "cosh": "Cosh",
        "asinh": "Asinh",
        "acosh": "Acosh",
        "atanh": "Atanh",
        "eq": "Equal",
        "lt": "Less",
        "le": "LessOrEqual",
        "gt": "Greater",
        "ge": "GreaterOrEqual",
    }
)


def dtype_of(variable: Any) -> np.dtype[Any]:
    """Return the type of a variable of an equation."""
    dtype: np.dtype[Any] = np.dtype(variable.aval.dtype)
    return dtype


def _one(equation: Any) -> Any:
    return np.ones((), dtype_of(equation.invars[0]))


@primitive("stop_gradient", "copy", "copy_p", "optimization_barrier", "sharding_constraint")
def _same(writer: Writer, equation: Any, *values: Value) -> tuple[Value, ...]:
    return values


@primitive("ne")
def _differ(writer: Writer, equation: Any, left: Value, right: Value) -> Value:
    return writer.op("Not", writer.op("Equal", left, right))


@primitive("square")
def _square(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.op("Mul", value, value)


@primitive("rsqrt")
def _inverse_root(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.op("Div", _one(equation), writer.op("Sqrt", value))


@primitive("cbrt")
def _cube_root(writer: Writer, equation: Any, value: Value) -> Value:
    third = np.array(1 / 3, dtype_of(equation.invars[0]))
    return writer.op("Mul", writer.op("Sign", value), writer.op("Pow", writer.op("Abs", value), third))


@primitive("exp2")
def _power_of_two(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.op("Pow", np.array(2, dtype_of(equation.invars[0])), value)


@primitive("erfc")
def _complement_of_erf(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.op("Sub", _one(equation), writer.op("Erf", value))


@primitive("log1p")
def _log_plus_one(writer: Writer, equation: Any, value: Value) -> Value:
    """Correct what rounding ``1 + x`` loses: ``log(u) * x / (u - 1)`` is exact to a few ulp (Kahan 1984)."""
    one = _one(equation)
    total = writer.op("Add", value, one)
    log = writer.op("Log", total)
    rest = writer.op("Sub", total, one)
    corrected = writer.op("Mul", log, writer.op("Div", value, rest))
    finite = writer.op("Where", writer.op("IsInf", total), log, corrected)
    return writer.op("Where", writer.op("Equal", total, one), value, finite)


@primitive("expm1")
def _exp_minus_one(writer: Writer, equation: Any, value: Value) -> Value:
    """Correct what ``exp(x) - 1`` cancels: ``(u - 1) * x / log(u)`` is exact to a few ulp (Kahan 1984)."""
    one = _one(equation)
    power = writer.op("Exp", value)
    rest = writer.op("Sub", power, one)
    corrected = writer.op("Mul", rest, writer.op("Div", value, writer.op("Log", power)))
    limit = writer.op("Or", writer.op("Equal", rest, np.negative(one)), writer.op("IsInf", power))
    return writer.op("Where", writer.op("Equal", power, one), value, writer.op("Where", limit, rest, corrected))


@primitive("integer_pow")
def _whole_power(writer: Writer, equation: Any, value: Value) -> Value:
    """Multiply as XLA does, by squaring."""
    exponent = int(equation.params["y"])
    result: Value | None = None
    square, left = value, abs(exponent)
    while left:
        if left & 1:
            result = square if result is None else writer.op("Mul", result, square)
        left >>= 1
        square = writer.op("Mul", square, square) if left else square
    if result is None:
        return writer.op("Add", writer.op("Mul", value, np.zeros_like(_one(equation))), _one(equation))
    return writer.op("Div", _one(equation), result) if exponent < 0 else result


@primitive("rem")
def _remainder(writer: Writer, equation: Any, left: Value, right: Value) -> Value:
    return writer.op("Mod", left, right, fmod=1)


@primitive("round")
def _rounded(writer: Writer, equation: Any, value: Value) -> Value:
    if int(equation.params["rounding_method"]) == 1:
        return writer.op("Round", value)
    half = np.array(0.5, dtype_of(equation.invars[0]))
    return writer.op(
        "Mul", writer.op("Sign", value), writer.op("Floor", writer.op("Add", writer.op("Abs", value), half))
    )


@primitive("is_finite")
def _finite(writer: Writer, equation: Any, value: Value) -> Value:
    return writer.op("Not", writer.op("Or", writer.op("IsNaN", value), writer.op("IsInf", value)))


@primitive("clamp")
def _clamped(writer: Writer, equation: Any, low: Value, value: Value, high: Value) -> Value:
    return writer.op("Min", writer.op("Max", value, low), high)


@primitive("and", "or", "xor", "not")
def _logical(writer: Writer, equation: Any, *values: Value) -> Value:
    name = equation.primitive.name.capitalize()
    boolean = dtype_of(equation.invars[0]) == np.bool_
    return writer.op(name if boolean else f"Bitwise{name}", *values)


@primitive("select_n")
def _chosen(writer: Writer, equation: Any, which: Value, *cases: Value) -> Value:
    if dtype_of(equation.invars[0]) == np.bool_:
        return writer.op("Where", which, cases[1], cases[0])
    chosen = cases[-1]
    for place in reversed(range(len(cases) - 1)):
        here = writer.op("LessOrEqual", which, np.array(place, dtype_of(equation.invars[0])))
        chosen = writer.op("Where", here, cases[place], chosen)
    return chosen


@primitive("convert_element_type")
def _converted(writer: Writer, equation: Any, value: Value) -> Value:
    """Cast; a number beyond the range of a whole type takes the nearest that is in it, and NaN is 0, as in XLA."""
    source, target = dtype_of(equation.invars[0]), np.dtype(equation.params["new_dtype"])
    if source == target:
        return value
    if source.kind != "f" or target.kind not in "iu":
        return writer.cast(value, target)
    low, high = np.iinfo(target).min, np.iinfo(target).max
    top = np.array(float(high) + 1, source)
    number = writer.op("Where", writer.op("IsNaN", value), np.zeros((), source), value)
    inside = writer.op("Max", number, np.array(low, source))
    above = writer.op("GreaterOrEqual", inside, top)
    cast = writer.cast(writer.op("Where", above, np.zeros((), source), inside), target)
    return writer.op("Where", above, np.array(high, target), cast)


@primitive("reduce_precision")
def _reduced(writer: Writer, equation: Any, value: Value) -> Value:
    kept = np.finfo(dtype_of(equation.invars[0]))
    if equation.params["mantissa_bits"] < kept.nmant or equation.params["exponent_bits"] < kept.iexp:
        raise RefusedError(
            "the model rounds to a shorter float on its way, which ONNX does not", hint="compute in float32 throughout"
        )
    return value
