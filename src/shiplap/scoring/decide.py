"""From outputs to labels and decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.brief import Label
from shiplap.core.policy import Policy

__all__ = ["Answer", "Decider"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a ship answers for one row.

    Parameters
    ----------
    prediction : str, int, float, bool or tuple of float
        The most probable class, the number of a regression, or all numbers of a tensor.
    probabilities : tuple of float
        One for each class, in the order of the signature, or a score each; empty for regression and tensors.
    decision : str, int, float, bool or None
        What the policy decides: act or not (binary), a class (multiclass), a number (regression).
    """

    prediction: Label | tuple[float, ...]
    probabilities: tuple[float, ...] = ()
    decision: Label | None


class Decider:
    """Turns outputs into labels and decisions as a policy says.

    Parameters
    ----------
    policy : Policy
        The policy.

    Examples
    --------
    >>> decider = Decider(Policy(task="binary", classes=("no", "yes"), positive=1, threshold=0.2))
    >>> outputs = np.array([[0.7, 0.3], [0.9, 0.1]])
    >>> decider.labels(outputs), decider.decisions(outputs)
    (array(['no', 'no'], dtype='<U3'), array([ True, False]))
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.classes = _array(policy.classes)
        self._worth = np.array(policy.matrix) if policy.matrix else None

    def labels(self, outputs: NDArray[np.float64]) -> NDArray[Any]:
        """Return the prediction of each row, shape (n_rows,): the most probable class, or the number itself.

        A tensor is returned as it is.
        """
        if self.policy.task == "tensor":
            return outputs
        if self.policy.task == "regression":
            return outputs[:, 0]
        labels: NDArray[Any] = self.classes[outputs.argmax(axis=1)]
        return labels

    def decisions(self, outputs: NDArray[np.float64]) -> NDArray[Any]:
        """Return the decision of each row, shape (n_rows,): a boolean, a class or a number, by the task.

        Binary: whether the probability of the positive class is at or above the threshold. Multiclass: the class
        whose decision earns most in expectation, the most probable one where nothing is known of worth. Regression:
        the prediction plus the policy's offset.
        """
        if self.policy.task == "binary":
            acts: NDArray[np.bool_] = outputs[:, self.policy.positive] >= self.policy.threshold
            return acts
        if self.policy.task == "tensor":
            return outputs
        if self.policy.task == "regression":
            moved: NDArray[np.float64] = outputs[:, 0] + self.policy.offset
            return moved
        if self._worth is None:
            return self.labels(outputs)
        decided: NDArray[Any] = self.classes[(outputs @ self._worth.T).argmax(axis=1)]
        return decided

    def answer(self, output: Sequence[float]) -> Answer:
        """Return the answer for one row.

        Parameters
        ----------
        output : sequence of float
            What the graph gave: a probability for each class, or one number.

        Examples
        --------
        >>> Decider(Policy(task="regression", offset=2.0)).answer([40.0])
        Answer(prediction=40.0, probabilities=(), decision=42.0)
        """
        prediction, decision = self.pick(output)
        numbers = () if self.policy.task in {"tensor", "regression"} else tuple(output)
        return Answer(prediction=prediction, probabilities=numbers, decision=decision)

    def pick(self, output: Sequence[float]) -> tuple[Label | tuple[float, ...], Label | None]:
        """Return the prediction and the decision for one row.

        Parameters
        ----------
        output : sequence of float
            What the graph gave: a probability for each class, or one number.

        Examples
        --------
        >>> Decider(Policy(task="binary", classes=("no", "yes"), positive=1, threshold=0.2)).pick([0.7, 0.3])
        ('no', True)
        """
        policy = self.policy
        if policy.task == "binary":
            return policy.classes[output[1] > output[0]], output[policy.positive] >= policy.threshold
        if policy.task == "tensor":
            return tuple(output), None
        if policy.task == "regression":
            return output[0], output[0] + policy.offset
        best = decided = output.index(max(output))
        if self._worth is not None:
            decided = int((np.array([output]) @ self._worth.T).argmax())
        return policy.classes[best], policy.classes[decided]


def _array(classes: tuple[Label, ...]) -> NDArray[Any]:
    if len(set(map(type, classes))) == 1:
        return np.array(classes)
    mixed = np.empty(len(classes), dtype=object)
    mixed[:] = classes
    return mixed
