"""Ensembles of scikit-learn's own trees, each of which may read other columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.trees import add_tree, note_thresholds, single_precision, tree_sums
from shiplap.adapters.frameworks.trees import Forest

__all__ = ["are_trees", "grove", "side_by_side"]

_TREES = {f"{kind}Tree{task}" for kind in ("Decision", "Extra") for task in ("Classifier", "Regressor")}


@dataclass(frozen=True)
class _Tree:
    """A tree whose columns are named by their places in the whole block."""

    children_left: NDArray[np.intp]
    children_right: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    missing_go_to_left: NDArray[np.bool_]


def are_trees(estimators: Sequence[Any]) -> bool:
    """Say whether all of them are scikit-learn's decision trees of one target."""
    return all(
        type(estimator).__name__ in _TREES
        and type(estimator).__module__.startswith("sklearn.tree.")
        and estimator.n_outputs_ == 1
        for estimator in estimators
    )


def grove(
    estimators: Sequence[Any],
    answers: Sequence[NDArray[np.float64]],
    block: Block,
    context: Context,
    *,
    features: Sequence[Any] = (),
) -> str:
    """Lower trees that are added up.

    Parameters
    ----------
    estimators : sequence of estimator
        Trees.
    answers : sequence of ndarray of shape (n_nodes, n_columns)
        What the nodes of each tree add to each column.
    block : Block
        The columns.
    context : Context
        Where it is written down.
    features : sequence of array of int
        The columns that each tree reads; all of them where it is empty.

    Returns
    -------
    str
        Double matrix of shape (n, n_columns).
    """
    known = features if len(features) else [None] * len(estimators)
    trees = [_placed(estimator.tree_, chosen) for estimator, chosen in zip(estimators, known, strict=True)]
    return tree_sums(trees, answers, block, context)


def side_by_side(estimators: Sequence[Any], block: Block, context: Context) -> str:
    """Lower trees that predict one number each, to one column each: shape (n, n_trees)."""
    forest = Forest()
    for place, estimator in enumerate(estimators):
        add_tree(forest, estimator.tree_, estimator.tree_.value[:, 0, 0], place)
    note_thresholds(context, block, forest, [estimator.tree_ for estimator in estimators])
    return forest.emit(context.graph, single_precision(context, block), n_targets=len(estimators))


def _placed(tree: Any, features: Any) -> _Tree:
    feature = np.asarray(tree.feature)
    if features is not None:
        feature = np.where(feature >= 0, np.asarray(features)[feature], feature)
    return _Tree(
        children_left=tree.children_left,
        children_right=tree.children_right,
        feature=feature,
        threshold=tree.threshold,
        missing_go_to_left=tree.missing_go_to_left,
    )
