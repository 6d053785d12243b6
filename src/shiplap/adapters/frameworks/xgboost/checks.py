"""Check the trees of a model file before XGBoost follows their indices, which it does without looking."""

from __future__ import annotations

from typing import Any

__all__ = ["check_form"]


def check_form(form: Any) -> None:
    """Check that a model has the parts it needs, and that every index stays within its list.

    Raises
    ------
    ValueError
        Something is missing, or points elsewhere.
    """
    try:
        learner = form["learner"]
        gradient, parameters = learner["gradient_booster"], learner["learner_model_param"]
        outputs = max(int(parameters["num_class"]), int(parameters.get("num_target", 1)), 1)
        features = int(parameters["num_feature"])
        if gradient["name"] == "gblinear":
            _hold(len(gradient["model"]["weights"]) == (features + 1) * outputs, "coefficients")
            return
        model = gradient.get("gbtree", gradient)["model"]
        trees, groups = model["trees"], model["tree_info"]
        _hold(len(trees) == int(model["gbtree_model_param"]["num_trees"]) == len(groups), "trees")
        _hold(all(0 <= group < outputs for group in groups), "outputs of trees")
        ends = model.get("iteration_indptr", [0, len(trees)])
        _hold(ends[0] == 0 and ends[-1] == len(trees) and ends == sorted(ends), "iterations")
        for tree in trees:
            _check_tree(tree, features, outputs)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"it lacks a part, or has another in its place: {error}") from error


def _check_tree(tree: dict[str, Any], features: int, outputs: int) -> None:
    left, right = tree["left_children"], tree["right_children"]
    count = int(tree["tree_param"]["num_nodes"])
    lists = [left, right, *(tree[key] for key in ("split_indices", "split_conditions", "default_left", "parents"))]
    _hold(count > 0 and all(len(one) == count for one in lists), "nodes")
    inner = [node for node in range(count) if left[node] != -1]
    below = [child for node in inner for child in (left[node], right[node])]
    _hold(all(0 < child < count for child in below) and len(set(below)) == len(below), "children of nodes")
    _hold(all(0 <= tree["split_indices"][node] < features for node in inner), "features of nodes")
    size = int(tree["tree_param"]["size_leaf_vector"])
    if size > 1:
        leaves = len(tree.get("leaf_weights", ())) // size
        known = {node for node in range(count) if left[node] == -1}
        _hold(size == outputs and ("leaf_weights" not in tree or all(0 <= right[n] < leaves for n in known)), "leaves")
    stated = (tree[f"categories_{key}"] for key in ("nodes", "segments", "sizes")) if "categories_nodes" in tree else ()
    for node, start, length in zip(*stated, strict=True):
        whole = len(tree["categories"])
        _hold(0 <= node < count and start >= 0 and length > 0 and start + length <= whole, "categories of nodes")


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"its {what} do not fit together")
