"""``RandomTreesEmbedding``: the leaf of each tree, one-hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.trees import note_thresholds, single_precision
from shiplap.adapters.frameworks.trees import Forest

__all__ = ["leaves"]


def leaves(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``RandomTreesEmbedding``: every leaf of every tree is a column."""
    forest, start = Forest(), 0
    for member, known in zip(estimator.estimators_, estimator.one_hot_encoder_.categories_, strict=True):
        tree = member.tree_
        columns = {int(node): start + index for index, node in enumerate(known)}
        start += len(known)
        places = [0] * tree.node_count
        for node in reversed(range(tree.node_count)):
            left, right = int(tree.children_left[node]), int(tree.children_right[node])
            if left < 0:
                places[node] = forest.leaf(columns[node], 1.0)
                continue
            split = int(tree.feature[node]), float(tree.threshold[node])
            missing = bool(np.asarray(tree.missing_go_to_left)[node])
            places[node] = forest.node(*split, places[left], places[right], missing_true=missing)
        forest.root(places[0])
    note_thresholds(context, block, forest, [member.tree_ for member in estimator.estimators_])
    made = forest.emit(context.graph, single_precision(context, block), n_targets=start)
    return context.computed(made, start, integral=True)
