"""The nearest rows of a fit, as trees of neighbors and brute force find them: ties fall as they do there.

Distances are added up as the library adds them, so two of them are equal here where they are equal there. Which of
several equally far rows count as near is decided by the order in which a search meets them and by the heap that holds
the best so far; where it matters, that heap is replayed, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.graph import GraphBuilder
from shiplap.adapters.frameworks.lowering import Context
from shiplap.adapters.frameworks.sklearn.outputs import total
from shiplap.adapters.frameworks.sklearn.pairwise import differences, product

__all__ = ["Near", "nearest", "within"]

_BOOL, _INT32, _INT64, _DOUBLE = 9, 6, 7, 11
_ROW = np.array([1], np.int64)
_POWERS = {"euclidean": 2.0, "l2": 2.0, "manhattan": 1.0, "l1": 1.0, "cityblock": 1.0, "chebyshev": np.inf}


@dataclass(frozen=True)
class Near:
    """Which rows of a fit are near, and how far all of them are.

    Parameters
    ----------
    counts : str
        Double matrix (n, n_points): how often each counts among the near, 0 or 1 as a rule. Where a distance overflows
        the library names its first row again and again, and so does this.
    far : str
        Double matrix (n, n_points): the distances.
    """

    counts: str
    far: str


def nearest(context: Context, tensor: str, model: Any, count: int) -> Near:
    """Find the `count` nearest rows of the fit.

    Parameters
    ----------
    context : Context
        Where the nodes go.
    tensor : str
        Rows, a double matrix (n, n_features).
    model : estimator
        Anything of ``sklearn.neighbors`` that was fitted.
    count : int
        How many neighbors.

    Raises
    ------
    RefusedError
        Its metric cannot be lowered.
    """
    graph = context.graph
    points = np.asarray(model._fit_X, np.float64)
    compared, far = _distances(context, tensor, model, points)
    places = graph.op("TopK", compared, graph.constant(np.array([count], np.int64)), axis=1, largest=0)
    edge = graph.op("GatherElements", compared, graph.columns(places, [count - 1]), axis=1)
    inside = graph.op("Cast", graph.op("LessOrEqual", compared, edge), to=_DOUBLE)
    wanted = graph.constant(np.array([float(count)]))
    unsure = graph.op("Greater", total(context, inside), wanted)
    endless = graph.op("And", graph.op("IsInf", edge), graph.op("Greater", edge, graph.constant(np.zeros(1))))
    unsure = graph.op("Or", unsure, endless)
    replayed = _replayed(context, tensor, model, compared, count, unsure)
    counts = graph.op("Where", unsure, replayed, inside)
    short = graph.op("Sub", wanted, total(context, counts))
    first = np.zeros((1, len(points)))
    first[0, 0] = 1.0
    return Near(graph.op("Add", counts, graph.op("Mul", short, graph.constant(first))), far)


def within(context: Context, tensor: str, model: Any, radius: float) -> Near:
    """Find the rows of the fit that are at most `radius` away; see `nearest`."""
    graph = context.graph
    points = np.asarray(model._fit_X, np.float64)
    compared, far = _distances(context, tensor, model, points)
    power = _power(context, model)
    limit = radius if power == np.inf else radius**power
    inside = graph.op("LessOrEqual", compared, graph.constant(np.array([float(limit)])))
    return Near(graph.op("Cast", inside, to=_DOUBLE), far)


def _power(context: Context, model: Any) -> float:
    """Return the power of the Minkowski metric that the model uses."""
    metric, extra = model.effective_metric_, model.effective_metric_params_
    if metric == "minkowski" and extra.get("w") is None:
        return float(extra.get("p", 2))
    if metric not in _POWERS:
        raise context.refuse(f"the metric {metric!r}", hint="use euclidean, manhattan, chebyshev or minkowski")
    return _POWERS[metric]


def _distances(context: Context, tensor: str, model: Any, points: NDArray[np.float64]) -> tuple[str, str]:
    """Return what the search compares, and the distances."""
    graph = context.graph
    power = _power(context, model)
    if power == 2 and model._fit_method == "brute":
        reduced = _expanded(context, tensor, points)
    else:
        reduced = differences(context, tensor, points, power)
    if power in {1.0, np.inf}:
        return reduced, reduced
    if power == 2:
        return reduced, graph.op("Sqrt", reduced)
    return reduced, graph.op("Pow", reduced, graph.constant(np.array([1.0 / power])))


def _expanded(context: Context, tensor: str, points: NDArray[np.float64]) -> str:
    """Return ``|x|^2 - 2 x.y + |y|^2`` in the order of the library's brute force; what is not above 0 is 0, NaN too."""
    graph = context.graph
    own = total(context, graph.op("Mul", tensor, tensor))
    doubled = graph.op("Mul", product(context, tensor, points), graph.constant(np.array([-2.0])))
    norms = graph.constant(np.einsum("ij,ij->i", points, points)[None, :])
    summed = graph.op("Add", graph.op("Add", own, doubled), norms)
    zero = graph.constant(np.zeros(1))
    return graph.op("Where", graph.op("Greater", summed, zero), summed, zero)


def _replayed(context: Context, tensor: str, model: Any, compared: str, count: int, unsure: str) -> str:
    """Replay the search on its heap, if any row is `unsure`; 1 for each row of the fit that it keeps, (n, n_points)."""
    graph = context.graph
    n_points = len(model._fit_X)
    met, width = _met(context, tensor, model)
    empty = _filled(context, tensor, width, np.inf)
    ordered = graph.op("ScatterElements", empty, met, compared, axis=1) if met else compared
    heap = _Heap(count, width)
    start = graph.op("Concat", heap.empty(context, tensor), ordered, axis=1)
    flags = graph.op("Cast", unsure, to=_INT32)
    go = graph.op("Cast", graph.op("ReduceMax", flags, keepdims=0), to=_BOOL)
    last = graph.loop(start, go, heap.step)
    kept = graph.op("Cast", graph.columns(last, heap.places), to=_INT64)
    marks = graph.op(
        "ScatterElements", _filled(context, tensor, width + 1, 0.0), kept, _filled(context, tensor, count, 1.0), axis=1
    )
    if met:
        return graph.op("GatherElements", marks, met, axis=1)
    return graph.columns(marks, list(range(n_points)))


def _filled(context: Context, tensor: str, width: int, value: float) -> str:
    graph = context.graph
    shape = graph.op("Shape", tensor)
    rows = graph.op("Slice", shape, graph.constant(np.array([0])), graph.constant(np.array([1])))
    target = graph.op("Concat", rows, graph.constant(np.array([width])), axis=0)
    return graph.op("Expand", graph.constant(np.array([[value]])), target)


def _met(context: Context, tensor: str, model: Any) -> tuple[str, int]:
    """Return when the search meets each row of the fit, (n, n_points), and how many such times there are.

    A search goes down a tree of neighbors, the nearer of two children first; brute force goes by position ("").
    """
    if model._fit_method == "brute":
        return "", len(model._fit_X)
    graph = context.graph
    _, members, nodes, bounds = (np.asarray(part) for part in model._tree.get_arrays())
    n_leaves = (len(nodes) + 1) // 2
    leaves = nodes[n_leaves - 1 :]
    if not leaves["is_leaf"].all() or nodes[: n_leaves - 1]["is_leaf"].any():
        raise context.refuse("its tree of neighbors is uneven", hint="fit it with algorithm='brute'")
    space = int((leaves["idx_end"] - leaves["idx_start"]).max())
    leaf, offset = np.empty(len(members), np.int64), np.empty((1, len(members)))
    for index, node in enumerate(leaves):
        inside = members[node["idx_start"] : node["idx_end"]]
        leaf[inside], offset[0, inside] = index, np.arange(len(inside))
    if n_leaves == 1:
        turn = _filled(context, tensor, 1, 0.0)
    else:
        turn = _turns(context, _bounds(context, tensor, model, nodes, bounds), n_leaves)
    start = graph.op("Mul", graph.columns(turn, leaf.tolist()), graph.constant(np.array([float(space)])))
    met = graph.op("Add", start, graph.constant(offset))
    return graph.op("Cast", met, to=_INT64), n_leaves * space


def _turns(context: Context, bounds: str, n_leaves: int) -> str:
    """Return when each leaf has its turn, from lower bounds of the nodes but the root: (n, n_leaves)."""
    graph = context.graph
    left = graph.columns(bounds, list(range(0, 2 * n_leaves - 2, 2)))
    right = graph.columns(bounds, list(range(1, 2 * n_leaves - 2, 2)))
    swapped = graph.op("Cast", graph.op("Not", graph.op("LessOrEqual", left, right)), to=_DOUBLE)
    weights, constant = np.zeros((n_leaves - 1, n_leaves)), np.zeros((1, n_leaves))
    for leaf in range(n_leaves):
        node, value = n_leaves - 1 + leaf, 1.0
        while node:
            above, second = (node - 1) // 2, node % 2 == 0
            weights[above, leaf] = -value if second else value
            constant[0, leaf] += value if second else 0.0
            node, value = above, 2 * value
    return graph.op("Add", graph.op("MatMul", swapped, graph.constant(weights)), graph.constant(constant))


def _bounds(context: Context, tensor: str, model: Any, nodes: NDArray[Any], bounds: NDArray[np.float64]) -> str:
    """Return how near the rows can be at least to each node of the tree but its root, (n, n_nodes - 1)."""
    graph = context.graph
    power = _power(context, model)
    if model._fit_method == "ball_tree":
        far = differences(context, tensor, bounds[0, 1:], power)
        if power == 2:
            far = graph.op("Sqrt", far)
        elif power not in {1.0, np.inf}:
            far = graph.op("Pow", far, graph.constant(np.array([1.0 / power])))
        return graph.op("Max", graph.op("Sub", far, graph.constant(nodes["radius"][None, 1:])), _zero(context))
    result = ""
    for index in range(bounds.shape[2]):
        column = graph.columns(tensor, [index])
        low = graph.op("Sub", graph.constant(bounds[0, 1:, index][None, :].copy()), column)
        high = graph.op("Sub", column, graph.constant(bounds[1, 1:, index][None, :].copy()))
        doubled = [graph.op("Add", side, graph.op("Abs", side)) for side in (low, high)]
        gap = graph.op("Mul", graph.op("Add", *doubled), graph.constant(np.array([0.5])))
        if power == 2:
            gap = graph.op("Mul", gap, gap)
        elif power not in {1.0, np.inf}:
            gap = graph.op("Pow", gap, graph.constant(np.array([power])))
        result = graph.op("Max" if power == np.inf else "Add", result, gap) if result else gap
    return result


def _zero(context: Context) -> str:
    return context.graph.constant(np.zeros(1))


class _Heap:
    """A heap of the best so far, largest on top, as columns of a matrix: one heap a row.

    The columns: values (padded with what is smaller than all, so that no child is missing), the turns at which they
    were met, the turn of the last one taken, then the distances in the order in which they are met.
    """

    def __init__(self, count: int, width: int) -> None:
        self.count, self.width = count, width
        self.padded = 2 * count + 1
        self.places = list(range(self.padded, self.padded + count))

    def empty(self, context: Context, tensor: str) -> str:
        """Return the heap before the first distance."""
        values = np.full(self.padded, -np.inf)
        values[: self.count] = np.inf
        row = np.concatenate([values, np.full(self.count, float(self.width)), [-1.0]])
        blank = _filled(context, tensor, len(row), 0.0)
        return context.graph.op("Add", blank, context.graph.constant(row[None, :]))

    def step(self, graph: GraphBuilder, state: str) -> tuple[str, str]:
        """Push the next distance that is below the largest of the heap, in each row that has one."""
        values, turns, last, ordered = self._parts(graph, state)
        open_ = graph.op("And", graph.op("Less", ordered, self._columns(graph, values, 0, 1)), self._later(graph, last))
        flags = graph.op("Cast", open_, to=_INT32)
        found = graph.op("Cast", graph.op("ReduceMax", flags, graph.constant(_ROW), keepdims=1), to=_BOOL)
        turn = graph.op("ArgMax", flags, axis=1, keepdims=1)
        value = graph.op("GatherElements", ordered, turn, axis=1)
        met = graph.op("Cast", turn, to=_DOUBLE)
        values, turns = self._pushed(graph, (values, turns), (value, met), found)
        last = graph.op("Where", found, met, graph.constant(np.array([float(self.width)])))
        go = graph.op("Cast", graph.op("ReduceMax", graph.op("Cast", found, to=_INT32), keepdims=0), to=_BOOL)
        return go, graph.op("Concat", values, turns, last, ordered, axis=1)

    def _parts(self, graph: GraphBuilder, state: str) -> list[str]:
        edges = np.cumsum([0, self.padded, self.count, 1, self.width]).tolist()
        return [self._columns(graph, state, start, end) for start, end in pairwise(edges)]

    @staticmethod
    def _columns(graph: GraphBuilder, tensor: str, start: int, end: int) -> str:
        return graph.op("Slice", tensor, *(graph.constant(np.array([value])) for value in (start, end, 1)))

    def _later(self, graph: GraphBuilder, last: str) -> str:
        return graph.op("Greater", graph.constant(np.arange(float(self.width))[None, :]), last)

    def _pushed(self, graph: GraphBuilder, heap: tuple[str, str], new: tuple[str, str], found: str) -> tuple[str, str]:
        """Put a value in the place of the top and let it sink to where its children are smaller."""
        values, turns = heap
        one, two = graph.constant(np.array([1], np.int64)), graph.constant(np.array([2], np.int64))
        # Where nothing was found the place stays 0 and its content is put back.
        place = graph.op("Cast", graph.op("Mul", new[1], graph.constant(np.zeros(1))), to=_INT64)
        sinking, reach = found, 0
        while 2 * reach + 1 < self.count:
            left = graph.op("Add", graph.op("Mul", place, two), one)
            right = graph.op("Add", left, one)
            of_left, of_right = (graph.op("GatherElements", values, side, axis=1) for side in (left, right))
            larger = graph.op("GreaterOrEqual", of_left, of_right)
            child = graph.op("Where", larger, left, right)
            of_child = graph.op("Where", larger, of_left, of_right)
            sinking = graph.op("And", sinking, graph.op("Less", new[0], of_child))
            values = _put(graph, values, place, of_child, sinking)
            safe = graph.op("Where", sinking, child, graph.constant(np.array([0], np.int64)))
            turns = _put(graph, turns, place, graph.op("GatherElements", turns, safe, axis=1), sinking)
            place = graph.op("Where", sinking, child, place)
            reach = 2 * reach + 1
        return _put(graph, values, place, new[0], found), _put(graph, turns, place, new[1], found)


def _put(graph: GraphBuilder, tensor: str, place: str, value: str, where: str) -> str:
    """Write one number into each row, where a condition holds."""
    before = graph.op("GatherElements", tensor, place, axis=1)
    return graph.op("ScatterElements", tensor, place, graph.op("Where", where, value, before), axis=1)
