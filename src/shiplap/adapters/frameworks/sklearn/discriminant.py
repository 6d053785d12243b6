"""Discriminants: ``QuadraticDiscriminantAnalysis`` and ``NearestCentroid``. The linear one is a logistic model."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot
from shiplap.adapters.frameworks.sklearn.outputs import total
from shiplap.adapters.frameworks.sklearn.pairwise import differences, squared_distances

__all__ = ["nearest_centroid", "quadratic"]

_ROW = np.array([1], np.int64)


def quadratic(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``QuadraticDiscriminantAnalysis``: rotate, scale and square for each class."""
    graph = context.graph
    tensor = context.matrix(block.pieces)
    context.terms += 2 * estimator.n_features_in_
    norms = []
    for mean, rotation, scaling in zip(estimator.means_, estimator.rotations_, estimator.scalings_, strict=True):
        centered = graph.op("Sub", tensor, graph.constant(np.asarray(mean, np.float64)))
        turned = graph.op("MatMul", centered, graph.constant(rotation * (scaling ** (-0.5))))
        norms.append(total(context, graph.op("Mul", turned, turned)))
    constant = np.array([np.sum(np.log(scaling)) for scaling in estimator.scalings_])
    raised = graph.op("Add", graph.op("Concat", *norms, axis=1), graph.constant(constant))
    halves = graph.op("Mul", raised, graph.constant(np.array([-0.5])))
    return _answer(estimator, graph.op("Add", halves, graph.constant(np.log(estimator.priors_))), context, method)


def nearest_centroid(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``NearestCentroid``: squared distances to the centroids in units of the spread within the classes."""
    if method == "predict":
        return _label(estimator, block, context)
    graph = context.graph
    spread = np.asarray(estimator.within_class_std_dev_, np.float64)
    units = np.where(spread != 0, spread, 1.0)
    scaled = graph.op("Div", context.matrix(block.pieces), graph.constant(units))
    apart = _distances(estimator, scaled, estimator.centroids_ / units, context)
    prior = graph.constant(2.0 * np.log(estimator.class_prior_))
    scores = graph.op("Add", graph.op("Neg", graph.op("Mul", apart, apart)), prior)
    return _answer(estimator, scores, context, method)


def _label(estimator: Any, block: Block, context: Context) -> str:
    """Return columns of what ``predict`` says: where classes are even, plain distances without the spread."""
    n_classes = len(estimator.classes_)
    if not np.isclose(estimator.class_prior_, 1 / n_classes).all():
        return one_hot(
            context, first_largest(context, nearest_centroid(estimator, block, context, "scores")), n_classes
        )
    apart = _distances(estimator, context.matrix(block.pieces), estimator.centroids_, context)
    return one_hot(context, context.graph.op("ArgMin", apart, axis=1, keepdims=1), n_classes)


def _distances(estimator: Any, tensor: str, centroids: Any, context: Context) -> str:
    if estimator.metric == "manhattan":
        return differences(context, tensor, centroids, 1)
    if estimator.metric != "euclidean":
        raise context.refuse(f"the metric {estimator.metric!r}", hint="use euclidean or manhattan")
    return context.graph.op("Sqrt", squared_distances(context, tensor, centroids))


def _answer(estimator: Any, scores: str, context: Context, method: str) -> str:
    graph = context.graph
    if method == "decision_function" and len(estimator.classes_) == 2:
        return graph.op("Sub", graph.columns(scores, [1]), graph.columns(scores, [0]))
    if method != "predict_proba":
        return scores
    shifted = graph.op("Sub", scores, graph.op("ReduceMax", scores, graph.constant(_ROW), keepdims=1))
    shares = graph.op("Log", total(context, graph.op("Exp", shifted)))
    return graph.op("Exp", graph.op("Sub", shifted, shares))
