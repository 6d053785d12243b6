"""What ``predict`` of a classifier says, as columns: 1 for the class that it names, 0 for the others.

Estimators made of classifiers vote, stack and chain these labels, so the rule of each class that breaks ties is kept:
above zero or at zero, the first of equal classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.registry import class_path, predictors

__all__ = ["by_decision", "by_decision_at_zero", "by_share", "first_largest", "one_hot", "second_where", "told"]

_BOOL, _INT32, _INT64, _DOUBLE = 9, 6, 7, 11


def by_decision(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` that reads ``decision_function``: above zero, or the first largest of several columns."""
    del method
    scores = _answered(estimator, block, context, "decision_function")
    above = context.graph.op("Greater", scores, context.graph.constant(np.array([0.0])))
    if str(getattr(getattr(estimator, "_label_binarizer", None), "y_type_", "")).startswith("multilabel"):
        return context.graph.op("Cast", above, to=_DOUBLE)
    width = len(estimator.classes_)
    if width == 2 or len(np.atleast_2d(getattr(estimator, "coef_", np.eye(2)))) == 1:
        # Linear models that saw two of their classes alone have one score, for the first two.
        hot = second_where(context, above)
        return hot if width == 2 else context.graph.op("MatMul", hot, context.graph.constant(np.eye(2, width)))
    return one_hot(context, first_largest(context, scores), width)


def by_decision_at_zero(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` that reads ``decision_function`` and says the second class at zero already."""
    if len(estimator.classes_) != 2:
        return by_decision(estimator, block, context, method)
    scores = _answered(estimator, block, context, "decision_function")
    return second_where(context, context.graph.op("GreaterOrEqual", scores, context.graph.constant(np.array([0.0]))))


def by_share(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` that reads ``predict_proba``: the first most probable class, of each target its number."""
    del method
    shares = _answered(estimator, block, context, "predict_proba")
    if isinstance(estimator.classes_, list):
        return _of_targets(context, shares, estimator.classes_)
    return one_hot(context, first_largest(context, shares), len(estimator.classes_))


def _of_targets(context: Context, shares: str, classes: list[Any]) -> str:
    edges = np.cumsum([0, *(len(labels) for labels in classes)])
    columns = []
    for labels, start, end in zip(classes, edges[:-1], edges[1:], strict=True):
        hot = one_hot(
            context, first_largest(context, context.graph.columns(shares, list(range(start, end)))), end - start
        )
        columns.append(told(context, hot, labels))
    return context.graph.op("Concat", *columns, axis=1)


def _answered(estimator: Any, block: Block, context: Context, method: str) -> str:
    tensor: str = predictors.get(class_path(type(estimator)))(estimator, block, context, method)
    return tensor


def first_largest(context: Context, scores: str) -> str:
    """Return the position of each row's first largest number, of shape (n, 1); the first NaN is larger than all."""
    graph = context.graph
    gaps = graph.op("Cast", graph.op("IsNaN", scores), to=_INT32)
    any_gap = graph.op("Cast", graph.op("ReduceMax", gaps, graph.constant(np.array([1])), keepdims=1), to=_BOOL)
    of_gaps, of_numbers = (graph.op("ArgMax", tensor, axis=1, keepdims=1) for tensor in (gaps, scores))
    return graph.op("Where", any_gap, of_gaps, of_numbers)


def one_hot(context: Context, positions: str, width: int) -> str:
    """Return columns that are 1 where ``positions``, of shape (n, 1), say so: shape (n, width)."""
    graph = context.graph
    places = graph.constant(np.arange(width, dtype=np.int64)[None, :])
    return graph.op("Cast", graph.op("Equal", positions, places), to=_DOUBLE)


def second_where(context: Context, holds: str) -> str:
    """Return the columns of two classes: the second where ``holds``, of shape (n, 1), the first elsewhere."""
    graph = context.graph
    return graph.op("Cast", graph.op("Concat", graph.op("Not", holds), holds, axis=1), to=_DOUBLE)


def told(context: Context, hot: str, values: Any) -> str:
    """Return the number that stands for the class which `hot` names, of shape (n, 1)."""
    labels = np.asarray(values)
    if labels.dtype.kind not in "biuf":
        raise context.refuse("labels that are texts are computed with here", hint="fit on numbers as labels")
    numbers = labels.astype(np.float64).reshape(-1, 1)
    return context.graph.op("MatMul", hot, context.graph.constant(numbers))
