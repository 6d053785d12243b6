"""How far the answers to the same rows lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shiplap.scoring.decide import Decider

__all__ = ["decided_apart", "distances"]

Doubles = NDArray[np.float64]


def distances(expected: Doubles, found: Doubles, scale: float | Sequence[float] = 1.0) -> Doubles:
    """Return the largest difference of each row's outputs, in units of `scale` or of the output where that is larger.

    Parameters
    ----------
    expected, found : ndarray of float64, shape (n_rows, n_outputs)
        What should come out and what did.
    scale : float or sequence of float
        1 for probabilities, the spread of other answers: one for all or one a column.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Infinite where one answer is no number and the other is.

    Examples
    --------
    >>> distances(np.array([[1.0], [np.nan], [0.0]]), np.array([[1.5], [np.nan], [np.nan]]))
    array([0.5, 0. , inf])
    """
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(expected - found) / np.maximum(np.asarray(scale), np.abs(expected))
    apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    largest: Doubles = apart.max(axis=1, initial=0.0)
    return largest


def decided_apart(expected: Doubles, found: Doubles, decider: Decider) -> NDArray[np.bool_]:
    """Tell of each row whether its label or its decision differs; False throughout for a regression or tensor.

    Examples
    --------
    >>> from shiplap.core.policy import Policy
    >>> decider = Decider(Policy(task="binary", classes=(0, 1), positive=1, threshold=0.1))
    >>> decided_apart(np.array([[0.9, 0.1]]), np.array([[0.91, 0.09]]), decider)
    array([ True])
    """
    if decider.policy.task in {"regression", "tensor"}:
        return np.zeros(len(expected), dtype=bool)
    labels = decider.labels(expected) != decider.labels(found)
    decisions = decider.decisions(expected) != decider.decisions(found)
    apart: NDArray[np.bool_] = labels | decisions
    return apart
