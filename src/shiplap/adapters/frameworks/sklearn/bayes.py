"""Naive Bayes: log likelihoods of the classes, added up as the library does, then shares of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import log_sum_exp

__all__ = ["bernoulli", "categorical", "complement", "gaussian", "multinomial"]

_INT64, _DOUBLE = 7, 11


def gaussian(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``GaussianNB``: squared distances to the mean in units of the variance, for each class."""
    del method
    graph = context.graph
    n_classes, n_columns = estimator.theta_.shape
    context.terms += n_columns
    rows = graph.op("Unsqueeze", context.matrix(block.pieces), graph.constant(np.array([1], np.int64)))
    apart = graph.op("Sub", rows, graph.constant(np.asarray(estimator.theta_, np.float64)))
    scaled = graph.op("Div", graph.op("Mul", apart, apart), graph.constant(np.asarray(estimator.var_, np.float64)))
    summed = graph.op("ReduceSum", scaled, graph.constant(np.array([2], np.int64)), keepdims=0)
    spread = np.array([-0.5 * np.sum(np.log(2.0 * np.pi * estimator.var_[index])) for index in range(n_classes)])
    halves = graph.op("Mul", summed, graph.constant(np.array([0.5])))
    likelihood = graph.op("Sub", graph.constant(spread), halves)
    return _shares(context, graph.op("Add", graph.constant(np.log(estimator.class_prior_)), likelihood))


def multinomial(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``MultinomialNB``: counts times the logarithms of the features' shares."""
    del method
    return _weighed(estimator.feature_log_prob_, estimator.class_log_prior_, context.matrix(block.pieces), context)


def complement(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``ComplementNB``: as the multinomial one, without the classes' shares."""
    del method
    return _weighed(estimator.feature_log_prob_, np.zeros(1), context.matrix(block.pieces), context)


def bernoulli(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``BernoulliNB``: what is above the threshold counts as there."""
    del method
    graph = context.graph
    tensor = context.matrix(block.pieces)
    if estimator.binarize is not None:
        limit = np.array([float(estimator.binarize)])
        for cell in context.cells(block.pieces):
            context.split_on(cell, limit)
        tensor = graph.op("Cast", graph.op("Greater", tensor, graph.constant(limit)), to=_DOUBLE)
    absent = np.log(1 - np.exp(estimator.feature_log_prob_))
    constant = estimator.class_log_prior_ + absent.sum(axis=1)
    return _weighed(estimator.feature_log_prob_ - absent, constant, tensor, context)


def categorical(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``CategoricalNB``: one table a column, read at the number's whole part.

    The library refuses a category beyond its table; here the answer is no number then.
    """
    del method
    graph = context.graph
    whole = graph.op("Cast", context.matrix(block.pieces), to=_INT64)
    total = ""
    for index, table in enumerate(estimator.feature_log_prob_):
        code = graph.columns(whole, [index])
        known = _among(context, code, table.shape[1])
        place = graph.op("Where", known, code, graph.constant(np.array([[table.shape[1]]], np.int64)))
        rows = np.vstack([table.T, np.full((1, table.shape[0]), np.nan)])
        flat = graph.op("Squeeze", place, graph.constant(np.array([1], np.int64)))
        found = graph.op("Gather", graph.constant(rows), flat, axis=0)
        total = graph.op("Add", total, found) if total else found
    context.terms += len(estimator.feature_log_prob_)
    return _shares(context, graph.op("Add", total, graph.constant(np.asarray(estimator.class_log_prior_))))


def _among(context: Context, code: str, count: int) -> str:
    graph = context.graph
    low, high = (graph.constant(np.array([[limit]], np.int64)) for limit in (0, count))
    return graph.op("And", graph.op("GreaterOrEqual", code, low), graph.op("Less", code, high))


def _weighed(weights: Any, constant: Any, tensor: str, context: Context) -> str:
    graph = context.graph
    context.terms += weights.shape[1]
    product = graph.op("MatMul", tensor, graph.constant(np.asarray(weights, np.float64).T))
    return _shares(context, graph.op("Add", product, graph.constant(np.asarray(constant, np.float64))))


def _shares(context: Context, likelihood: str) -> str:
    graph = context.graph
    return graph.op("Exp", graph.op("Sub", likelihood, log_sum_exp(context, likelihood)))
