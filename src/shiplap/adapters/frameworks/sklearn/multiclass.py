"""One model a class, one a pair of classes, one a bit of a code: ``sklearn.multiclass``."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from shiplap.adapters.frameworks.graph import INPUT
from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.clusters import nearest
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot, second_where
from shiplap.adapters.frameworks.sklearn.members import added, binary_score, plain, second
from shiplap.adapters.frameworks.sklearn.outputs import both_classes
from shiplap.adapters.frameworks.sklearn.threshold import limit_of

__all__ = ["constant_predictor", "one_vs_one", "one_vs_rest", "output_code"]

_DOUBLE = 11


def one_vs_rest(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``OneVsRestClassifier``, of several labels at once too: what each model says of its class."""
    graph, members = context.graph, estimator.estimators_
    if method == "predict":
        return _rest_labels(estimator, block, context)
    names = [str(label) for label in estimator.classes_[-len(members) :]]
    answers = [context.response(member, block, (method,), name)[0] for member, name in zip(members, names, strict=True)]
    if method == "decision_function":
        return answers[0] if len(members) == 1 else graph.op("Concat", *answers, axis=1)
    if len(members) == 1:
        return both_classes(context, second(context, answers[0]))
    columns = graph.op("Concat", *(second(context, answer, tiny=True) for answer in answers), axis=1)
    if estimator.multilabel_:
        return columns
    total = graph.op("ReduceSum", columns, graph.constant(np.array([1], np.int64)), keepdims=1)
    zero = graph.op("Equal", total, graph.constant(np.zeros(1)))
    return graph.op("Where", zero, columns, graph.op("Div", columns, total))


def _rest_labels(estimator: Any, block: Block, context: Context) -> str:
    graph, members = context.graph, estimator.estimators_
    names = [str(label) for label in estimator.classes_[-len(members) :]]
    scores = [binary_score(member, block, context, name) for member, name in zip(members, names, strict=True)]
    if estimator.label_binarizer_.y_type_ == "multiclass":
        return one_hot(context, first_largest(context, graph.op("Concat", *scores, axis=1)), len(members))
    above = [graph.op("Greater", score, graph.constant(np.array([limit_of(members[0])]))) for score in scores]
    if len(members) == 1:
        return second_where(context, above[0])
    return graph.op("Cast", graph.op("Concat", *above, axis=1), to=_DOUBLE)


def one_vs_one(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``OneVsOneClassifier``: votes of the pairs, and their confidence where votes are equal."""
    graph, width = context.graph, len(estimator.classes_)
    if estimator.pairwise_indices_ is not None:
        raise context.refuse("it was fitted on a matrix of kernels", hint="fit it on the columns themselves")
    scores = _pairs(estimator, plain(block), context)
    if width > 2:
        return scores if method == "decision_function" else one_hot(context, first_largest(context, scores), width)
    score = graph.columns(scores, [1])
    if method == "decision_function":
        return score
    limit = graph.constant(np.array([limit_of(estimator.estimators_[0])]))
    return second_where(context, graph.op("Greater", score, limit))


def _pairs(estimator: Any, block: Block, context: Context) -> str:
    graph, width = context.graph, len(estimator.classes_)
    pairs = [(low, high) for low in range(width) for high in range(low + 1, width)]
    votes: list[list[str]] = [[] for _ in range(width)]
    sums: list[list[str]] = [[] for _ in range(width)]
    for (low, high), member in zip(pairs, estimator.estimators_, strict=True):
        name = f"{estimator.classes_[low]} or {estimator.classes_[high]}"
        for label, vote in zip((low, high), _ballot(member, block, context, name), strict=True):
            votes[label].append(vote)
        score = binary_score(member, block, context, name)
        sums[low].append(graph.op("Neg", score))
        sums[high].append(score)
    counted, summed = (
        graph.op("Concat", *(added(context, column) for column in columns), axis=1) for columns in (votes, sums)
    )
    bound = graph.op("Add", graph.op("Abs", summed), graph.constant(np.array([1.0])))
    share = graph.op("Div", summed, graph.op("Mul", bound, graph.constant(np.array([3.0]))))
    return graph.op("Add", counted, share)


def _ballot(member: Any, block: Block, context: Context, name: str) -> tuple[str, str]:
    """Return the vote for the first and for the second class of a pair; a regressor votes where it says 0 or 1."""
    graph = context.graph
    answer, _ = context.response(member, block, ("predict",), name)
    if is_classifier(member):
        return graph.columns(answer, [0]), graph.columns(answer, [1])
    said = [graph.op("Equal", answer, graph.constant(np.array([value]))) for value in (0.0, 1.0)]
    return graph.op("Cast", said[0], to=_DOUBLE), graph.op("Cast", said[1], to=_DOUBLE)


def output_code(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``OutputCodeClassifier``: the class whose code lies nearest to what the members say."""
    del method
    scores = [
        binary_score(member, block, context, f"bit {index}") for index, member in enumerate(estimator.estimators_)
    ]
    matrix = scores[0] if len(scores) == 1 else context.graph.op("Concat", *scores, axis=1)
    return one_hot(context, nearest(context, matrix, estimator.code_book_), len(estimator.classes_))


def constant_predictor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower what stands in for a model where all rows had the same class."""
    del block
    value = float(np.ravel(estimator.y_)[0])
    row = np.array([[1.0 - value, value]]) if method == "predict_proba" else np.array([[value]])
    graph = context.graph
    rows = graph.op("Shape", INPUT, start=0, end=1)
    shape = graph.op("Concat", rows, graph.constant(np.array([row.shape[1]], np.int64)), axis=0)
    return graph.op("Expand", graph.constant(row), shape)
