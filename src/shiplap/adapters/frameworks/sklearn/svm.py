"""Support vector machines along libsvm's own arithmetic: kernels by differences, votes of pairs of classes.

C.-C. Chang and C.-J. Lin, "LIBSVM: a library for support vector machines", ACM TIST 2:27, 2011.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.coupling import coupled
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot, second_where
from shiplap.adapters.frameworks.sklearn.pairwise import differences, product

__all__ = ["classifier", "outliers", "regressor"]

_DOUBLE = 11


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``SVR`` and ``NuSVR``."""
    del method
    return _single(estimator, block, context)


def outliers(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``OneClassSVM``: how far a row lies inside; `score_samples` is that without the offset."""
    graph = context.graph
    decision = _single(estimator, block, context)
    if method == "score_samples":
        return graph.op("Add", decision, graph.constant(np.asarray(estimator.offset_, np.float64).reshape(1)))
    if method != "predict":
        return decision
    return second_where(context, graph.op("Not", graph.op("Greater", decision, graph.constant(np.array([0.0])))))


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``SVC`` and ``NuSVC``: decisions of pairs of classes, their votes, or libsvm's probabilities."""
    if method == "predict":
        return _label(estimator, block, context)
    graph = context.graph
    pairs = _pairs(estimator, block, context)
    n_classes = len(estimator.classes_)
    if method == "predict_proba":
        return coupled(context, pairs, estimator._probA, estimator._probB, n_classes)
    if n_classes == 2:
        return graph.op("Neg", pairs)
    return _one_versus_rest(context, pairs, n_classes) if estimator.decision_function_shape == "ovr" else pairs


def _label(estimator: Any, block: Block, context: Context) -> str:
    """Return columns of what ``predict`` says: the class with the most votes, the first of equals."""
    n_classes = len(estimator.classes_)
    graph = context.graph
    if estimator.break_ties and n_classes > 2:
        scores = classifier(estimator, block, context, "decision_function")
        return one_hot(context, first_largest(context, scores), n_classes)
    pairs = _pairs(estimator, block, context)
    first = graph.op("Greater", pairs, graph.constant(np.zeros(1)))
    if n_classes == 2:
        return second_where(context, graph.op("Not", first))
    return one_hot(context, graph.op("ArgMax", _votes(context, first, n_classes), axis=1, keepdims=1), n_classes)


def _single(estimator: Any, block: Block, context: Context) -> str:
    coefficients = np.ravel(_dense(estimator._dual_coef_))
    if estimator.kernel in {"linear", "poly"}:
        context.terms += _cancelled(estimator, coefficients)
    weighed = context.graph.op("MatMul", _kernel(estimator, block, context), _column(context, coefficients))
    context.terms += len(coefficients)
    return context.graph.op("Add", weighed, context.graph.constant(np.asarray(estimator._intercept_, np.float64)))


def _cancelled(estimator: Any, coefficients: NDArray[np.float64]) -> int:
    """Return how much larger the parts of a decision are than the spread of decisions, among the support vectors."""
    points = _dense(estimator.support_vectors_)
    inner = points @ points.T
    if estimator.kernel == "poly":
        inner = (estimator._gamma * inner + estimator.coef0) ** estimator.degree
    parts = inner * coefficients
    spread = float(np.std(parts.sum(axis=1)))
    return int(np.abs(parts).sum(axis=1).mean() / spread) if spread > 0 else 0


def _pairs(estimator: Any, block: Block, context: Context) -> str:
    """Return the decisions of libsvm for each pair of classes, positive for the first: shape (n, n_pairs)."""
    graph = context.graph
    kernel = _kernel(estimator, block, context)
    coefficients = _dense(estimator._dual_coef_)
    edges = np.cumsum([0, *estimator._n_support])
    context.terms += len(np.ravel(estimator.support_))
    decisions = []
    for pair, (one, other) in enumerate(combinations(range(len(estimator.classes_)), 2)):
        first, second = (np.arange(edges[index], edges[index + 1]) for index in (one, other))
        weights = np.concatenate([coefficients[other - 1, first], coefficients[one, second]])
        part = graph.columns(kernel, np.concatenate([first, second]).tolist())
        weighed = graph.op("MatMul", part, _column(context, weights))
        decisions.append(graph.op("Add", weighed, graph.constant(np.array([float(estimator._intercept_[pair])]))))
    return decisions[0] if len(decisions) == 1 else graph.op("Concat", *decisions, axis=1)


def _column(context: Context, values: NDArray[np.float64]) -> str:
    return context.graph.constant(np.asarray(values, np.float64)[:, None])


def _dense(values: Any) -> NDArray[np.float64]:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, np.float64)


def _kernel(estimator: Any, block: Block, context: Context) -> str:
    """Return the kernel between the rows and the support vectors, (n, n_support)."""
    graph = context.graph
    tensor = context.matrix(block.pieces)
    if estimator.kernel == "precomputed":
        return graph.columns(tensor, np.ravel(estimator.support_).tolist())
    points = _dense(estimator.support_vectors_)
    gamma = graph.constant(np.array([float(estimator._gamma)]))
    if estimator.kernel == "rbf":
        return graph.op("Exp", graph.op("Neg", graph.op("Mul", differences(context, tensor, points, 2), gamma)))
    inner = product(context, tensor, points)
    if estimator.kernel == "linear":
        context.terms += points.size  # each decision adds up every coordinate of every support vector
        return inner
    moved = graph.op("Add", graph.op("Mul", inner, gamma), graph.constant(np.array([float(estimator.coef0)])))
    if estimator.kernel == "sigmoid":
        return graph.op("Tanh", moved)
    if estimator.kernel == "poly":
        return _power(context, moved, int(estimator.degree))
    raise context.refuse("its kernel is code, and a ship carries none", hint="use linear, poly, rbf or sigmoid")


def _power(context: Context, tensor: str, exponent: int) -> str:
    """Raise to a whole power by repeated squaring, as libsvm does."""
    graph = context.graph
    result = ""
    while exponent:
        if exponent % 2:
            result = graph.op("Mul", result, tensor) if result else tensor
        exponent //= 2
        tensor = graph.op("Mul", tensor, tensor)
    return result or graph.op("Pow", tensor, graph.constant(np.zeros(1)))


def _gathered(context: Context, values: str, n_classes: int) -> tuple[str, NDArray[np.bool_]]:
    """Return for each class the pairs it is in, (n, n_classes, n_classes - 1), and where it is the first of the two."""
    pairs = list(combinations(range(n_classes), 2))
    places = [[pair for pair, both in enumerate(pairs) if index in both] for index in range(n_classes)]
    first = np.array([[pairs[pair][0] == index for pair in row] for index, row in enumerate(places)])
    return context.graph.op("Gather", values, context.graph.constant(np.array(places, np.int64)), axis=1), first


def _votes(context: Context, first: str, n_classes: int) -> str:
    """Count for each class the pairs that it wins; `first` says where the first of a pair does."""
    graph = context.graph
    won, leads = _gathered(context, graph.op("Cast", first, to=_DOUBLE), n_classes)
    wins = graph.op("Where", graph.constant(leads), won, graph.op("Sub", graph.constant(np.ones(1)), won))
    return graph.op("ReduceSum", wins, graph.constant(np.array([2], np.int64)), keepdims=0)


def _one_versus_rest(context: Context, pairs: str, n_classes: int) -> str:
    """Add to the votes what the sum of decisions, bent into a third, says of each class."""
    graph = context.graph
    # Where a decision is no number the second class is not told below zero either: the vote is the first's.
    second = graph.op("Less", pairs, graph.constant(np.zeros(1)))
    votes = _votes(context, graph.op("Not", second), n_classes)
    decisions, leads = _gathered(context, pairs, n_classes)
    turned = graph.op("Mul", decisions, graph.constant(np.where(leads, 1.0, -1.0)))
    summed = graph.op("ReduceSum", turned, graph.constant(np.array([2], np.int64)), keepdims=0)
    one, three = graph.constant(np.array([1.0])), graph.constant(np.array([3.0]))
    size = graph.op("Mul", graph.op("Add", graph.op("Abs", summed), one), three)
    return graph.op("Add", votes, graph.op("Div", summed, size))
