"""Ensembles of scikit-learn's own trees, each of which may read other columns: one node of the graph for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.trees import add_tree, note_thresholds, single_precision
from shiplap.adapters.frameworks.trees import Forest

__all__ = ["are_trees", "grove"]

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
    answers: Sequence[dict[int, NDArray[np.float64]]],
    block: Block,
    context: Context,
    *,
    n_targets: int,
    features: Sequence[Any] = (),
) -> str:
    """Lower trees that are added up.

    Parameters
    ----------
    estimators : sequence of estimator
        Trees.
    answers : sequence of dict of int to ndarray
        What each node of each tree adds to each target, of shape (n_nodes,).
    block : Block
        The columns.
    context : Context
        Where it is written down.
    n_targets : int
        Columns of the answer.
    features : sequence of array of int
        The columns that each tree reads; all of them where it is empty.

    Returns
    -------
    str
        Double matrix of shape (n, n_targets).
    """
    forest = Forest()
    trees = [
        _placed(estimator.tree_, features[index] if len(features) else None)
        for index, estimator in enumerate(estimators)
    ]
    for tree, values in zip(trees, answers, strict=True):
        for target, weights in values.items():
            add_tree(forest, tree, weights, target)
    context.terms += len(trees)
    note_thresholds(context, block, forest, trees)
    return forest.emit(context.graph, single_precision(context, block), n_targets=n_targets)


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
