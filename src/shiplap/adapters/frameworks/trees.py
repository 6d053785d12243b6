"""Decision trees as arrays, and as one ``TreeEnsemble`` of ``ai.onnx.ml`` 5 with double splits and leaves.

The operator is specified at https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.graph import GraphBuilder

__all__ = ["LEQ", "LT", "MEMBER", "Forest"]

LEQ, LT, MEMBER = 0, 1, 6
_SUM, _NONE = 1, 0


@dataclass
class Forest:
    """Trees that are added up, node by node.

    Children are given as positions: 0 and above for a node, ``-1 - leaf`` for a leaf (as `leaf` returned it).

    Examples
    --------
    >>> forest = Forest()
    >>> low, high = forest.leaf(0, 1.0), forest.leaf(0, 2.0)
    >>> forest.root(forest.node(0, 0.5, low, high))
    >>> graph = GraphBuilder()
    >>> forest.emit(graph, "rows", n_targets=1)
    't0'
    """

    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    missing_true: list[int] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    members: list[float] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)

    def leaf(self, target: int, weight: float) -> int:
        """Add a leaf and return its position, as a child."""
        self.targets.append(target)
        self.weights.append(weight)
        return -len(self.weights)

    def node(
        self, feature: int, split: float, true: int, false: int, *, missing_true: bool = False, mode: int = LEQ
    ) -> int:
        """Add a node (true branch when ``value <= split``) and return its position, as a child."""
        self.features.append(feature)
        self.splits.append(split)
        self.modes.append(mode)
        self.missing_true.append(int(missing_true))
        self.true.append(true)
        self.false.append(false)
        return len(self.features) - 1

    def member(self, feature: int, values: list[float], true: int, false: int, *, missing_true: bool = False) -> int:
        """Add a node whose true branch is taken when the value is among `values`.

        The operator reads the sets of values in the order of its nodes: they are kept by position.
        """
        position = self.node(feature, 0.0, true, false, missing_true=missing_true, mode=MEMBER)
        self.members.extend([*values, float("nan")])
        return position

    def root(self, child: int) -> None:
        """Say where the next tree begins; a tree that is one leaf becomes a node with that leaf on both sides."""
        self.roots.append(child if child >= 0 else self.node(0, 0.0, child, child))

    def emit(self, graph: GraphBuilder, tensor: str, *, n_targets: int) -> str:
        """Add the node that sums the trees over `tensor` and return its name.

        Returns
        -------
        str
            Double matrix of shape (n, n_targets).
        """
        true, false = np.array(self.true, np.int64), np.array(self.false, np.int64)
        attributes: dict[str, object] = {
            "n_targets": n_targets,
            "aggregate_function": _SUM,
            "post_transform": _NONE,
            "tree_roots": self.roots,
            "nodes_featureids": self.features,
            "nodes_splits": np.array(self.splits, np.float64),
            "nodes_modes": np.array(self.modes, np.uint8),
            "nodes_truenodeids": _positions(true),
            "nodes_trueleafs": (true < 0).astype(np.int64).tolist(),
            "nodes_falsenodeids": _positions(false),
            "nodes_falseleafs": (false < 0).astype(np.int64).tolist(),
            "leaf_targetids": self.targets,
            "leaf_weights": np.array(self.weights, np.float64),
        }
        if any(self.missing_true):
            attributes["nodes_missing_value_tracks_true"] = self.missing_true
        if self.members:
            attributes["membership_values"] = np.array(self.members, np.float64)
        return graph.op("TreeEnsemble", tensor, domain="ai.onnx.ml", **attributes)


def _positions(children: NDArray[np.int64]) -> list[int]:
    positions: list[int] = np.where(children < 0, -1 - children, children).tolist()
    return positions
