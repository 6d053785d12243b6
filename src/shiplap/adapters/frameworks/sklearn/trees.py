"""scikit-learn's trees and forests: X is cast to float32, thresholds and leaves are doubles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import both_classes
from shiplap.adapters.frameworks.trees import Forest

__all__ = [
    "add_tree",
    "forest_classifier",
    "forest_regressor",
    "note_thresholds",
    "single_precision",
    "tree_classifier",
    "tree_regressor",
]

_FLOAT, _DOUBLE = 1, 11


def tree_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``DecisionTreeClassifier``: the class shares of the leaf."""
    del method
    return _classifier([estimator], estimator.n_classes_, block, context)


def forest_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``RandomForestClassifier`` and ``ExtraTreesClassifier``: the mean of the trees' class shares."""
    del method
    return _classifier(estimator.estimators_, estimator.n_classes_, block, context)


def tree_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``DecisionTreeRegressor``: the value of the leaf."""
    del method
    return _regressor([estimator], block, context)


def forest_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``RandomForestRegressor`` and ``ExtraTreesRegressor``: the mean of the trees."""
    del method
    return _regressor(estimator.estimators_, block, context)


def _classifier(trees: list[Any], n_classes: Any, block: Block, context: Context) -> str:
    """Return the class shares, of each target its own side by side; two classes of one target need one sum."""
    counts = np.atleast_1d(n_classes).tolist()
    columns = [(target, label) for target, count in enumerate(counts) for label in range(count)]
    if counts == [2]:
        return both_classes(context, _summed(trees, [(0, 1)], block, context))
    return _summed(trees, columns, block, context)


def _regressor(trees: list[Any], block: Block, context: Context) -> str:
    return _summed(trees, [(target, 0) for target in range(trees[0].tree_.n_outputs)], block, context)


def _summed(trees: list[Any], columns: list[tuple[int, int]], block: Block, context: Context) -> str:
    """Return the mean of what the nodes hold at these places (target, class), one column each."""
    forest = Forest()
    for tree in trees:
        for place, (target, label) in enumerate(columns):
            add_tree(forest, tree.tree_, tree.tree_.value[:, target, label], place)
    return _mean(forest, trees, block, context, len(columns))


def _mean(forest: Forest, trees: list[Any], block: Block, context: Context, n_targets: int) -> str:
    context.terms += len(trees)
    note_thresholds(context, block, forest, [tree.tree_ for tree in trees])
    total = forest.emit(context.graph, single_precision(context, block), n_targets=n_targets)
    if len(trees) == 1:
        return total
    return context.graph.op("Div", total, context.graph.constant(np.array([float(len(trees))])))


def single_precision(context: Context, block: Block) -> str:
    """Cast to float32 and back, as the trees do on their way in."""
    narrow = context.graph.op("Cast", context.matrix(block.pieces), to=_FLOAT)
    return context.graph.op("Cast", narrow, to=_DOUBLE)


def note_thresholds(context: Context, block: Block, forest: Forest, trees: list[Any]) -> None:
    """Note what the trees compare each column with: the threshold, and the float32 numbers on both sides of it."""
    cells = context.cells(block.pieces)
    context.forests.append((forest, cells))
    features = np.concatenate([tree.feature for tree in trees])
    thresholds = np.concatenate([tree.threshold for tree in trees])
    for index, cell in enumerate(cells):
        values = np.unique(thresholds[features == index])
        narrow = values.astype(np.float32)
        sides = [np.nextafter(narrow, np.float32(edge)) for edge in (-np.inf, np.inf)]
        context.split_on(cell, np.concatenate([values, narrow, *sides]).astype(np.float64))


def add_tree(forest: Forest, tree: Any, values: NDArray[np.float64], target: int) -> None:
    """Add one tree with the answer `values` of its nodes, of shape (n_nodes,)."""
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    feature, threshold = tree.feature.tolist(), tree.threshold.tolist()
    missing_left = np.asarray(tree.missing_go_to_left, dtype=bool).tolist()
    answers = values.tolist()
    places = [0] * len(left)
    for node in reversed(range(len(left))):
        if left[node] < 0:
            places[node] = forest.leaf(target, answers[node])
        else:
            places[node] = forest.node(
                feature[node],
                threshold[node],
                places[left[node]],
                places[right[node]],
                missing_true=missing_left[node],
            )
    forest.root(places[0])
