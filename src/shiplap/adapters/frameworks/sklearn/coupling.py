"""Probabilities of several classes from those of their pairs, iterated as libsvm does.

T.-F. Wu, C.-J. Lin and R. C. Weng, "Probability estimates for multi-class classification by pairwise coupling", JMLR 5,
2004, algorithm 2. Each row stops by itself; the graph goes on until the last one has.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np

from shiplap.adapters.frameworks.graph import GraphBuilder
from shiplap.adapters.frameworks.lowering import Context

__all__ = ["coupled"]

_BOOL, _INT32, _DOUBLE = 9, 6, 11
_LOW, _STEPS, _TOLERANCE = 1e-7, 100, 0.005


def coupled(context: Context, pairs: str, slopes: Any, offsets: Any, n_classes: int) -> str:
    """Return the probability of each class, (n, n_classes), from the decisions of its pairs.

    Parameters
    ----------
    context : Context
        Where the nodes go.
    pairs : str
        Decisions of libsvm, positive for the first of a pair: (n, n_pairs).
    slopes, offsets : array-like of shape (n_pairs,)
        Platt's sigmoid of each pair.
    n_classes : int
        How many classes.
    """
    graph = context.graph
    first = _sigmoid(context, pairs, slopes, offsets)
    second = graph.op("Sub", graph.constant(np.ones(1)), first)
    coupling = _Coupling(n_classes)
    squares = graph.op("Concat", *coupling.matrix(graph, first, second), axis=1)
    none = graph.op("Mul", graph.columns(first, [0]), graph.constant(np.zeros(1)))
    begin = graph.op("Add", none, graph.constant(np.array([[*[1.0 / n_classes] * n_classes, 0.0, 0.0]])))
    start = graph.op("Concat", begin, squares, axis=1)
    context.terms += n_classes * n_classes
    last = graph.loop(start, graph.constant(np.array(True)), coupling.step)
    return graph.columns(last, list(range(n_classes)))


def _sigmoid(context: Context, pairs: str, slopes: Any, offsets: Any) -> str:
    """Return Platt's probability of the first of each pair, kept off 0 and 1; no number counts as lowest."""
    graph = context.graph
    slope, offset = (graph.constant(np.asarray(values, np.float64)[None, :]) for values in (slopes, offsets))
    raised = graph.op("Add", graph.op("Mul", pairs, slope), offset)
    one = graph.constant(np.ones(1))
    small = graph.op("Exp", graph.op("Neg", graph.op("Abs", raised)))
    above = graph.op("GreaterOrEqual", raised, graph.constant(np.zeros(1)))
    share = graph.op("Div", graph.op("Where", above, small, one), graph.op("Add", one, small))
    low, high = (graph.constant(np.array([limit])) for limit in (_LOW, 1 - _LOW))
    share = graph.op("Where", graph.op("Greater", share, low), share, low)
    return graph.op("Where", graph.op("Less", share, high), share, high)


class _Coupling:
    """One row a problem: the columns are the probabilities, whether it is done, the steps taken, and the matrix Q."""

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes

    def matrix(self, graph: GraphBuilder, first: str, second: str) -> list[str]:
        """Return the columns of Q, row after row."""
        place = {pair: index for index, pair in enumerate(combinations(range(self.n_classes), 2))}

        def share(one: int, other: int) -> str:
            if one < other:
                return graph.columns(first, [place[one, other]])
            return graph.columns(second, [place[other, one]])

        columns = []
        for one in range(self.n_classes):
            for other in range(self.n_classes):
                if one != other:
                    columns.append(graph.op("Neg", graph.op("Mul", share(other, one), share(one, other))))
                    continue
                others = [share(index, one) for index in range(self.n_classes) if index != one]
                squares = [graph.op("Mul", part, part) for part in others]
                total = squares[0]
                for square in squares[1:]:
                    total = graph.op("Add", total, square)
                columns.append(total)
        return columns

    def step(self, graph: GraphBuilder, state: str) -> tuple[str, str]:
        """Look whether a row is done, and improve the probabilities of those that are not."""
        count = self.n_classes
        edges = np.cumsum([0, count, 1, 1, count * count]).tolist()
        shares, done, steps, squares = (_columns(graph, state, start, end) for start, end in pairwise(edges))
        rows = [_columns(graph, squares, index * count, (index + 1) * count) for index in range(count)]
        sums = graph.op("Concat", *(_total(graph, graph.op("Mul", row, shares)) for row in rows), axis=1)
        mean = _total(graph, graph.op("Mul", shares, sums))
        error = graph.op("ReduceMax", graph.op("Abs", graph.op("Sub", sums, mean)), _axis(graph), keepdims=1)
        close = graph.op("Less", error, graph.constant(np.array([_TOLERANCE / count])))
        late = graph.op("GreaterOrEqual", steps, graph.constant(np.array([float(max(_STEPS, count))])))
        finished = graph.op("Or", graph.op("Cast", done, to=_BOOL), graph.op("Or", close, late))
        better = self._improved(graph, shares, sums, mean, rows)
        shares = graph.op("Where", finished, shares, better)
        steps = graph.op("Add", steps, graph.constant(np.ones(1)))
        done = graph.op("Cast", finished, to=_DOUBLE)
        open_ = graph.op("Cast", graph.op("Not", finished), to=_INT32)
        go = graph.op("Cast", graph.op("ReduceMax", open_, keepdims=0), to=_BOOL)
        return go, graph.op("Concat", shares, done, steps, squares, axis=1)

    def _improved(self, graph: GraphBuilder, shares: str, sums: str, mean: str, rows: list[str]) -> str:
        one, two = graph.constant(np.ones(1)), graph.constant(np.array([2.0]))
        for index, row in enumerate(rows):
            own, here = _columns(graph, row, index, index + 1), _columns(graph, sums, index, index + 1)
            change = graph.op("Div", graph.op("Sub", mean, here), own)
            unit = graph.op("Add", one, change)
            where = graph.constant(np.eye(self.n_classes)[index][None, :])
            shares = graph.op("Div", graph.op("Add", shares, graph.op("Mul", change, where)), unit)
            grown = graph.op("Add", graph.op("Mul", change, own), graph.op("Mul", two, here))
            mean = graph.op("Add", mean, graph.op("Mul", change, grown))
            mean = graph.op("Div", graph.op("Div", mean, unit), unit)
            sums = graph.op("Div", graph.op("Add", sums, graph.op("Mul", change, row)), unit)
        return shares


def _axis(graph: GraphBuilder) -> str:
    return graph.constant(np.array([1], np.int64))


def _total(graph: GraphBuilder, values: str) -> str:
    return graph.op("ReduceSum", values, _axis(graph), keepdims=1)


def _columns(graph: GraphBuilder, tensor: str, start: int, end: int) -> str:
    return graph.op("Slice", tensor, *(graph.constant(np.array([value])) for value in (start, end, 1)))
