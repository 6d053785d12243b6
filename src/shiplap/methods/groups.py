"""How a target differs between the groups of categories: each group against all other rows.

Far out in the tails, where many tests put their limits, Wald's test of a rare group errs. So shares are tested by the
likelihood ratio and numbers by their ranks (Mann and Whitney 1947). Intervals: of shares Newcombe (1998), "Interval
estimation for the difference between independent proportions", Statistics in Medicine 17; of means Welch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata, t

from shiplap.methods.association import independence
from shiplap.methods.intervals import wilson
from shiplap.methods.multiple import LEVEL, corrected, selected_level

__all__ = ["Group", "group_differences"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_FEWEST_ROWS = 20


@dataclass(frozen=True)
class Group:
    """One group of one column.

    Parameters
    ----------
    column, value : str
        The column, and the value that makes the group.
    rows : int
        Its rows.
    mean : float
        Mean of the target in it; of a yes or no, the share.
    difference : float
        That mean less the mean of all other rows.
    low, high : float
        Interval of the difference: of the intervals of all groups that differ surely, 95 % hold the truth.
    p : float
        p-value, corrected for all groups that were tested.
    """

    column: str
    value: str
    rows: int
    mean: float
    difference: float
    low: float
    high: float
    p: float

    @property
    def is_sure(self) -> bool:
        """Whether chance is ruled out, by the test and by the interval."""
        return self.p <= LEVEL and (self.low > 0 or self.high < 0)


def group_differences(groups: dict[str, tuple[Ints, list[str]]], y: Floats) -> list[Group]:
    """Hold each group against all other rows; groups of fewer than 20 rows are not tested.

    Parameters
    ----------
    groups : dict of str to (numpy.ndarray of int64, list of str)
        By column: the group of each row, and the names of the groups.
    y : numpy.ndarray of shape (n_rows,)
        The target: numbers, or 0 and 1.

    Returns
    -------
    list of Group
        The largest difference first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = np.repeat([0, 1, 2], 100)
    >>> found = group_differences({"shop": (codes, ["a", "b", "c"])}, (codes == 2) + rng.normal(size=300) / 2)
    >>> found[0].value, found[0].is_sure, found[0].low < 1 < found[0].high
    ('c', True, True)
    """
    is_share = bool(np.isin(y, (0, 1)).all())
    ranks = rankdata(y)
    tested = [
        (column, names[place], codes == place)
        for column, (codes, names) in groups.items()
        for place in _common(codes, len(names))
    ]
    p = np.array([_of_share(inside, y) if is_share else _of_ranks(inside, ranks) for _, _, inside in tested])
    right = corrected(p)
    level = selected_level(int(np.sum(right <= LEVEL)), len(tested))
    found = []
    for (column, name, inside), value in zip(tested, right, strict=True):
        one, others = y[inside], y[~inside]
        low, high = _newcombe(one, others, level) if is_share else _welch(one, others, level)
        means = float(one.mean()), float(one.mean() - others.mean())
        found.append(Group(column, name, len(one), *means, low, high, float(value)))
    return sorted(found, key=lambda group: -abs(group.difference))


def _common(codes: Ints, n_groups: int) -> list[int]:
    rows = np.bincount(codes, minlength=n_groups)
    return [int(place) for place in np.flatnonzero((rows >= _FEWEST_ROWS) & (len(codes) - rows >= _FEWEST_ROWS))]


def _of_share(inside: npt.NDArray[np.bool_], y: Floats) -> float:
    found = independence(np.bincount(2 * inside + (y == 1), minlength=4).reshape(2, 2)).p
    return 1.0 if np.isnan(found) else found


def _of_ranks(inside: npt.NDArray[np.bool_], ranks: Floats) -> float:
    n, m = len(ranks), int(inside.sum())
    spread = float(ranks.var(ddof=1)) * (1 / m + 1 / (n - m))
    difference = float(ranks[inside].mean() - ranks[~inside].mean())
    return float(2 * norm.sf(abs(difference) / np.sqrt(spread))) if spread > 0 else 1.0


def _newcombe(one: Floats, others: Floats, level: float) -> tuple[float, float]:
    p, q = one.mean(), others.mean()
    (p_low, p_high), (q_low, q_high) = (wilson(side.sum(), len(side), level=level) for side in (one, others))
    return float(p - q - np.hypot(p - p_low, q_high - q)), float(p - q + np.hypot(p_high - p, q - q_low))


def _welch(one: Floats, others: Floats, level: float) -> tuple[float, float]:
    variances = one.var(ddof=1) / len(one), others.var(ddof=1) / len(others)
    total = sum(variances)
    if not total:
        return (float(one.mean() - others.mean()),) * 2
    freedom = total**2 / (variances[0] ** 2 / (len(one) - 1) + variances[1] ** 2 / (len(others) - 1))
    half = float(t.ppf((1 + level) / 2, freedom) * np.sqrt(total))
    difference = float(one.mean() - others.mean())
    return difference - half, difference + half
