"""What comes of rows that were asked about one by one: outputs or a refusal for each, handed to whoever asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import ShipError
from shiplap.engineer.deploy.serve.models.tap import Asker, Passed, Tap
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Outcome", "Render", "Waiting", "answer", "beyond", "outcomes_of", "refuse_all", "show", "show_answered"]

Matrix = NDArray[np.float64]
Outcome = list[float] | ProblemError
Render = Callable[[Any, list[float]], None]
"""Answers whoever asked from the outputs of the row."""
Waiting = tuple[Asker, Render, Mapping[str, object] | bytes]
"""Who asked, who answers, and the row, which may still be JSON."""


def beyond(error: ShipError) -> ProblemError:
    """Return the refusal of a row that the graph cannot take, such as an index outside its table."""
    return ProblemError(422, error.message, hint=error.hint or None)


def outcomes_of(run: Callable[[Matrix], Matrix], matrix: Matrix) -> list[Outcome]:
    """Return what comes of each row; where the graph fails, each is asked alone, so that one spoils no other."""
    try:
        return list(run(matrix).tolist())
    except ShipError as error:
        if len(matrix) == 1:
            return [beyond(error)]
    return [outcomes_of(run, matrix[row : row + 1])[0] for row in range(len(matrix))]


def answer(waiting: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    """Answer everyone who is still there."""
    for (asker, render, _), output in zip(waiting, outcomes, strict=True):
        if asker.gone:
            continue
        if output.__class__ is not list:
            asker.settle(output)  # type: ignore[arg-type]
            continue
        try:
            render(asker, output)
        except Exception as error:
            asker.settle(error)


def refuse_all(waiting: Sequence[Waiting], error: BaseException) -> None:
    """Answer everyone with what `error` means."""
    for asker, _, _ in waiting:
        asker.settle(error)


def show(taps: Sequence[Tap], waiting: Sequence[Waiting], encoded: Matrix, outputs: Matrix) -> None:
    """Let taps see rows that were answered."""
    askers, _, rows = zip(*waiting)  # noqa: B905  (strict costs, and waiting are triples)
    passed = Passed(rows)
    for tap in taps:
        tap.take(askers, passed, encoded, outputs)


def show_answered(
    taps: Sequence[Tap], waiting: Sequence[Waiting], encoded: Matrix, outcomes: Sequence[Outcome]
) -> None:
    """Let taps see those of the rows that were answered, where some may have been refused."""
    kept = [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, ProblemError)]
    if kept:
        show(taps, [waiting[place] for place in kept], encoded[kept], np.array([outcomes[place] for place in kept]))
