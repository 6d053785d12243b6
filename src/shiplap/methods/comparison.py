"""How far one column of two tables differs, and whether chance could do it: from counts alone.

The size is the total variation: the share of the rows that would have to change their value to make one table look as
the other. What sampling alone adds to it is taken out bin by bin. Four questions are tested and Bonferroni's bound
joins them: is it missing as often, does it lie as high (ranks; Mann and Whitney 1947), is it spread alike (likelihood
ratio with Williams' correction), and are there values that only one of the tables has?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from shiplap.methods.association import independence
from shiplap.methods.tally import Tally

__all__ = ["Change", "change_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_FEWEST = 10


@dataclass(frozen=True)
class Change:
    """How one column differs between two tables.

    Parameters
    ----------
    size : float
        Total variation, 0 to 1, with the part that chance adds taken out.
    p : float
        p-value that nothing changed; NaN where nothing could be tested.
    missing : tuple of float
        Share of missing values in each table.
    unseen : float
        Share of the second table's rows whose bin is empty in the first.
    """

    size: float
    p: float
    missing: tuple[float, float]
    unseen: float


def change_of(tally: Tally) -> Change:
    """Measure and test one column.

    Examples
    --------
    >>> tally = Tally(("a", "b"), np.array([500, 500]), np.array([700, 300]), (0, 0))
    >>> found = change_of(tally)
    >>> round(found.size, 2), found.p < 1e-6
    (0.2, True)
    """
    first, second = tally.first, tally.second
    n, m = int(first.sum()) + tally.missing[0], int(second.sum()) + tally.missing[1]
    gaps = np.array([[first.sum(), tally.missing[0]], [second.sum(), tally.missing[1]]])
    tests = [independence(gaps).p, independence(np.vstack(_without_rare(tally))).p, _only_one_has(first, second)]
    if tally.ends:
        tests.append(_location(first, second))
    known = [p for p in tests if not np.isnan(p)]
    return Change(
        size=_total_variation(np.append(first, tally.missing[0]), np.append(second, tally.missing[1])),
        p=min(1.0, len(known) * min(known)) if known else np.nan,
        missing=(tally.missing[0] / max(1, n), tally.missing[1] / max(1, m)),
        unseen=float(second[first == 0].sum()) / max(1, m),
    )


def _total_variation(first: Ints, second: Ints) -> float:
    """Half the sum of the differences of the shares, each without what its sampling variance adds."""
    n, m = max(1, int(first.sum())), max(1, int(second.sum()))
    p, q = first / n, second / m
    noise = p * (1 - p) / n + q * (1 - q) / m
    return float(np.sqrt(np.maximum(0.0, (p - q) ** 2 - noise)).sum() / 2)


def _without_rare(tally: Tally) -> tuple[Ints, Ints]:
    """Let bins with few rows share one."""
    rare = tally.first + tally.second < _FEWEST
    return (
        np.append(tally.first[~rare], tally.first[rare].sum()),
        np.append(tally.second[~rare], tally.second[rare].sum()),
    )


def _only_one_has(first: Ints, second: Ints) -> float:
    """Bound the chance that the rows of one value all lie in one table although the tables are drawn alike."""
    n, m = int(first.sum()), int(second.sum())
    if not n or not m:
        return np.nan
    total = n + m
    chances = [
        np.log(share / total) * rows[other == 0].max(initial=0)
        for rows, other, share in ((first, second, n), (second, first, m))
    ]
    return float(min(1.0, 2 * len(first) * np.exp(min(chances))))


def _location(first: Ints, second: Ints) -> float:
    """Mann and Whitney's test from counts per bin: ties share their middle rank."""
    n, m = int(first.sum()), int(second.sum())
    both = (first + second).astype(np.float64)
    total = n + m
    rank = np.cumsum(both) - both / 2
    spread = float(np.sum(both * (rank - total / 2) ** 2)) / max(1, total - 1)
    if not n or not m or spread <= 0:
        return np.nan
    difference = float(second @ rank) / m - float(first @ rank) / n
    return float(2 * norm.sf(abs(difference) / np.sqrt(spread * (1 / n + 1 / m))))
