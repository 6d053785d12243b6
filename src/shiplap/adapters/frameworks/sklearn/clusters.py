"""Clusterers that place new rows: the nearest center, by the very formula and tie rule of each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import row_norms

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot
from shiplap.adapters.frameworks.sklearn.pairwise import squared_distances

__all__ = ["affinity", "birch", "bisecting", "cluster_labels", "k_means", "mean_shift", "nearest"]

_ROW = np.array([1], np.int64)


def cluster_labels(estimator: Any) -> tuple[int, ...]:
    """Return the labels that ``predict`` of a clusterer can give, sorted.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> cluster_labels(KMeans(2, n_init=1).fit([[0.0], [1.0], [9.0]]))
    (0, 1)
    """
    labels = getattr(estimator, "subcluster_labels_", None)
    if labels is None:
        labels = [*range(len(getattr(estimator, "cluster_centers_", ()))), *getattr(estimator, "labels_", ())]
    return tuple(sorted({int(label) for label in labels}))


def k_means(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` of ``KMeans`` and ``MiniBatchKMeans``: the first of the nearest centers."""
    del method
    centers = np.asarray(estimator.cluster_centers_, np.float64)
    return one_hot(context, _first_nearest(context, context.matrix(block.pieces), centers), len(centers))


def bisecting(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` of ``BisectingKMeans``: down its tree, to the nearer center at each fork."""
    del method
    graph = context.graph
    matrix = context.matrix(block.pieces)
    shift = getattr(estimator, "_X_mean", 0.0)

    def walk(node: Any) -> str:
        if node.left is None:
            return graph.constant(np.array([[int(node.label)]], np.int64))
        centers = np.vstack((node.left.center, node.right.center)) + shift
        left = graph.op("Equal", _first_nearest(context, matrix, centers), graph.constant(np.zeros(1, np.int64)))
        return graph.op("Where", left, walk(node.left), walk(node.right))

    return one_hot(context, walk(estimator._bisecting_tree), len(estimator.cluster_centers_))


def mean_shift(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` of ``MeanShift``."""
    del method
    centers = estimator.cluster_centers_
    return one_hot(context, _at_least_distance(context, context.matrix(block.pieces), centers), len(centers))


def affinity(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` of ``AffinityPropagation``."""
    if not len(estimator.cluster_centers_):
        raise context.refuse("it did not converge: it has no cluster", hint="raise max_iter or damping and fit again")
    return mean_shift(estimator, block, context, method)


def birch(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` of ``Birch``: the cluster of the nearest subcluster."""
    del method
    labels = np.asarray(estimator.subcluster_labels_)
    place = _at_least_distance(context, context.matrix(block.pieces), estimator.subcluster_centers_)
    known = cluster_labels(estimator)
    moved = context.graph.constant(np.searchsorted(known, labels).astype(np.int64))
    return one_hot(context, context.graph.op("Gather", moved, place, axis=0), len(known))


def _first_nearest(context: Context, matrix: str, centers: NDArray[np.float64]) -> str:
    """Return the first center with the smallest ``|c|^2 - 2 x.c``, as k-means computes it, of shape (n, 1)."""
    graph = context.graph
    context.terms += centers.shape[1]
    norms = graph.constant(row_norms(centers, squared=True))
    apart = graph.op("Gemm", matrix, graph.constant(np.ascontiguousarray(centers.T)), norms, alpha=-2.0, beta=1.0)
    return graph.op("ArgMin", apart, axis=1, keepdims=1)


def _at_least_distance(context: Context, matrix: str, centers: Any) -> str:
    """Return the first center at the smallest distance, of shape (n, 1), as scikit-learn finds it for a data frame.

    The root is taken before distances are compared: it makes equal what differs in the last digit only. The first
    distance that is no number is the smallest.
    """
    distances = context.graph.op("Sqrt", squared_distances(context, matrix, centers))
    return first_largest(context, context.graph.op("Neg", distances))


def nearest(context: Context, matrix: str, points: Any) -> str:
    """Return the place of the first nearest point as ``pairwise_distances_argmin`` has it for an array, (n, 1).

    For rows that lie one after another in memory it adds up
    ``|x|^2 - 2 x.y + |y|^2``, takes what is below zero or no number for zero, and keeps the first.
    """
    graph = context.graph
    points = np.asarray(points, np.float64)
    context.terms += points.shape[1]
    rows = graph.op("ReduceSum", graph.op("Mul", matrix, matrix), graph.constant(_ROW), keepdims=1)
    product = graph.op("MatMul", matrix, graph.constant(np.ascontiguousarray(points.T)))
    middle = graph.op("Mul", product, graph.constant(np.array([-2.0])))
    norms = graph.constant(row_norms(points, squared=True)[None, :])
    total = graph.op("Add", graph.op("Add", rows, middle), norms)
    zero = graph.constant(np.zeros(1))
    return graph.op("ArgMin", graph.op("Where", graph.op("Greater", total, zero), total, zero), axis=1, keepdims=1)
