"""The table of JAX's primitives: which function writes which, by the primitive's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shiplap.adapters.frameworks.jax.writer import Value, Writer

__all__ = ["PRIMITIVES", "Emit", "primitive"]

Emit = Callable[..., Value | tuple[Value, ...]]
"""``emit(writer, equation, *inputs)``: write one equation and return what it computes."""

PRIMITIVES: dict[str, Emit] = {}


def primitive(*names: str) -> Callable[[Emit], Emit]:
    """Register the function that writes some primitives.

    Examples
    --------
    >>> @primitive("nothing_at_all")
    ... def nothing(writer, equation, value):
    ...     return value
    >>> PRIMITIVES.pop("nothing_at_all") is nothing
    True
    """

    def register(emit: Emit) -> Emit:
        PRIMITIVES.update(dict.fromkeys(names, emit))
        return emit

    return register


def direct(names: dict[str, str]) -> None:
    """Register primitives that are one operator of ONNX with the same meaning."""
    for name, operator in names.items():
        PRIMITIVES[name] = _named(operator)


def _named(operator: str) -> Emit:
    def emit(writer: Writer, equation: Any, *inputs: Value) -> Value:
        return writer.op(operator, *inputs)

    return emit
