"""``score_samples`` of decompositions: the logarithm of a normal density."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.extmath import fast_logdet

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.pairwise import product

__all__ = ["normal_likelihood", "pseudo_likelihood"]


def normal_likelihood(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``score_samples`` of ``PCA`` and ``FactorAnalysis``."""
    del method
    graph = context.graph
    precision = np.asarray(estimator.get_precision(), np.float64)
    apart = graph.op("Sub", context.matrix(block.pieces), graph.constant(np.asarray(estimator.mean_, np.float64)))
    squares = graph.op("Mul", apart, product(context, apart, precision.T))
    context.terms += len(precision)
    total = graph.op("ReduceSum", squares, graph.constant(np.array([1], np.int64)), keepdims=1)
    constant = 0.5 * (len(precision) * np.log(2.0 * np.pi) - fast_logdet(precision))
    halved = graph.op("Mul", total, graph.constant(np.array([-0.5])))
    return graph.op("Sub", halved, graph.constant(np.array([float(constant)])))


def pseudo_likelihood(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Refuse ``score_samples`` of ``BernoulliRBM``.

    Raises
    ------
    RefusedError
        Always.
    """
    del estimator, block, method
    raise context.refuse("it flips a bit of each row by chance", hint="ask for method='transform'")
