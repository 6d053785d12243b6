"""Emitters of LightGBM: one ``TreeEnsemble``, then what its objective does to the score."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lightgbm.booster import Ensemble, read_booster
from shiplap.adapters.frameworks.lightgbm.linear import linear_sum
from shiplap.adapters.frameworks.lightgbm.nodes import CATEGORICAL, MISSING, ZERO, ZERO_MISSING, forest_of
from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, softmax
from shiplap.core.encoding import Category

__all__ = ["classifier", "regressor"]

_IDENTITY = ("", "regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg")


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LGBMClassifier``: probabilities of its classes, or the raw margin of ``decision_function``."""
    ensemble = read_booster(estimator.booster_)
    scores = _scores(estimator, ensemble, block, context, raw=method == "decision_function")
    if method == "decision_function":
        return scores
    if not ensemble.objective:
        raise context.refuse(
            "an objective of your own gives no probabilities", hint="pack the LightGBM model itself, for its raw scores"
        )
    answers = _answers(ensemble, scores, context)
    return both_classes(context, answers) if ensemble.per_iteration == 1 else answers


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LGBMRegressor`` and ``LGBMRanker``: predictions in units of the target, raw scores of own objectives."""
    del method
    ensemble = read_booster(estimator.booster_)
    return _answers(ensemble, _scores(estimator, ensemble, block, context), context)


def _answers(ensemble: Ensemble, scores: str, context: Context) -> str:
    """Return what the objective makes of the scores."""
    graph, name = context.graph, ensemble.objective
    if name in {"binary", "multiclassova"}:
        return graph.op("Sigmoid", _times(scores, ensemble.options.get("sigmoid", "1"), context))
    if name == "multiclass":
        return softmax(context, scores)
    if name in {"poisson", "gamma", "tweedie"}:
        return graph.op("Exp", scores)
    if name == "cross_entropy":
        return graph.op("Sigmoid", scores)
    if name == "cross_entropy_lambda":
        return graph.op("Softplus", scores)
    if name not in _IDENTITY:
        raise context.refuse(f"the objective '{name}' is unknown here", hint="use regression or poisson")
    if "sqrt" in ensemble.options:
        return graph.op("Mul", graph.op("Mul", graph.op("Sign", scores), scores), scores)
    return scores


def _times(scores: str, factor: str, context: Context) -> str:
    if float(factor) == 1.0:
        return scores
    return context.graph.op("Mul", scores, context.graph.constant(np.array([float(factor)])))


def _scores(estimator: Any, ensemble: Ensemble, block: Block, context: Context, *, raw: bool = False) -> str:
    """Sum the trees; the mean in random-forest mode, except for the `raw` margin, which LightGBM leaves a sum."""
    cells = _features(estimator, ensemble, block, context)
    iterations = len(ensemble.trees) // ensemble.per_iteration
    context.terms += iterations
    _note(ensemble, cells, context)
    matrix = context.matrix(cells)
    routed = _zeros_missing(ensemble, matrix, len(cells), context)
    if ensemble.linear:
        forest, total = linear_sum(ensemble, matrix, routed, len(cells), context)
    else:
        forest = forest_of(ensemble)
        total = forest.emit(context.graph, routed, n_targets=ensemble.per_iteration)
    context.forests.append((forest, cells))
    if ensemble.averaged and not raw:
        return context.graph.op("Div", total, context.graph.constant(np.array([float(iterations)])))
    return total


def _features(estimator: Any, ensemble: Ensemble, block: Block, context: Context) -> tuple[Cell, ...]:
    """Return the features as numbers; columns of pandas' category type as the codes LightGBM remembers."""
    remembered = iter(estimator.booster_.pandas_categorical or [])
    pieces: list[Piece] = []
    for piece in block.pieces:
        column = context.source(piece) if isinstance(piece, Raw) else None
        if column is not None and column.kind == "category" and column.dtype == "category":
            pieces.append(_codes(column.name, next(remembered), column.missing, context))
        else:
            pieces.append(piece)
    cells = context.cells(pieces)
    categorical = {
        tree.feature[node]
        for tree in ensemble.trees
        for node, decision in enumerate(tree.decision)
        if decision & CATEGORICAL
    }
    return tuple(
        _whole(cell, context) if index in categorical and not cell.integral else cell
        for index, cell in enumerate(cells)
    )


def _codes(name: str, categories: list[Any], missing: tuple[str, ...], context: Context) -> Cell:
    texts = all(isinstance(category, str) for category in categories)
    known: Any = tuple(categories) if texts else tuple(float(category) for category in categories)
    return context.category(Category(column=name, missing=missing, categories=known))[0]


def _whole(cell: Cell, context: Context) -> Cell:
    """Cut off the fraction, as LightGBM's cast of a category to an integer does."""
    graph = context.graph
    tensor = context.matrix((cell,))
    cut = graph.op("Mul", graph.op("Sign", tensor), graph.op("Floor", graph.op("Abs", tensor)))
    return context.computed(cut, 1, integral=True)[0]


def _zeros_missing(ensemble: Ensemble, matrix: str, width: int, context: Context) -> str:
    """Make everything within `ZERO` of 0 missing in the features that were trained so (``zero_as_missing``)."""
    limits = np.full(width, -1.0)
    for tree in ensemble.trees:
        for feature, decision in zip(tree.feature, tree.decision, strict=True):
            if decision & MISSING == ZERO_MISSING and not decision & CATEGORICAL:
                limits[feature] = ZERO
    if (limits < 0).all():
        return matrix
    graph = context.graph
    zero = graph.op("LessOrEqual", graph.op("Abs", matrix), graph.constant(limits))
    return graph.op("Where", zero, graph.constant(np.array(np.nan)), matrix)


def _note(ensemble: Ensemble, cells: tuple[Cell, ...], context: Context) -> None:
    by_feature: dict[int, set[float]] = {}
    for tree in ensemble.trees:
        for feature, threshold, decision in zip(tree.feature, tree.threshold, tree.decision, strict=True):
            if not decision & CATEGORICAL:
                by_feature.setdefault(feature, set()).add(threshold)
    for feature, values in by_feature.items():
        context.split_on(cells[feature], np.array(sorted(values)))
