"""How two sets of answers differ: largest difference, labels and decisions that flip, ties inside the band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiplap.core.policy import Policy
from shiplap.scoring.decide import Decider

__all__ = ["Comparison", "compare"]

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """What a comparison of outputs found.

    Parameters
    ----------
    differences : ndarray of float64, shape (n_rows,)
        Largest absolute difference in each row: of probabilities, or of a number relative to its size where that is
        above 1. Infinite where one of the two is no finite number and the other is.
    flips : ndarray of bool, shape (n_rows,)
        A label or decision differs, and lies further from its border than the band explains.
    ties : ndarray of bool, shape (n_rows,)
        A label or decision differs inside the band.
    """

    differences: Doubles
    flips: NDArray[np.bool_]
    ties: NDArray[np.bool_]

    @property
    def largest(self) -> float:
        """Largest difference over all rows; 0 where there are none."""
        return float(self.differences.max(initial=0.0))


def compare(expected: Doubles, found: Doubles, *, policy: Policy, band: float) -> Comparison:
    """Compare two outputs for the same rows.

    Parameters
    ----------
    expected, found : ndarray of float64, shape (n_rows, n_outputs)
        What should come out and what did.
    policy : Policy
        What is decided on them.
    band : float
        Differences up to it are the arithmetic's own.

    Examples
    --------
    >>> policy = Policy(task="binary", classes=(0, 1), positive=1, threshold=0.5)
    >>> first, second = np.array([[0.51, 0.49], [0.4, 0.6]]), np.array([[0.49, 0.51], [0.4, 0.6]])
    >>> compare(first, second, policy=policy, band=1e-9).flips
    array([ True, False])
    """
    differences = _differences(expected, found, policy)
    if policy.task == "regression":
        none = np.zeros(len(expected), dtype=bool)
        return Comparison(differences, none, none)
    decider = Decider(policy)
    label = decider.labels(expected) != decider.labels(found)
    decision = decider.decisions(expected) != decider.decisions(found)
    clear_label = _label_margin(expected) > 2 * band
    clear_decision = _decision_margin(expected, policy) > 2 * band
    flips = (label & clear_label) | (decision & clear_decision)
    return Comparison(differences, flips, (label | decision) & ~flips)


def _differences(expected: Doubles, found: Doubles, policy: Policy) -> Doubles:
    with np.errstate(invalid="ignore"):
        gaps = np.abs(expected - found)
        if policy.task == "regression":
            gaps = gaps / np.maximum(1.0, np.abs(expected))
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    gaps = np.where(same, 0.0, np.where(np.isfinite(gaps), gaps, np.inf))
    largest: Doubles = gaps.max(axis=1, initial=0.0)
    return largest


def _label_margin(outputs: Doubles) -> Doubles:
    ordered = np.sort(outputs, axis=1)
    margin: Doubles = ordered[:, -1] - ordered[:, -2]
    return margin


def _decision_margin(outputs: Doubles, policy: Policy) -> Doubles:
    """Return how far probabilities are from where the decision changes."""
    if policy.task == "binary":
        return 2 * np.abs(outputs[:, policy.positive] - policy.threshold)
    if not policy.matrix:
        return _label_margin(outputs)
    worth = np.array(policy.matrix)
    scale = float(np.ptp(worth)) or 1.0
    return _label_margin(outputs @ worth.T) / (scale * len(worth))
