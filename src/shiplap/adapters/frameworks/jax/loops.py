"""Loops and branches."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.jax.elementwise import dtype_of
from shiplap.adapters.frameworks.jax.primitives import primitive
from shiplap.adapters.frameworks.jax.writer import Value, Writer

__all__: list[str] = []


def _typed(writer: Writer, variables: Any) -> list[tuple[str, Any, int]]:
    return [(writer.fresh(), dtype_of(variable), len(variable.aval.shape)) for variable in variables]


@primitive("scan")
def _scan(writer: Writer, equation: Any, *inputs: Value) -> tuple[Value, ...]:
    """Write a loop over the first axis; what never changes is seen from outside."""
    params = equation.params
    inner = params["jaxpr"]
    fixed, carried = params["num_consts"], params["num_carry"]
    variables = inner.jaxpr.invars[fixed:]
    taken = _typed(writer, variables)
    with writer.body() as nodes:
        made = writer.run(inner, [*inputs[:fixed], *(name for name, _, _ in taken)])
    rows = list(inputs[fixed:])
    if len(variables) == carried:
        # ONNX counts a loop by what it walks over, so that a loop over nothing walks over its own numbers.
        taken.append((writer.fresh(), np.dtype(np.int32), 0))
        rows.append(np.arange(params["length"], dtype=np.int32))
    dtypes = [dtype_of(variable) for variable in inner.jaxpr.outvars]
    body = writer.graph(nodes, taken, list(zip(made, dtypes, strict=True)))
    walked, given = len(rows) - carried, len(made) - carried
    directions = {"scan_input_directions": [1] * walked} if params["reverse"] else {}
    if params["reverse"] and given:
        directions["scan_output_directions"] = [1] * given
    return writer.ops("Scan", rows, len(made), body=body, num_scan_inputs=walked, **directions)


@primitive("while")
def _while(writer: Writer, equation: Any, *inputs: Value) -> tuple[Value, ...]:
    params = equation.params
    asked, done = params["cond_nconsts"], params["body_nconsts"]
    of_test, of_body, start = inputs[:asked], inputs[asked : asked + done], inputs[asked + done :]
    first = writer.run(params["cond_jaxpr"], [*of_test, *start])[0]
    variables = params["body_jaxpr"].jaxpr.invars[done:]
    carried = _typed(writer, variables)
    taken = [(writer.fresh(), np.dtype(np.int64), 0), (writer.fresh(), np.dtype(np.bool_), 0), *carried]
    with writer.body() as nodes:
        made = writer.run(params["body_jaxpr"], [*of_body, *(name for name, _, _ in carried)])
        again = writer.run(params["cond_jaxpr"], [*of_test, *made])[0]
    dtypes = [np.dtype(np.bool_), *(dtype_of(variable) for variable in variables)]
    body = writer.graph(nodes, taken, list(zip([again, *made], dtypes, strict=True)))
    limit = np.array(np.iinfo(np.int64).max, np.int64)
    return writer.ops("Loop", [limit, first, *start], len(made), body=body)


@primitive("cond")
def _branch(writer: Writer, equation: Any, which: Value, *inputs: Value) -> tuple[Value, ...]:
    branches = equation.params["branches"]
    return _choose(writer, which, branches, inputs)


def _choose(writer: Writer, number: Value, branches: Any, inputs: Any) -> tuple[Value, ...]:
    """Take the first branch where the number is 0 or below, else choose among the rest."""
    if len(branches) == 1:
        return writer.run(branches[0], list(inputs))
    dtypes = [dtype_of(variable) for variable in branches[0].jaxpr.outvars]
    with writer.body() as first:
        made = writer.run(branches[0], list(inputs))
    then = writer.graph(first, [], list(zip(made, dtypes, strict=True)))
    with writer.body() as rest:
        lower = writer.op("Sub", writer.cast(number, np.int64), np.array(1, np.int64))
        made = _choose(writer, lower, branches[1:], inputs)
    other = writer.graph(rest, [], list(zip(made, dtypes, strict=True)))
    test = writer.op("LessOrEqual", writer.cast(number, np.int64), np.array(0, np.int64))
    return writer.ops("If", [test], len(dtypes), then_branch=then, else_branch=other)
