"""What drives a model: how much its loss grows when one column is shuffled.

Permutation importance: Breiman (2001), "Random forests", Machine Learning 45; model-agnostic form and its caveats for
correlated columns: Fisher, Rudin and Dominici (2019), "All models are wrong, but many are useful", JMLR 20.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["permutation_importance"]

Floats: TypeAlias = npt.NDArray[np.float64]


def permutation_importance(
    X: pd.DataFrame,
    measure: Callable[[pd.DataFrame], Floats],
    *,
    repeats: int = 2,
    seed: int = 0,
    told: Callable[[float], None] | None = None,
) -> dict[str, Floats]:
    """Measure what shuffling each column changes.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Rows the model was not fitted on.
    measure : callable
        From rows to figures, shape (n_measures,), e.g. mean loss and mean money.
    repeats : int
        Shuffles per column, averaged.
    seed : int
        Seed of the shuffles.
    told : callable, optional
        Hears the fraction done.

    Returns
    -------
    dict of str to numpy.ndarray
        Change of each figure, by column.

    Examples
    --------
    >>> X = pd.DataFrame({"used": np.arange(100.0), "unused": np.arange(100.0)})
    >>> found = permutation_importance(X, lambda X: np.array([np.mean((X["used"] - np.arange(100)) ** 2)]))
    >>> bool(found["used"][0] > 1000), float(found["unused"][0])
    (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    base = measure(X)
    found: dict[str, Floats] = {}
    for index, name in enumerate(X.columns):
        changes: list[npt.NDArray[Any]] = []
        for _ in range(repeats):
            shuffled = X.copy(deep=False)
            shuffled[name] = X[name].take(rng.permutation(len(X))).to_numpy()
            changes.append(measure(shuffled.astype({name: X[name].dtype})) - base)
        found[str(name)] = np.mean(changes, axis=0)
        if told is not None:
            told((index + 1) / X.shape[1])
    return found
