"""Where a model fails: parts of the rows, one column each, on which its loss is worst.

After Chung et al. (2019), "Slice Finder: automated data slicing for model validation", ICDE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from shiplap.methods.bins import binned

__all__ = ["Slice", "worst_slices"]


@dataclass(frozen=True)
class Slice:
    """Some rows, and how much worse than all rows they fare.

    Parameters
    ----------
    column, value : str
        What the rows have in common.
    rows : int
        How many there are.
    loss, low, high : float
        Mean loss with its 95 % interval.
    """

    column: str
    value: str
    rows: int
    loss: float
    low: float
    high: float


def worst_slices(
    X: pd.DataFrame, loss: npt.NDArray[Any], *, most: int = 10, hidden: tuple[str, ...] = ()
) -> list[Slice]:
    """Find the slices whose mean loss lies surely above that of all rows.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        The rows.
    loss : numpy.ndarray of shape (n_rows,)
        Loss of each.
    most : int
        How many slices to return at most, largest excess first, one a column.
    hidden : tuple of str
        Columns that may not be shown.

    Returns
    -------
    list of Slice
        Only slices of at least 30 rows and 1 % of all, whose interval, widened for the number of slices looked at,
        stays above the overall mean.

    Examples
    --------
    >>> X = pd.DataFrame({"side": ["left", "right"] * 100})
    >>> found = worst_slices(X, np.tile([1.0, 3.0], 100) + np.arange(200) / 1000)
    >>> [(item.column, item.value, item.rows) for item in found]
    [('side', 'right', 100)]
    """
    overall, least = float(np.mean(loss)), max(30, len(loss) // 100)
    found: list[tuple[float, Slice]] = []
    cuts = {str(name): binned(X[name], bins=6) for name in X.columns if name not in hidden}
    looked_at = sum(len(names) for _, names in cuts.values())
    strict = float(norm.ppf(1 - 0.025 / max(1, looked_at)))
    for column, (codes, names) in cuts.items():
        for code, name in enumerate(names):
            inside = loss[codes == code]
            if least <= len(inside) < len(loss):
                mean, error = float(np.mean(inside)), float(np.std(inside, ddof=1) / np.sqrt(len(inside)))
                if mean - strict * error > overall:
                    part = Slice(column, name, len(inside), mean, mean - 1.96 * error, mean + 1.96 * error)
                    found.append(((mean - overall) * np.sqrt(len(inside)), part))
    ranked = sorted(found, key=lambda pair: -pair[0])
    best_of_column = {part.column: part for _, part in reversed(ranked)}
    chosen = [part for _, part in ranked if best_of_column[part.column] is part]
    return chosen[:most]
