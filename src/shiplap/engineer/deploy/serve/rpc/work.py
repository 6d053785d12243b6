"""`work`: rows answered by a ship: one with the others of this turn, some at once, many on a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.tensors import Tensors
from shiplap.engineer.deploy.serve.rpc.call import Call

__all__ = ["MOST_DIMENSIONS", "Outputs", "Row", "check_count", "claimed", "work"]

Outputs = NDArray[np.float64]
Row = dict[str, Any]

MOST_DIMENSIONS = 64
"""No tensor of a model has so many; what comes after them is not read."""

_DIMENSIONS = 8  # so many are multiplied
_FEW = 4  # one row may bring columns that the model does not know
_SHORT = 65_536  # a body of so many bytes is read in about the time that a turn of the loop may take
_STRANGE = 1_000  # columns that the model does not know


def check_count(tensors: Tensors, n_inputs: int) -> None:
    """Refuse more inputs than anybody who knows the model sends; raises ``ProblemError`` (413)."""
    most = 2 * len(tensors.inputs) + _STRANGE
    if n_inputs > most:
        raise ProblemError(413, f"at most {most} inputs are accepted in one request", value=n_inputs)


def claimed(shapes: Iterable[Sequence[int]]) -> int:
    """Return how many values tensors hold, as their shapes say; no more than some dimensions are multiplied.

    Examples
    --------
    >>> claimed([[2, 3], [2]])
    8
    """
    return sum(max(0, prod(shape[:_DIMENSIONS])) for shape in shapes)


async def work(
    tensors: Tensors, call: Call, n_values: int, read: Callable[[], list[Row]], render: Callable[[Outputs], bytes]
) -> bytes:
    """Return what `render` makes of the answers to the rows that `read` finds.

    Parameters
    ----------
    tensors : Tensors
        The ship.
    call : Call
        Who asks.
    n_values : int
        How many values a request holds by its own word; what it costs is thought of by them before it is read.
    read : callable
        Returns the rows.
    render : callable
        ``render(outputs)`` returns the answer; `outputs` has the shape (n_rows, n_outputs).

    Raises
    ------
    ProblemError
        As the model, or `read`, does.
    """
    model = tensors.model
    n_rows = n_values / tensors.row_values
    many = n_rows > _FEW and n_rows * model.row_us > model.limits.inline_ms * 1000
    cost_us = min(n_rows, len(call.body)) * model.row_us  # by its own word, it may hold any number
    if many or len(call.body) > max(model.inline_bytes, _SHORT):
        model.jobs.submit(call, lambda: render(model.outputs(read(), call)), cost_us=cost_us)
        return bytes(await call.outcome)
    rows = read()
    if len(rows) != 1:
        return render(model.outputs(rows, call))
    model.answer_row(rows[0], call, Call.answer)
    return render(np.array([await call.outcome]))
