"""``CalibratedClassifierCV``: sigmoid, isotonic and temperature, over one estimator or the mean of several."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.members import of_classes, second, to_last_digits
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, normalized, softmax
from shiplap.adapters.frameworks.trees import LT, Forest

__all__ = ["calibrated", "interpolated"]

_INT64 = 7
_EPSILON = 1e-12  # scikit-learn adds it before the logarithm of a probability


def calibrated(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``CalibratedClassifierCV``: the mean over its calibrated classifiers."""
    del method
    graph = context.graph
    parts = []
    for index, classifier in enumerate(estimator.calibrated_classifiers_):
        with context.step(f"fold {index}"):
            parts.append(_one(classifier, block, context))
    if len(parts) == 1:
        return parts[0]
    total = parts[0]
    for part in parts[1:]:
        total = graph.op("Add", total, part)
    return graph.op("Div", total, graph.constant(np.array([float(len(parts))])))


def _one(classifier: Any, block: Block, context: Context) -> str:
    name = type(classifier.estimator).__name__
    scores, method = context.response(classifier.estimator, block, ("decision_function", "predict_proba"), name)
    binary = len(classifier.classes) == 2
    if classifier.method == "temperature":
        return _temperature(scores, method, binary, float(classifier.calibrators[0].beta_), context)
    inner = classifier.estimator.classes_
    if len(inner) == 2:
        columns = [scores if method == "decision_function" else second(context, scores)]
    else:
        columns = [context.graph.columns(scores, [index]) for index in range(len(inner))]
    made = [
        _calibrated(calibrator, column, context)
        for calibrator, column in zip(classifier.calibrators, columns, strict=True)
    ]
    if binary:
        return both_classes(context, made[0])
    graph, made = context.graph, [to_last_digits(context, column) for column in made]
    # A fold that lacks a class says nothing of it; one that knows two classes speaks for the first of them.
    places = np.searchsorted(classifier.classes, inner)[: len(made)]
    together = made[0] if len(made) == 1 else graph.op("Concat", *made, axis=1)
    together = of_classes(context, together, places, len(classifier.classes))
    return normalized(context, together, even=len(classifier.classes))


def _temperature(scores: str, method: str, binary: bool, beta: float, context: Context) -> str:
    graph = context.graph
    factor = np.array([beta])
    if method == "predict_proba":
        scores = graph.op("Log", graph.op("Add", scores, graph.constant(np.array([_EPSILON]))))
    elif binary:
        factor = np.array([[-beta, beta]])
    return softmax(context, graph.op("Mul", scores, graph.constant(factor)))


def _calibrated(calibrator: Any, score: str, context: Context) -> str:
    graph = context.graph
    kind = type(calibrator).__name__
    if kind == "_SigmoidCalibration":
        slope, offset = (graph.constant(np.array([float(value)])) for value in (calibrator.a_, calibrator.b_))
        return graph.op("Sigmoid", graph.op("Neg", graph.op("Add", graph.op("Mul", score, slope), offset)))
    if kind == "IsotonicRegression":
        x, y = (np.asarray(values, np.float64) for values in (calibrator.X_thresholds_, calibrator.y_thresholds_))
        return interpolated(score, x, y, context)
    raise context.refuse(f"a calibrator of type {kind}", hint="use sigmoid, isotonic or temperature")


def interpolated(score: str, x: NDArray[np.float64], y: NDArray[np.float64], context: Context) -> str:
    """Interpolate between knots as ``numpy.interp`` does: a search tree finds the interval, tables hold its line."""
    graph = context.graph
    if len(x) == 1:
        return graph.op("Add", graph.op("Mul", score, graph.constant(np.zeros(1))), graph.constant(y))
    low, high = (graph.constant(np.array(limit)) for limit in (x[0], x[-1]))
    clipped = graph.op("Min", graph.op("Max", score, low), high)
    forest = Forest()
    forest.root(_search(forest, x, 0, len(x) - 1))
    place = graph.op("Cast", forest.emit(graph, clipped, n_targets=1), to=_INT64)
    slopes = np.append(np.diff(y) / np.diff(x), 0.0)
    slope, start, base = (graph.op("Gather", graph.constant(table), place, axis=0) for table in (slopes, x, y))
    return graph.op("Add", graph.op("Mul", slope, graph.op("Sub", clipped, start)), base)


def _search(forest: Forest, x: NDArray[np.float64], low: int, high: int) -> int:
    """Build the tree that answers with the last knot at or below the value, among `low` to `high`."""
    if low == high:
        return forest.leaf(0, float(low))
    middle = (low + high + 1) // 2
    left, right = _search(forest, x, low, middle - 1), _search(forest, x, middle, high)
    return forest.node(0, float(x[middle]), left, right, mode=LT)
