"""Emitters of XGBoost: every tree's answer side by side, added up in single precision in XGBoost's own order.

The rules of a node are those of ``GetNextNode`` in XGBoost's predictor: features are cast to float32 and go left where
they are below the threshold, categories go right where they are in the node's set, missing values go by default.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.singles import around, below
from shiplap.adapters.frameworks.trees import Forest
from shiplap.adapters.frameworks.xgboost import objectives
from shiplap.adapters.frameworks.xgboost.booster import Ensemble, Tree, read_booster
from shiplap.core.encoding import Category

__all__ = ["classifier", "ensemble_of", "regressor"]

_FLOAT, _DOUBLE = 1, 11


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a classifier: the probabilities of its classes, or what ``predict`` makes of them."""
    del method
    ensemble = ensemble_of(estimator)
    graph = context.graph
    margin = _margin(estimator, ensemble, block, context)
    if ensemble.objective in {"multi:softprob", "multi:softmax"}:
        return graph.op("Cast", objectives.softmax(graph, margin), to=_DOUBLE)
    positive = _answers(ensemble, margin, context)
    if len(ensemble.base) > 1:  # one probability for each of several labels
        return graph.op("Cast", positive, to=_DOUBLE)
    other = graph.op("Sub", graph.constant(np.array([1.0], np.float32)), positive)
    tensor = graph.op("Cast", graph.op("Concat", other, positive, axis=1), to=_DOUBLE)
    context.positive[tensor] = graph.op("Cast", positive, to=_DOUBLE)
    return tensor


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a regressor or ranker: its prediction, one column a target or quantile."""
    del method
    ensemble = ensemble_of(estimator)
    margin = _margin(estimator, ensemble, block, context)
    return context.graph.op("Cast", _answers(ensemble, margin, context), to=_DOUBLE)


def ensemble_of(estimator: Any) -> Ensemble:
    """Read what an estimator predicts with: up to the best iteration, where fitting was stopped early."""
    return read_booster(estimator.get_booster(), iterations=estimator._get_iteration_range(None)[1])


def _answers(ensemble: Ensemble, margin: str, context: Context) -> str:
    graph, name = context.graph, ensemble.objective
    if name in objectives.LOGISTIC:
        return objectives.sigmoid(graph, margin)
    if name in objectives.EXPONENTIAL:
        return objectives.exponential(graph, margin)
    if name == "binary:hinge":
        return objectives.hinge(graph, margin)
    if name in objectives.IDENTITY:
        return margin
    raise context.refuse(f"the objective '{name}' is unknown here", hint="use reg:squarederror or binary:logistic")


def _margin(estimator: Any, ensemble: Ensemble, block: Block, context: Context) -> str:
    """Add up base margin and trees, or base margin, bias and products, in single precision and in order."""
    context.dtype = "float32"
    cells = _features(ensemble, block, context)
    matrix = _missing(context.matrix(cells), float(getattr(estimator, "missing", np.nan)), context)
    graph = context.graph
    if ensemble.linear is not None:
        terms = _products(ensemble.linear, ensemble, matrix, context)
    elif not ensemble.trees:
        raise context.refuse("it holds no tree", hint="train at least one round")
    else:
        terms = _leaves(estimator, ensemble, matrix, cells, context)
    running = graph.op("CumSum", terms, graph.constant(np.array([2], np.int64)))
    last = graph.op("Gather", running, graph.constant(np.array([-1], np.int64)), axis=2)
    context.singles += 1  # the sum is XGBoost's own, addition by addition
    return graph.op("Squeeze", last, graph.constant(np.array([2], np.int64)))


def _leaves(estimator: Any, ensemble: Ensemble, matrix: str, cells: tuple[Cell, ...], context: Context) -> str:
    """Return base margin and the leaves that a row falls into, of shape (n_rows, n_outputs, 1 + trees an output)."""
    groups = _by_group(ensemble)
    length = 1 + len(groups[0])
    forest = Forest()
    for group, trees in enumerate(groups):
        forest.root(forest.leaf(group * length, float(ensemble.base[group])))
        for place, (index, column) in enumerate(trees, start=1):
            values = ensemble.trees[index].values[:, column]
            if ensemble.dropped and not getattr(estimator, "by_matrix", False):
                # Estimators predict in place, where a tree that was weighted is added to the base and taken off again.
                values = (ensemble.base[group] + values) - ensemble.base[group]
            values = ensemble.weights[index] * values
            _add(forest, ensemble.trees[index], values, group * length + place)
    context.forests.append((forest, cells))
    _note(ensemble, cells, context)
    graph = context.graph
    flat = graph.op("Cast", forest.emit(graph, matrix, n_targets=len(groups) * length), to=_FLOAT)
    return graph.op("Reshape", flat, graph.constant(np.array([-1, len(groups), length], np.int64)))


def _by_group(ensemble: Ensemble) -> list[list[tuple[int, int]]]:
    """Return trees and columns of their leaves, output by output."""
    outputs = range(len(ensemble.base))
    if ensemble.trees[0].values.shape[1] > 1:
        return [[(index, output) for index in range(len(ensemble.trees))] for output in outputs]
    return [[(index, 0) for index, group in enumerate(ensemble.groups) if group == output] for output in outputs]


def _add(forest: Forest, tree: Tree, values: NDArray[np.float32], target: int) -> None:
    answers, splits = values.astype(np.float64).tolist(), below(tree.threshold).tolist()
    order = [0]
    for node in order:
        if tree.left[node] >= 0:
            order += (tree.left[node], tree.right[node])
    places: dict[int, int] = {}
    for node in reversed(order):
        if tree.left[node] < 0:
            places[node] = forest.leaf(target, answers[node])
            continue
        left, right = places[tree.left[node]], places[tree.right[node]]
        feature, missing_left = tree.feature[node], tree.default_left[node]
        if node in tree.members:
            members = [float(code) for code in tree.members[node]]
            places[node] = forest.member(feature, members, right, left, missing_true=not missing_left)
        else:
            places[node] = forest.node(feature, splits[node], left, right, missing_true=missing_left)
    forest.root(places[0])


def _note(ensemble: Ensemble, cells: tuple[Cell, ...], context: Context) -> None:
    """Note the thresholds, the doubles at which float32 crosses them, and the float32 numbers on both sides."""
    by_feature: dict[int, list[NDArray[np.float32]]] = {}
    for tree in ensemble.trees:
        features = np.array(tree.feature)
        inner = np.array(tree.left) >= 0
        inner[list(tree.members)] = False
        for feature in np.unique(features[inner]).tolist():
            by_feature.setdefault(feature, []).append(tree.threshold[inner & (features == feature)])
    for feature, found in by_feature.items():
        limits = np.unique(np.concatenate(found))
        context.split_on(cells[feature], around(limits, below(limits)))


def _products(linear: NDArray[np.float32], ensemble: Ensemble, matrix: str, context: Context) -> str:
    """Return the products with the features, missing ones as 0, of shape (n_rows, n_outputs, n_features).

    The sum starts from bias and base margin, so they are added to the first product.
    """
    graph = context.graph
    narrow = graph.op("Cast", matrix, to=_FLOAT)
    known = graph.op("Where", graph.op("IsNaN", narrow), graph.constant(np.zeros(1, np.float32)), narrow)
    deep = graph.op("Unsqueeze", known, graph.constant(np.array([1], np.int64)))
    products = graph.op("Mul", deep, graph.constant(linear[:-1].T[None]))
    start = np.zeros((1, linear.shape[1], len(linear) - 1), np.float32)
    start[0, :, 0] = linear[-1] + ensemble.base
    context.singles += len(linear)
    return graph.op("Add", products, graph.constant(start))


def _features(ensemble: Ensemble, block: Block, context: Context) -> tuple[Cell, ...]:
    """Return the features as numbers; columns of pandas' category type as the codes that the model remembers."""
    return tuple(_feature(ensemble, index, piece, context) for index, piece in enumerate(block.pieces))


def _feature(ensemble: Ensemble, index: int, piece: Piece, context: Context) -> Cell:
    categorical = index < len(ensemble.types) and ensemble.types[index] == "c"
    column = context.source(piece) if isinstance(piece, Raw) else None
    if column is not None and column.kind == "category" and categorical:
        known = ensemble.categories[index] if index < len(ensemble.categories) else None
        if known is None:
            raise context.refuse(
                f"the model does not hold the categories of column '{column.name}'",
                hint="train it with XGBoost 3.1 or newer, or give the codes as whole numbers",
            )
        return context.category(Category(column=column.name, missing=column.missing, categories=known))[0]
    cell = context.number(piece)
    if not categorical or cell.integral:
        return cell
    graph = context.graph
    narrow = graph.op("Cast", context.matrix((cell,)), to=_FLOAT)
    return context.computed(graph.op("Cast", graph.op("Floor", narrow), to=_DOUBLE), 1, integral=True)[0]


def _missing(matrix: str, missing: float, context: Context) -> str:
    """Make the number that stands for a missing value missing."""
    if np.isnan(missing):
        return matrix
    graph = context.graph
    narrow = graph.op("Cast", matrix, to=_FLOAT)
    same = graph.op("Equal", narrow, graph.constant(np.array([missing], np.float32)))
    return graph.op("Where", same, graph.constant(np.array(np.nan)), matrix)
