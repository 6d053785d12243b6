"""What is typical of a group, as a rule a person reads: at most three conditions, with how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from shiplap.methods.mixed import numbers_of

__all__ = ["Description", "described"]

Bools: TypeAlias = npt.NDArray[np.bool_]
_DEPTH = 3
_COMMON = 0.02
_MISSING = "missing"


@dataclass(frozen=True)
class Description:
    """A rule for one group.

    Parameters
    ----------
    rule : str
        Conditions in words.
    columns : tuple of str
        The columns in it.
    precision, coverage : float
        Share of the rows under the rule that are in the group, and share of the group that is under the rule.
    """

    rule: str
    columns: tuple[str, ...]
    precision: float
    coverage: float


@dataclass(frozen=True)
class _Test:
    """One question a tree may ask: a number above a cut, or a text being one value."""

    column: str
    value: str | None
    dated: bool = False


def described(X: pd.DataFrame, inside: Bools) -> Description:
    """Describe the rows of a group by the path through a shallow tree that fits it best.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        The rows as they are.
    inside : numpy.ndarray of bool, shape (n_rows,)
        Which belong to the group.

    Examples
    --------
    >>> X = pd.DataFrame({"contract": list("mmyy") * 50, "tenure": np.arange(200.0) % 40})
    >>> inside = ((X["contract"] == "m") & (X["tenure"] < 6)).to_numpy()
    >>> print(described(X, inside).rule)
    tenure up to 5.5 and contract = m
    """
    tests, table = _questions(X)
    tree = DecisionTreeClassifier(
        max_depth=_DEPTH,
        min_impurity_decrease=1e-6,
        class_weight="balanced",
        min_samples_leaf=max(1, len(X) // 200),
        random_state=0,
    ).fit(table, inside)
    leaves = tree.apply(table)
    best = max(np.unique(leaves), key=lambda leaf: _agreement(leaves == leaf, inside))
    bounds = _path(tree, int(best))
    under = leaves == best
    hit = int((under & inside).sum())
    return Description(
        rule=" and ".join(_spoken(tests[index], *bound) for index, bound in bounds.items()) or "any row",
        columns=tuple(dict.fromkeys(tests[index].column for index in bounds)),
        precision=hit / max(1, int(under.sum())),
        coverage=hit / max(1, int(inside.sum())),
    )


def _questions(X: pd.DataFrame) -> tuple[list[_Test], npt.NDArray[np.float64]]:
    tests, columns = [], []
    for name in X.columns:
        if X[name].dtype.kind in "fiubM":
            numbers = numbers_of(X[name])
            known = np.isfinite(numbers)
            middle = float(np.median(numbers[known])) if known.any() else 0.0
            tests.append(_Test(str(name), None, X[name].dtype.kind == "M"))
            columns.append(np.where(known, numbers, middle))
            if _COMMON < 1 - known.mean() < 1:
                tests.append(_Test(str(name), _MISSING))
                columns.append((~known).astype(np.float64))
        else:
            texts = X[name].where(X[name].notna(), _MISSING).astype(str)
            shares = texts.value_counts(normalize=True)
            for value in shares.index[shares >= _COMMON]:
                tests.append(_Test(str(name), str(value)))
                columns.append((texts == value).to_numpy(dtype=np.float64))
    return tests, np.column_stack(columns)


def _agreement(under: Bools, inside: Bools) -> float:
    """F1 of a rule."""
    return float(2 * (under & inside).sum() / (under.sum() + inside.sum()))


def _path(tree: DecisionTreeClassifier, leaf: int) -> dict[int, tuple[float, float]]:
    """Return, for each question on the way to a leaf, the bounds that hold there."""
    parts = tree.tree_
    parent = {int(child): node for node in range(parts.node_count) for child in _children(tree, node)}
    bounds: dict[int, tuple[float, float]] = {}
    node = leaf
    while node:
        above = parent[node]
        question, cut = int(parts.feature[above]), float(parts.threshold[above])
        low, high = bounds.get(question, (-np.inf, np.inf))
        bounds[question] = (low, min(high, cut)) if parts.children_left[above] == node else (max(low, cut), high)
        node = above
    return dict(reversed(bounds.items()))


def _children(tree: DecisionTreeClassifier, node: int) -> list[int]:
    pair = (tree.tree_.children_left[node], tree.tree_.children_right[node])
    return [child for child in pair if child >= 0]


def _spoken(test: _Test, low: float, high: float) -> str:
    if test.value is not None:
        sign = ("is not" if test.value == _MISSING else "!=") if high < 1 else ("is" if test.value == _MISSING else "=")
        return f"{test.column} {sign} {test.value}"
    first, last = (_shown(end, dated=test.dated) for end in (low, high))
    if np.isinf(low):
        return f"{test.column} up to {last}"
    return f"{test.column} above {first}" if np.isinf(high) else f"{test.column} from {first} to {last}"


def _shown(value: float, *, dated: bool) -> str:
    if dated and np.isfinite(value):
        return str(np.datetime64(int(value * 86_400), "s"))[:10]
    return f"{value:,.4g}"
