"""Target statistics as tables over everything that their categories and bins can be.

Prokhorenkova et al. (2018), "CatBoost: unbiased boosting with categorical features", NeurIPS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.catboost.booster import Statistic

__all__ = ["table_of"]

_MULTIPLIER = np.uint64(0x4906BA494954CB65)  # of the hash by which CatBoost combines features


def table_of(statistic: Statistic, hashes: Sequence[Sequence[int]]) -> tuple[NDArray[np.float64], int]:
    """Return the statistic for every combination of its categories, the unseen one last, and of its bins, no first.

    Parameters
    ----------
    statistic : Statistic
        What is tabulated.
    hashes : sequence of sequence of int
        Of each of its columns: the hashes of the known categories.

    Returns
    -------
    values : ndarray of shape (n_1 + 1, ..., n_k + 1, 2, ..., 2)
        Single-precision numbers, as doubles.
    strangers : int
        How many entries of the model's table none of the combinations is.
    """
    combined = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for known in hashes:
            signed = np.array(known, np.uint32).view(np.int32).astype(np.int64).view(np.uint64)
            combined = _MULTIPLIER * (combined[..., None] + _MULTIPLIER * signed)
        for _ in statistic.bins:
            combined = _MULTIPLIER * (combined[..., None] + _MULTIPLIER * np.array([0, 1], np.uint64))
    counts = [statistic.table.get(key) for key in combined.ravel().tolist()]
    found = sum(count is not None for count in counts)
    numbers = [_value(statistic, count) for count in counts]
    values = np.array(numbers, np.float64).reshape(combined.shape)
    edges = [(0, 1)] * len(hashes) + [(0, 0)] * len(statistic.bins)
    padded = np.pad(values, edges, constant_values=_value(statistic, None))
    return padded, len(statistic.table) - found


def _value(statistic: Statistic, entry: list[float] | None) -> float:
    """Compute ``((count + prior) / (total + weight) + shift) * scale`` in single precision."""
    count, total = _counts(statistic, entry)
    prior, weight, shift, scale = (np.float32(number) for number in statistic.numbers)
    share = (np.float32(count) + prior) / (np.float32(total) + weight)
    return float((share + shift) * scale)


def _counts(statistic: Statistic, entry: list[float] | None) -> tuple[float, float]:
    if statistic.kind in {"Counter", "FeatureFreq"}:
        return (entry[0] if entry else 0.0), float(statistic.denominator)
    if entry is None:
        return 0.0, 0.0
    if statistic.kind in {"BinarizedTargetMeanValue", "FloatTargetMeanValue"}:
        return entry[0], entry[1]
    if statistic.kind == "Buckets":
        return entry[statistic.border], sum(entry)
    return sum(entry[statistic.border + 1 :]), sum(entry)
