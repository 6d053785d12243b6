"""``HistGradientBoosting*``: doubles throughout, a way for missing values in every node, native categories as sets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, link, softmax
from shiplap.adapters.frameworks.trees import Forest

__all__ = ["histogram_classifier", "histogram_regressor"]

_NO_CODE = -1.0


def histogram_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``HistGradientBoostingRegressor`` with any of its losses."""
    del method
    name = {"LogLink": "log", "IdentityLink": "identity"}[type(estimator._loss.link).__name__]
    return link(context, _raw(estimator, block, context), name)


def histogram_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``HistGradientBoostingClassifier``."""
    raw = _raw(estimator, block, context)
    if method == "decision_function":
        return raw
    if estimator.n_trees_per_iteration_ > 1:
        return softmax(context, raw)
    return both_classes(context, context.graph.op("Sigmoid", raw))


def _raw(estimator: Any, block: Block, context: Context) -> str:
    if estimator._preprocessor is not None:
        block = context.transformed(estimator._preprocessor, block, "categories")
    forest = Forest()
    for target, value in enumerate(np.ravel(estimator._baseline_prediction)):
        forest.root(forest.leaf(target, float(value)))
    for iteration in estimator._predictors:
        for target, predictor in enumerate(iteration):
            _add(forest, predictor, target)
    context.terms += len(estimator._predictors)
    _note(estimator, block, forest, context)
    return forest.emit(context.graph, context.matrix(block.pieces), n_targets=estimator.n_trees_per_iteration_)


def _add(forest: Forest, predictor: Any, target: int) -> None:
    nodes = predictor.nodes
    places = [0] * len(nodes)
    for index in reversed(range(len(nodes))):
        node = nodes[index]
        if node["is_leaf"]:
            places[index] = forest.leaf(target, float(node["value"]))
            continue
        feature, missing_left = int(node["feature_idx"]), bool(node["missing_go_to_left"])
        left, right = places[node["left"]], places[node["right"]]
        if node["is_categorical"]:
            members = _members(predictor.raw_left_cat_bitsets[node["bitset_idx"]])
            places[index] = forest.member(feature, members, left, right, missing_true=missing_left)
        else:
            threshold = float(node["num_threshold"])
            places[index] = forest.node(feature, threshold, left, right, missing_true=missing_left)
    forest.root(places[0])


def _members(bits: NDArray[np.uint32]) -> list[float]:
    found = [float(32 * word + bit) for word in range(len(bits)) for bit in range(32) if int(bits[word]) >> bit & 1]
    return found or [_NO_CODE]  # the operator wants one member at least


def _note(estimator: Any, block: Block, forest: Forest, context: Context) -> None:
    cells = context.cells(block.pieces)
    context.forests.append((forest, cells))
    nodes = np.concatenate([predictor.nodes for iteration in estimator._predictors for predictor in iteration])
    split = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)]
    for index, cell in enumerate(cells):
        values = np.unique(split["num_threshold"][split["feature_idx"] == index])
        context.split_on(cell, values.astype(np.float64))
