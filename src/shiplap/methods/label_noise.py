"""Labels that contradict a model.

After Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset labels", Journal of
Artificial Intelligence Research 70; beside what a calibrated model expects, since classes that overlap contradict it
too.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["contradicted"]

Floats: TypeAlias = npt.NDArray[np.float64]


def contradicted(
    y: npt.NDArray[Any], probabilities: Floats, *, sure: float = 0.9
) -> tuple[npt.NDArray[np.int64], float]:
    """Find rows that are labelled otherwise than a model says that is sure of them.

    Parameters
    ----------
    y : numpy.ndarray of int64, shape (n_rows,)
        Labels as codes.
    probabilities : numpy.ndarray of shape (n_rows, n_classes)
        Of a model that was not fitted on these rows.
    sure : float
        Least probability of the class that the model says.

    Returns
    -------
    found : numpy.ndarray of int64
        Positions, those first of which the model is most sure.
    expected : float
        How many there would be if the probabilities were right.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.95, 0.05], [0.6, 0.4]])
    >>> found, expected = contradicted(np.array([1, 0, 1]), probabilities)
    >>> found.tolist(), round(expected, 2)
    ([0], 0.15)
    """
    said, most = probabilities.argmax(axis=1), probabilities.max(axis=1)
    confident = most >= sure
    other = np.flatnonzero(confident & (said != y))
    return other[np.argsort(-most[other], kind="stable")], float(np.sum(1 - most[confident]))
