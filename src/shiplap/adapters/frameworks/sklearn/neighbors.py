"""Predictors that ask the nearest rows of their fit: votes, means, densities, local outliers, spread labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.labels import by_share
from shiplap.adapters.frameworks.sklearn.nearest import Near, nearest, within
from shiplap.adapters.frameworks.sklearn.outputs import inside_or_not, normalized, total
from shiplap.adapters.frameworks.sklearn.pairwise import kernel

__all__ = [
    "local_outliers",
    "near_classifier",
    "near_regressor",
    "radius_classifier",
    "radius_regressor",
    "spread_labels",
]

_DOUBLE = 11


def near_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``KNeighborsClassifier``: the share of each class among the nearest."""
    if method == "predict":
        return by_share(estimator, block, context, method)
    tensor = context.matrix(block.pieces)
    weights = _weights(estimator, nearest(context, tensor, estimator, estimator.n_neighbors), context)
    context.terms += estimator.n_neighbors
    return _side_by_side(
        context, [normalized(context, context.graph.op("MatMul", weights, hot)) for hot in _hot(estimator, context)]
    )


def near_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``KNeighborsRegressor``: the mean of the nearest."""
    del method
    tensor = context.matrix(block.pieces)
    near = nearest(context, tensor, estimator, estimator.n_neighbors)
    context.terms += estimator.n_neighbors
    return _mean(estimator, near, context)


def radius_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``RadiusNeighborsClassifier``: the share of each class among those within the radius.

    The library refuses a row with no neighbor where it was told no label for it; here the answer is no number then.
    """
    if method == "predict":
        return by_share(estimator, block, context, method)
    fallbacks = _fallbacks(estimator)
    if not all(row.any() for row in fallbacks):
        raise context.refuse("its outlier_label is none of its classes", hint="choose one of the classes for outliers")
    graph = context.graph
    tensor = context.matrix(block.pieces)
    near = within(context, tensor, estimator, float(estimator.radius))
    weights = _weights(estimator, near, context)
    context.terms += len(estimator._fit_X)
    alone = graph.op("Equal", total(context, near.counts), graph.constant(np.zeros(1)))
    shares = []
    for hot, fallback in zip(_hot(estimator, context), fallbacks, strict=True):
        share = normalized(context, graph.op("MatMul", weights, hot))
        shares.append(graph.op("Where", alone, graph.constant(fallback), share))
    return _side_by_side(context, shares)


def _fallbacks(estimator: Any) -> list[NDArray[np.float64]]:
    """Return for each target the shares of a row without neighbors."""
    several = isinstance(estimator.classes_, list)
    classes = estimator.classes_ if several else [estimator.classes_]
    if estimator.outlier_label_ is None:
        return [np.full((1, len(labels)), np.nan) for labels in classes]
    return [
        (np.asarray(labels) == label).astype(np.float64)[None, :]
        for labels, label in zip(classes, estimator.outlier_label_, strict=True)
    ]


def radius_regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``RadiusNeighborsRegressor``: the mean of those within the radius, no number where there is none."""
    del method
    tensor = context.matrix(block.pieces)
    near = within(context, tensor, estimator, float(estimator.radius))
    context.terms += len(estimator._fit_X)
    return _mean(estimator, near, context)


def _mean(estimator: Any, near: Near, context: Context) -> str:
    graph = context.graph
    weights = _weights(estimator, near, context)
    targets = np.asarray(estimator._y, np.float64).reshape(len(estimator._y), -1)
    return graph.op("Div", graph.op("MatMul", weights, graph.constant(targets)), total(context, weights))


def _weights(estimator: Any, near: Near, context: Context) -> str:
    """Return what each row of the fit counts: once, or by the inverse of its distance; rows at hand count alone."""
    if estimator.weights in {None, "uniform"}:
        return near.counts
    if estimator.weights != "distance":
        raise context.refuse("its weights are code, and a ship carries none", hint="use 'uniform' or 'distance'")
    if estimator._fit_method == "brute" and estimator.effective_metric_ == "euclidean":
        raise context.refuse(
            "brute force finds rows of the fit not at 0 but at a distance that is its own rounding, and weighs by that",
            hint="fit it with algorithm='ball_tree', or with weights='uniform'",
        )
    graph = context.graph
    zero = graph.constant(np.zeros(1))
    inverse = graph.op("Div", graph.constant(np.ones(1)), near.far)
    counted = graph.op("Where", graph.op("Greater", near.counts, zero), inverse, zero)
    here = graph.op("Cast", graph.op("IsInf", counted), to=_DOUBLE)
    any_here = graph.op("Greater", total(context, here), zero)
    return graph.op("Where", any_here, here, counted)


def _hot(estimator: Any, context: Context) -> list[str]:
    """Return for each target which class each row of the fit has, (n_points, n_classes)."""
    several = isinstance(estimator.classes_, list)
    codes = np.asarray(estimator._y).reshape(len(estimator._y), -1)
    classes = estimator.classes_ if several else [estimator.classes_]
    return [context.graph.constant(np.eye(len(labels))[codes[:, index]]) for index, labels in enumerate(classes)]


def _side_by_side(context: Context, tensors: list[str]) -> str:
    return tensors[0] if len(tensors) == 1 else context.graph.op("Concat", *tensors, axis=1)


def local_outliers(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LocalOutlierFactor`` with `novelty`: how dense it is around a row, against around its neighbors."""
    graph = context.graph
    count = estimator.n_neighbors_
    near = nearest(context, context.matrix(block.pieces), estimator, count)
    context.terms += 2 * count
    reach = np.asarray(estimator._distances_fit_X_[:, count - 1], np.float64)[None, :]
    apart = graph.op("Max", near.far, graph.constant(reach))
    zero, number = graph.constant(np.zeros(1)), graph.constant(np.array([float(count)]))
    counted = graph.op("Greater", near.counts, zero)
    summed = total(context, graph.op("Where", counted, graph.op("Mul", apart, near.counts), zero))
    mean = graph.op("Add", graph.op("Div", summed, number), graph.constant(np.array([1e-10])))
    density = graph.op("Div", graph.constant(np.ones(1)), mean)
    ratios = graph.op("Div", graph.constant(np.asarray(estimator._lrd, np.float64)[None, :]), density)
    ratios = graph.op("Where", counted, graph.op("Mul", ratios, near.counts), zero)
    score = graph.op("Neg", graph.op("Div", total(context, ratios), number))
    if method == "score_samples":
        return score
    decision = graph.op("Sub", score, graph.constant(np.array([float(estimator.offset_)])))
    return inside_or_not(context, decision) if method == "predict" else decision


def spread_labels(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LabelPropagation`` and ``LabelSpreading``: the labels of the rows near, weighed by the kernel."""
    if method == "predict":
        return by_share(estimator, block, context, method)
    tensor = context.matrix(block.pieces)
    if estimator.kernel == "rbf":
        weights = kernel(context, tensor, estimator.X_, "rbf", gamma=estimator.gamma)
        context.terms += len(estimator.X_)
    elif estimator.kernel == "knn":
        weights = nearest(context, tensor, estimator.nn_fit, estimator.n_neighbors).counts
    else:
        raise context.refuse("its kernel is code, and a ship carries none", hint="use the kernel 'rbf' or 'knn'")
    labels = context.graph.constant(np.asarray(estimator.label_distributions_, np.float64))
    return normalized(context, context.graph.op("MatMul", weights, labels))
