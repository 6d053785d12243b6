"""An XGBoost model as arrays, read from its own JSON form, where every float32 is written so that it reads back."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ensemble", "Tree", "read_booster"]


@dataclass(frozen=True)
class Tree:
    """One tree, node by node; a node without a left child is a leaf.

    Parameters
    ----------
    left, right, feature : list of int
        Children, and the feature that is compared.
    threshold : ndarray of float32
        Left where the feature is below.
    default_left : list of bool
        Where a missing value goes.
    members : dict of int to list of int
        The categories that go right, at nodes that compare categories.
    values : ndarray of float32, shape (n_nodes, n_values)
        Answers of the leaves.
    """

    left: list[int]
    right: list[int]
    feature: list[int]
    threshold: NDArray[np.float32]
    default_left: list[bool]
    members: dict[int, list[int]]
    values: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True)
class Ensemble:
    """A whole model.

    Parameters
    ----------
    trees : list of Tree
        In order, up to the iteration that is used.
    groups : list of int
        The output that each tree adds to; 0 throughout where a leaf answers for all outputs.
    weights : ndarray of float32
        What the answers of each tree are multiplied by.
    dropped : bool
        Whether trees were dropped in training, as in DART.
    base : ndarray of float32
        Margin before the first tree, output by output.
    linear : ndarray of float32, optional
        Coefficients of shape (n_features + 1, n_outputs) of a linear booster, the bias last.
    objective : str
        Its name.
    categories : list
        Of each feature: the categories by code, or None.
    types : list of str
        Of each feature, ``c`` for one of categories; empty where the model does not say.
    """

    trees: list[Tree]
    groups: list[int]
    weights: NDArray[np.float32]
    dropped: bool
    base: NDArray[np.float32]
    linear: NDArray[np.float32] | None
    objective: str
    categories: list[tuple[str, ...] | tuple[float, ...] | None]
    types: list[str]


def read_booster(booster: Any, *, iterations: int = 0) -> Ensemble:
    """Read a ``xgboost.Booster``, its first `iterations` or all of them."""
    form = json.loads(booster.save_raw("json"))
    learner = form["learner"]
    gradient = learner["gradient_booster"]
    base = _base_margin(booster, form)
    linear, trees, groups, weights, cats = None, [], [], [], None
    if gradient["name"] == "gblinear":
        linear = np.array(gradient["model"]["weights"], np.float32).reshape(-1, len(base))
        base = np.full_like(base, base[0])  # a linear booster starts every output from the first one's
    else:
        weights = gradient.get("weight_drop", [])
        model = gradient.get("gbtree", gradient)["model"]
        count = model["iteration_indptr"][iterations or -1]
        groups, cats = model["tree_info"][:count], model.get("cats")
        trees = [_tree(tree) for tree in model["trees"][:count]]
    return Ensemble(
        trees=trees,
        groups=groups,
        weights=np.array(weights[: len(trees)] or [1.0] * len(trees), np.float32),
        dropped="weight_drop" in gradient,
        base=base,
        linear=linear,
        objective=learner["objective"]["name"],
        categories=[_categories(one) for one in (cats or {}).get("enc", [])],
        types=learner["feature_types"],
    )


def _base_margin(booster: Any, form: dict[str, Any]) -> NDArray[np.float32]:
    """Ask the library what the margin is before the first tree: a model like this one, with trees that say 0."""
    learner = form["learner"]
    parameters = learner["learner_model_param"]
    outputs = max(int(parameters["num_class"]), int(parameters["num_target"]), 1)
    model = {
        "gbtree_model_param": {"num_trees": str(outputs), "num_parallel_tree": "1"},
        "iteration_indptr": [0, outputs],
        "tree_info": list(range(outputs)),
        "trees": [{**_STUMP, "id": index} for index in range(outputs)],
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
    }
    names: dict[str, Any] = {"feature_names": [], "feature_types": [], "attributes": {}}
    bare = {**learner, **names, "gradient_booster": {"name": "gbtree", "model": model}}
    empty = type(booster)()
    empty.load_model(bytearray(json.dumps({**form, "learner": bare}).encode()))
    rows = np.zeros((1, int(parameters["num_feature"])), np.float32)
    margin = empty.inplace_predict(rows, predict_type="margin", validate_features=False)
    return np.ravel(np.asarray(margin, np.float32))


_STUMP: dict[str, Any] = {
    **{key: [-1] for key in ("left_children", "right_children")},
    **{key: [0] for key in ("split_indices", "split_type", "default_left")},
    **{key: [0.0] for key in ("split_conditions", "base_weights", "loss_changes", "sum_hessian")},
    **{key: [] for key in ("categories", "categories_nodes", "categories_segments", "categories_sizes")},
    "parents": [2**31 - 1],
    "tree_param": {"num_deleted": "0", "num_feature": "1", "num_nodes": "1", "size_leaf_vector": "1"},
}


def _categories(encoded: dict[str, Any]) -> tuple[str, ...] | tuple[float, ...] | None:
    """Decode the categories of one feature: texts as bytes with offsets, or numbers."""
    values = encoded["values"]
    if not values:
        return None
    if "offsets" not in encoded:
        return tuple(float(value) for value in values)
    content, offsets = bytes(value & 0xFF for value in values), encoded["offsets"]
    return tuple(content[start:stop].decode() for start, stop in itertools.pairwise(offsets))


def _tree(fields: dict[str, Any]) -> Tree:
    left, right = fields["left_children"], fields["right_children"]
    size = int(fields["tree_param"]["size_leaf_vector"])
    threshold = np.array(fields["split_conditions"], np.float32)
    values = threshold[:, None] if size <= 1 else _vectors(fields, size)
    members: dict[int, list[int]] = {}
    for node, start, count in zip(
        fields["categories_nodes"], fields["categories_segments"], fields["categories_sizes"], strict=True
    ):
        members[node] = fields["categories"][start : start + count]
    return Tree(
        left=left,
        right=right,
        feature=fields["split_indices"],
        threshold=threshold,
        default_left=[bool(side) for side in fields["default_left"]],
        members=members,
        values=values,
    )


def _vectors(fields: dict[str, Any], size: int) -> NDArray[np.float32]:
    """Spread leaf vectors over the nodes; the right child of a leaf says which of them is its own."""
    if "leaf_weights" not in fields:
        return np.array(fields["base_weights"], np.float32).reshape(-1, size)
    leaves = np.array(fields["leaf_weights"], np.float32).reshape(-1, size)
    own = [
        right if left == -1 else 0
        for left, right in zip(fields["left_children"], fields["right_children"], strict=True)
    ]
    found: NDArray[np.float32] = leaves[own]
    return found
