"""Emitters of LightGBM: one ``TreeEnsemble``, then what its objective does to the score.

The rules of a node are those of ``NumericalDecision`` and ``CategoricalDecision`` in LightGBM's ``tree.h``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lightgbm.booster import Ensemble, Tree, read_booster
from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, softmax
from shiplap.adapters.frameworks.trees import Forest
from shiplap.core.encoding import Category

__all__ = ["classifier", "regressor"]

_CATEGORICAL, _DEFAULT_LEFT, _MISSING = 1, 2, 12
_ZERO_MISSING = 4
_ZERO = float(np.float32(1e-35))  # kZeroThreshold
_IDENTITY = ("", "regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg")


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LGBMClassifier``: probabilities of its classes, or the raw margin of ``decision_function``."""
    ensemble = _read(estimator, context)
    scores = _scores(estimator, ensemble, block, context, raw=method == "decision_function")
    if method == "decision_function":
        return scores
    graph = context.graph
    if ensemble.objective == "binary":
        return both_classes(context, graph.op("Sigmoid", _times(scores, ensemble.options.get("sigmoid", "1"), context)))
    if ensemble.objective == "multiclass":
        return softmax(context, scores)
    if ensemble.objective == "multiclassova":
        return graph.op("Sigmoid", _times(scores, ensemble.options.get("sigmoid", "1"), context))
    raise context.refuse(
        f"the objective '{ensemble.objective or 'of your own'}' gives no probabilities of its own",
        hint="use the objective binary, multiclass or multiclassova",
    )


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LGBMRegressor``: its prediction, in units of the target."""
    del method
    ensemble = _read(estimator, context)
    scores = _scores(estimator, ensemble, block, context)
    graph = context.graph
    if ensemble.objective in {"poisson", "gamma", "tweedie"}:
        return graph.op("Exp", scores)
    if ensemble.objective == "cross_entropy":
        return graph.op("Sigmoid", scores)
    if ensemble.objective not in _IDENTITY:
        raise context.refuse(f"the objective '{ensemble.objective}' is unknown here", hint="use regression or poisson")
    if "sqrt" in ensemble.options:
        return graph.op("Mul", graph.op("Mul", graph.op("Sign", scores), scores), scores)
    return scores


def _read(estimator: Any, context: Context) -> Ensemble:
    ensemble = read_booster(estimator.booster_)
    if ensemble.linear:
        raise context.refuse("its leaves hold linear models (linear_tree)", hint="train with linear_tree=False")
    return ensemble


def _times(scores: str, factor: str, context: Context) -> str:
    if float(factor) == 1.0:
        return scores
    return context.graph.op("Mul", scores, context.graph.constant(np.array([float(factor)])))


def _scores(estimator: Any, ensemble: Ensemble, block: Block, context: Context, *, raw: bool = False) -> str:
    """Sum the trees; the mean in random-forest mode, except for the `raw` margin, which LightGBM leaves a sum."""
    cells = _features(estimator, ensemble, block, context)
    forest = Forest()
    for index, tree in enumerate(ensemble.trees):
        _add(forest, tree, index % ensemble.per_iteration)
    iterations = len(ensemble.trees) // ensemble.per_iteration
    context.terms += iterations
    _note(ensemble, cells, context)
    context.forests.append((forest, cells))
    matrix = _zeros_missing(ensemble, context.matrix(cells), len(cells), context)
    total = forest.emit(context.graph, matrix, n_targets=ensemble.per_iteration)
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
        if decision & _CATEGORICAL
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
    """Make everything within `_ZERO` of 0 missing in the features that were trained so (``zero_as_missing``)."""
    limits = np.full(width, -1.0)
    for tree in ensemble.trees:
        for feature, decision in zip(tree.feature, tree.decision, strict=True):
            if decision & _MISSING == _ZERO_MISSING and not decision & _CATEGORICAL:
                limits[feature] = _ZERO
    if (limits < 0).all():
        return matrix
    graph = context.graph
    zero = graph.op("LessOrEqual", graph.op("Abs", matrix), graph.constant(limits))
    return graph.op("Where", zero, graph.constant(np.array(np.nan)), matrix)


def _note(ensemble: Ensemble, cells: tuple[Cell, ...], context: Context) -> None:
    by_feature: dict[int, set[float]] = {}
    for tree in ensemble.trees:
        for feature, threshold, decision in zip(tree.feature, tree.threshold, tree.decision, strict=True):
            if not decision & _CATEGORICAL:
                by_feature.setdefault(feature, set()).add(threshold)
    for feature, values in by_feature.items():
        context.split_on(cells[feature], np.array(sorted(values)))


def _add(forest: Forest, tree: Tree, target: int) -> None:
    leaves = [forest.leaf(target, value) for value in tree.leaf]
    places = [0] * len(tree.feature)
    for node in reversed(range(len(places))):
        left, right = (
            leaves[-1 - child] if child < 0 else places[child] for child in (tree.left[node], tree.right[node])
        )
        if tree.decision[node] & _CATEGORICAL:
            places[node] = forest.member(tree.feature[node], tree.members(node), left, right)
        else:
            places[node] = _numerical(forest, tree, node, left, right)
    forest.root(places[0] if places else leaves[0])


def _numerical(forest: Forest, tree: Tree, node: int, left: int, right: int) -> int:
    feature, threshold = tree.feature[node], tree.threshold[node]
    default_left = bool(tree.decision[node] & _DEFAULT_LEFT)
    # Where a feature never was missing in training, LightGBM takes NaN for 0.
    missing_left = default_left if tree.decision[node] & _MISSING else threshold >= 0.0
    return forest.node(feature, _flushed(threshold), left, right, missing_true=missing_left)


def _flushed(threshold: float) -> float:
    """Move a threshold out of the zone around 0, all of which LightGBM's predictor reads as 0."""
    if -_ZERO <= threshold < 0.0:
        return float(np.nextafter(-_ZERO, -np.inf))
    return _ZERO if 0.0 <= threshold < _ZERO else threshold
