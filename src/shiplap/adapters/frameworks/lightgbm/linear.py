"""Trees whose leaves hold linear models (``linear_tree``).

Shi et al. (2019), "Gradient boosting with piece-wise linear regression trees", IJCAI.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lightgbm.booster import Ensemble, LinearLeaf
from shiplap.adapters.frameworks.lightgbm.nodes import leaf_places
from shiplap.adapters.frameworks.lowering import Context
from shiplap.adapters.frameworks.trees import Forest

__all__ = ["linear_sum"]

_INT64, _INT32, _BOOL = 7, 6, 9


def linear_sum(ensemble: Ensemble, matrix: str, routed: str, width: int, context: Context) -> tuple[Forest, str]:
    """Add up the linear models of the leaves that a row falls into.

    Parameters
    ----------
    ensemble : Ensemble
        The model.
    matrix, routed : str
        The features as they are, which the leaves compute with; and as the nodes compare them.
    width : int
        How many features there are.
    context : Context
        Where nodes are written to.

    Returns
    -------
    forest : Forest
        Tells the leaves.
    total : str
        Double matrix of shape (n_rows, n_outputs).
    """
    graph = context.graph
    forest = leaf_places(ensemble)
    n_trees, per = len(ensemble.trees), ensemble.per_iteration
    leaves = graph.op("Cast", forest.emit(graph, routed, n_targets=n_trees), to=_INT64)
    constants, plain, coefficients, features = _tables(ensemble, width)
    most = coefficients.shape[1]
    context.terms += n_trees * most
    shape = graph.constant(np.array([-1, n_trees, most], np.int64))
    flat = graph.constant(np.array([-1, n_trees * most], np.int64))
    # One column of zeros stands behind the features: leaves with fewer of them than others read it.
    first = graph.columns(matrix, [0])
    zeros = graph.op("Where", graph.op("IsNaN", first), *[graph.constant(np.zeros(1))] * 2)
    wide = graph.op("Concat", matrix, zeros, axis=1)
    wanted = graph.op("Reshape", graph.op("Gather", graph.constant(features), leaves, axis=0), flat)
    values = graph.op("Reshape", graph.op("GatherElements", wide, wanted, axis=1), shape)
    products = graph.op("Mul", values, graph.op("Gather", graph.constant(coefficients), leaves, axis=0))
    last = graph.constant(np.array([2], np.int64))
    sums = graph.op(
        "Add",
        graph.op("Gather", graph.constant(constants), leaves, axis=0),
        graph.op("ReduceSum", products, last, keepdims=0),
    )
    gaps = graph.op("ReduceMax", graph.op("Cast", graph.op("IsNaN", values), to=_INT32), last, keepdims=0)
    fallback = graph.op("Gather", graph.constant(plain), leaves, axis=0)
    answers = graph.op("Where", graph.op("Cast", gaps, to=_BOOL), fallback, sums)
    by_output = graph.op("Reshape", answers, graph.constant(np.array([-1, n_trees // per, per], np.int64)))
    return forest, graph.op("ReduceSum", by_output, graph.constant(np.array([1], np.int64)), keepdims=0)


def _tables(
    ensemble: Ensemble, width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return, leaf by leaf: the constant, the answer where a feature is missing, coefficients and their features."""
    models = [
        model for tree in ensemble.trees for model in tree.linear or [LinearLeaf(value, [], []) for value in tree.leaf]
    ]
    plain = np.array([value for tree in ensemble.trees for value in tree.leaf])
    most = max(1, *(len(model.features) for model in models))
    coefficients, places = np.zeros((len(models), most)), np.full((len(models), most), width, np.int64)
    for row, model in enumerate(models):
        coefficients[row, : len(model.features)], places[row, : len(model.features)] = (
            model.coefficients,
            model.features,
        )
    return np.array([model.constant for model in models]), plain, coefficients, places
