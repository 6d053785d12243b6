"""Check a model file before LightGBM follows its lengths and indices, which it does without looking."""

from __future__ import annotations

import re

from shiplap.adapters.frameworks.lightgbm.booster import Tree, fields_of, tree_of
from shiplap.adapters.frameworks.lightgbm.nodes import CATEGORICAL

__all__ = ["checked_text"]

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|inf|nan)")
_PER_NODE = ("split_gain", "internal_value", "internal_weight", "internal_count")
_PER_LEAF = ("leaf_weight", "leaf_count")


def checked_text(content: bytes) -> str:
    """Check that trees are as long as stated, that their lists fit together, and that indices stay within them.

    Returns
    -------
    str
        What predictions need of the model: header, trees, and categories of pandas; no parameters of training.

    Raises
    ------
    ValueError
        They do not.
    """
    head, found, body = content.partition(b"\nTree=0\n")
    last = content.rstrip().rpartition(b"\n")[2]
    categories = last if last.startswith(b"pandas_categorical:") else b"pandas_categorical:null"
    header = fields_of(head.decode())
    sizes = [int(word) for word in header.get("tree_sizes", "").split()]
    _hold(bool(found) and bool(sizes) and all(size > 0 for size in sizes), "trees")
    body = b"Tree=0\n" + body
    outputs, features = int(header["num_tree_per_iteration"]), int(header["max_feature_idx"]) + 1
    _hold(0 < int(header["num_class"]) <= len(sizes), "classes")
    _hold(0 < outputs <= len(sizes) and len(sizes) % outputs == 0, "outputs")
    _hold(0 < features == len(header["feature_names"].split(" ")), "features")
    _hold(len(header["feature_infos"].split(" ")) == features, "features")
    start = 0
    for index, size in enumerate(sizes):
        block = body[start : start + size]
        _hold(len(block) == size and block.startswith(b"Tree=%d\n" % index), f"tree {index}")
        _check_tree(fields_of(block.decode()), features, f"tree {index}")
        start += size
    _hold(body[start:].lstrip().startswith(b"end of trees"), "trees")
    return b"\n".join((head, body[:start] + b"end of trees\n", categories, b"")).decode()


def _check_tree(fields: dict[str, str], features: int, name: str) -> None:
    _hold(all(_NUMBER.fullmatch(word) for text in fields.values() for word in text.split()), f"numbers of {name}")
    tree, leaves = tree_of(fields), int(fields["num_leaves"])
    nodes = leaves - 1
    _hold(leaves > 0 and len(fields["leaf_value"].split()) == leaves, f"leaves of {name}")
    if nodes:
        lists = (tree.feature, tree.threshold, tree.decision, tree.left, tree.right)
        _hold(all(len(one) == nodes for one in lists), f"nodes of {name}")
        for keys, count in ((_PER_NODE, nodes), (_PER_LEAF, leaves)):
            _hold(all(len(fields[key].split()) == count for key in keys if fields.get(key)), f"lists of {name}")
        _hold(
            sorted((*tree.left, *tree.right)) == sorted((*range(-leaves, 0), *range(1, nodes))), f"children of {name}"
        )
        _hold(all(0 <= feature < features for feature in tree.feature), f"features of {name}")
    _check_categories(tree, int(fields["num_cat"]), name)
    for leaf in tree.linear:
        _hold(len(leaf.features) == len(leaf.coefficients), f"linear leaves of {name}")
        _hold(all(0 <= feature < features for feature in leaf.features), f"linear leaves of {name}")


def _check_categories(tree: Tree, count: int, name: str) -> None:
    """Check the sets of categories: one more border than sets, from 0 up to the words that there are."""
    ascending = tree.boundaries == sorted(tree.boundaries)
    ends = (tree.boundaries[0], tree.boundaries[-1]) if tree.boundaries else (0, 0)
    whole = len(tree.boundaries) == (count + 1 if count else 0) and ascending and ends == (0, len(tree.bits))
    used = [place for place, kind in zip(tree.threshold, tree.decision, strict=True) if kind & CATEGORICAL]
    _hold(whole and all(place in range(count) for place in used), f"categories of {name}")


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"the {what} do not fit together")
