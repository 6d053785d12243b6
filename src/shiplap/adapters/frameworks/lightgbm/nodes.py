"""LightGBM's trees as a forest: sums of leaves, or which leaf a row falls into.

The rules of a node are those of ``NumericalDecision`` and ``CategoricalDecision`` in LightGBM's ``tree.h``.
"""

from __future__ import annotations

import numpy as np

from shiplap.adapters.frameworks.lightgbm.booster import Ensemble, Tree
from shiplap.adapters.frameworks.trees import Forest

__all__ = ["CATEGORICAL", "MISSING", "ZERO", "ZERO_MISSING", "forest_of", "leaf_places"]

CATEGORICAL, _DEFAULT_LEFT, MISSING = 1, 2, 12
ZERO_MISSING = 4
ZERO = float(np.float32(1e-35))  # kZeroThreshold


def forest_of(ensemble: Ensemble) -> Forest:
    """Return the trees, adding up their leaves output by output."""
    forest = Forest()
    for index, tree in enumerate(ensemble.trees):
        _add(forest, tree, tree.leaf, index % ensemble.per_iteration)
    return forest


def leaf_places(ensemble: Ensemble) -> Forest:
    """Return the trees, each telling the place of a row's leaf among the leaves of all trees."""
    forest, start = Forest(), 0
    for index, tree in enumerate(ensemble.trees):
        _add(forest, tree, [float(start + leaf) for leaf in range(len(tree.leaf))], index)
        start += len(tree.leaf)
    return forest


def _add(forest: Forest, tree: Tree, answers: list[float], target: int) -> None:
    leaves = [forest.leaf(target, value) for value in answers]
    places = [0] * len(tree.feature)
    for node in reversed(range(len(places))):
        left, right = (
            leaves[-1 - child] if child < 0 else places[child] for child in (tree.left[node], tree.right[node])
        )
        if tree.decision[node] & CATEGORICAL:
            places[node] = forest.member(tree.feature[node], tree.members(node), left, right)
        else:
            places[node] = _numerical(forest, tree, node, left, right)
    forest.root(places[0] if places else leaves[0])


def _numerical(forest: Forest, tree: Tree, node: int, left: int, right: int) -> int:
    feature, threshold = tree.feature[node], tree.threshold[node]
    default_left = bool(tree.decision[node] & _DEFAULT_LEFT)
    # Where a feature never was missing in training, LightGBM takes NaN for 0.
    missing_left = default_left if tree.decision[node] & MISSING else threshold >= 0.0
    return forest.node(feature, _flushed(threshold), left, right, missing_true=missing_left)


def _flushed(threshold: float) -> float:
    """Move a threshold out of the zone around 0, all of which LightGBM's predictor reads as 0."""
    if -ZERO <= threshold < 0.0:
        return float(np.nextafter(-ZERO, -np.inf))
    return ZERO if 0.0 <= threshold < ZERO else threshold
