"""Many tests at once: false discoveries held whatever the tests have to do with each other.

Columns of one table depend on each other, in either direction. Benjamini and Yekutieli (2001), "The control of the
false discovery rate in multiple testing under dependency", Annals of Statistics 29, hold under any dependence; where
nothing is to be found, the rate of finding anything is at most the level. Intervals of what was selected: Benjamini
and Yekutieli (2005), "False discovery rate-adjusted multiple confidence intervals for selected parameters", JASA 100.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control

__all__ = ["LEVEL", "corrected", "selected_level"]

Floats: TypeAlias = npt.NDArray[np.float64]
LEVEL = 0.05
"""Expected share of false findings among those that are reported."""


def corrected(p: Floats) -> Floats:
    """Correct p-values after Benjamini and Yekutieli, so that what lies below a level may be reported at that level.

    Parameters
    ----------
    p : numpy.ndarray of shape (n_tests,)
        p-values; NaN where no test could be made.

    Returns
    -------
    numpy.ndarray of shape (n_tests,)
        Corrected values, NaN where `p` is.

    Examples
    --------
    >>> corrected(np.array([0.001, np.nan, 0.5])).round(3).tolist()
    [0.003, nan, 0.75]
    """
    found = np.full(len(p), np.nan)
    known = ~np.isnan(p)
    if known.any():
        found[known] = false_discovery_control(p[known], method="by")
    return found


def selected_level(n_selected: int, n_tested: int, *, level: float = 1 - LEVEL) -> float:
    """Level of each interval so that, of the intervals shown, the stated share still covers the truth.

    Parameters
    ----------
    n_selected, n_tested : int
        How many estimates are shown because their tests said so, and how many were tested.
    level : float
        Share of the shown intervals that should hold the truth.

    Examples
    --------
    >>> selected_level(10, 10), round(selected_level(1, 10), 4)
    (0.95, 0.995)
    """
    return 1 - (1 - level) * max(1, n_selected) / max(1, n_tested)
