"""The ways to the nodes of a forest: where a row has to lie to be compared there, in units of the input columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shiplap.adapters.frameworks.lowering import Cell
from shiplap.adapters.frameworks.trees import LEQ, Forest

__all__ = ["NodePath", "node_paths"]

_MOST = 6_000


@dataclass(frozen=True)
class NodePath:
    """One node and the way to it.

    Parameters
    ----------
    column : str
        The column that it compares.
    split : float
        What with, in units of the column.
    bounds : dict of str to (float, float)
        Where each column has to lie: above the first and at most at the second.
    """

    column: str
    split: float
    bounds: dict[str, tuple[float, float]]


def node_paths(forest: Forest, cells: Sequence[Cell]) -> list[NodePath]:
    """Return the ways to at most 6,000 nodes, evenly spread; nodes on computed or coded features are left out.

    Examples
    --------
    >>> from shiplap.adapters.frameworks.lowering import Origin
    >>> forest = Forest()
    >>> low = forest.node(0, 1.0, forest.leaf(0, 1.0), forest.leaf(0, 2.0))
    >>> forest.root(forest.node(0, 3.0, low, forest.leaf(0, 3.0)))
    >>> node_paths(forest, [Cell("rows", 0, origin=Origin("x"))])[0]
    NodePath(column='x', split=1.0, bounds={'x': (-inf, 3.0)})
    """
    parents: dict[int, tuple[int, bool]] = {}
    for node, (true, false) in enumerate(zip(forest.true, forest.false, strict=True)):
        if true != false:
            parents.update({child: (node, side) for child, side in ((true, True), (false, False)) if child >= 0})
    known = [node for node in range(len(forest.features)) if _placed(forest, cells, node) is not None]
    places = sorted(set(np.linspace(0, len(known) - 1, _MOST).astype(int).tolist())) if known else []
    return [_path(forest, cells, parents, known[place]) for place in places]


def _path(forest: Forest, cells: Sequence[Cell], parents: dict[int, tuple[int, bool]], node: int) -> NodePath:
    column, split = _placed(forest, cells, node) or ("", np.nan)
    bounds: dict[str, tuple[float, float]] = {}
    while node in parents:
        node, below = parents[node]
        place = _placed(forest, cells, node)
        if place is not None:
            low, high = bounds.get(place[0], (-np.inf, np.inf))
            bounds[place[0]] = (low, min(high, place[1])) if below else (max(low, place[1]), high)
    return NodePath(column, split, bounds)


def _placed(forest: Forest, cells: Sequence[Cell], node: int) -> tuple[str, float] | None:
    """Return column and split of a node in units of the column; None where it is no plain comparison of one."""
    origin = cells[forest.features[node]].origin
    if origin is None or forest.modes[node] != LEQ or not origin.scale > 0:
        return None
    return origin.column, forest.splits[node] * origin.scale + origin.shift
