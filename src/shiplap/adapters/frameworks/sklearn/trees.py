"""scikit-learn's trees and forests: X is cast to float32, thresholds and leaves are doubles."""

from __future__ import annotations

from collections.abc import Sequence
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
    "tree_sums",
]

_FLOAT, _INT64, _DOUBLE = 1, 7, 11
_AT_ONCE = 128


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
    targets, labels = (list(places) for places in zip(*columns, strict=True))
    answers = [tree.tree_.value[:, targets, labels] for tree in trees]
    total = tree_sums([tree.tree_ for tree in trees], answers, block, context)
    if len(trees) == 1:
        return total
    return context.graph.op("Div", total, context.graph.constant(np.array([float(len(trees))])))


def tree_sums(trees: Sequence[Any], answers: Sequence[NDArray[np.float64]], block: Block, context: Context) -> str:
    """Lower trees that are added up, in their order.

    Parameters
    ----------
    trees : sequence of tree
        With the arrays of scikit-learn's trees.
    answers : sequence of ndarray of shape (n_nodes, n_columns)
        What the nodes of each tree add to each column.
    block : Block
        What the trees read.
    context : Context
        Where it is written down.

    Returns
    -------
    str
        Double matrix of shape (n, n_columns).
    """
    context.terms += len(trees)
    matrix, width = single_precision(context, block), answers[0].shape[1]
    if width > 1 < len(trees):
        return _looked_up(trees, answers, matrix, block, context)
    forest = Forest()
    for tree, values in zip(trees, answers, strict=True):
        for column in range(width):
            add_tree(forest, tree, values[:, column], column)
    note_thresholds(context, block, forest, trees)
    return forest.emit(context.graph, matrix, n_targets=width)


def _looked_up(
    trees: Sequence[Any], answers: Sequence[NDArray[np.float64]], matrix: str, block: Block, context: Context
) -> str:
    """Let each tree name its leaf, and read the columns off a table: a copy a column would be walked anew.

    So many trees at a time that not too many numbers a row are held at once.
    """
    graph, row = context.graph, context.graph.constant(np.array([1], np.int64))
    step, total = max(1, _AT_ONCE // answers[0].shape[1]), ""
    for start in range(0, len(trees), step):
        forest, tables, n_leaves = Forest(), [], 0
        for place, (tree, values) in enumerate(
            zip(trees[start : start + step], answers[start : start + step], strict=True)
        ):
            leaves = np.flatnonzero(tree.children_left < 0)
            names = np.zeros(len(values))
            names[leaves] = n_leaves + np.arange(len(leaves))
            n_leaves += len(leaves)
            add_tree(forest, tree, names, place)
            tables.append(values[leaves])
        note_thresholds(context, block, forest, trees[start : start + step])
        named = graph.op("Cast", forest.emit(graph, matrix, n_targets=len(tables)), to=_INT64)
        found = graph.op("Gather", graph.constant(np.concatenate(tables)), named, axis=0)
        if total:
            found = graph.op("Concat", graph.op("Unsqueeze", total, row), found, axis=1)
        total = graph.op("ReduceSum", found, row, keepdims=0)
    return total


def single_precision(context: Context, block: Block) -> str:
    """Cast to float32 and back, as the trees do on their way in."""
    narrow = context.graph.op("Cast", context.matrix(block.pieces), to=_FLOAT)
    return context.graph.op("Cast", narrow, to=_DOUBLE)


def note_thresholds(context: Context, block: Block, forest: Forest, trees: Sequence[Any]) -> None:
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
