"""Sparse codes over a dictionary: by threshold, and by orthogonal matching pursuit, step by step.

The pursuit: R. Rubinstein, M. Zibulevsky, M. Elad (2008), "Efficient implementation of the K-SVD algorithm using batch
orthogonal matching pursuit".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.pairwise import product

__all__ = ["sparse_code"]

_DOUBLE, _MOST_ATOMS = 11, 12
_EPSILON = float(np.finfo(np.float64).eps)
Doubles = NDArray[np.float64]


def sparse_code(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``SparseCoder``, ``DictionaryLearning`` and ``MiniBatchDictionaryLearning``."""
    coder = type(estimator).__name__ == "SparseCoder"
    atoms = np.asarray(estimator.dictionary if coder else estimator.components_, np.float64)
    graph, tensor = context.graph, context.matrix(block.pieces)
    algorithm = estimator.transform_algorithm
    shares = product(context, tensor, atoms)
    if algorithm == "threshold":
        code = _thresholded(estimator, shares, context)
    elif algorithm == "omp":
        if (estimator.dictionary if coder else estimator.components_).dtype != np.float64:
            raise context.refuse("its pursuit computes in single precision", hint="fit it on float64")
        wanted = estimator.transform_n_nonzero_coefs
        count = int(min(max(atoms.shape[1] / 10, 1), len(atoms)) if wanted is None else wanted)
        if count > _MOST_ATOMS:
            raise context.refuse(f"a pursuit of {count} atoms", hint=f"take at most {_MOST_ATOMS} atoms a row")
        code = _pursued(shares, atoms @ atoms.T, count, context)
    else:
        raise context.refuse(
            f"{algorithm} goes on until it converges", hint="use transform_algorithm='omp' or 'threshold'"
        )
    if estimator.split_sign:
        zero = graph.constant(np.zeros(1))
        sides = graph.op("Max", code, zero), graph.op("Neg", graph.op("Min", code, zero))
        code = graph.op("Concat", *sides, axis=1)
    return context.computed(code, len(atoms) * (1 + estimator.split_sign))


def _thresholded(estimator: Any, shares: str, context: Context) -> str:
    graph = context.graph
    limit = getattr(estimator, "alpha", None) if estimator.transform_alpha is None else estimator.transform_alpha
    zero = graph.constant(np.zeros(1))
    rest = graph.op("Sub", graph.op("Abs", shares), graph.constant(np.array([1.0 if limit is None else float(limit)])))
    code = graph.op("Mul", graph.op("Sign", shares), graph.op("Max", rest, zero))
    return graph.op("Max", code, zero) if estimator.positive_code else code


def _pursued(shares: str, gram: Doubles, count: int, context: Context) -> str:
    """Take the atom that has most of what is left, `count` times, and fit all taken ones again; (n, n_atoms)."""
    graph = context.graph
    zero, tiny = graph.constant(np.zeros(1)), graph.constant(np.array([_EPSILON]))
    positions = graph.constant(np.arange(len(gram), dtype=np.float64)[None, :])
    code, left, taken = graph.op("Mul", shares, zero), shares, []
    going = ""
    for _ in range(count):
        place = graph.op("ArgMax", graph.op("Abs", left), axis=1, keepdims=1)
        best = graph.op("GatherElements", left, place, axis=1)
        goes = graph.op("GreaterOrEqual", graph.op("Mul", best, best), tiny)
        picked = graph.op("Cast", graph.op("Equal", positions, graph.op("Cast", place, to=_DOUBLE)), to=_DOUBLE)
        taken.append(graph.op("Unsqueeze", picked, graph.constant(np.array([1], np.int64))))
        fitted, apart = _fitted(shares, taken, gram, context)
        if apart:
            goes = graph.op("And", goes, graph.op("Greater", apart, tiny))
        going = graph.op("And", going, goes) if going else goes
        code = graph.op("Where", going, fitted, code)
        left = graph.op("Sub", shares, graph.op("MatMul", code, graph.constant(gram)))
    context.terms += count * count
    return code


def _fitted(shares: str, taken: list[str], gram: Doubles, context: Context) -> tuple[str, str]:
    """Fit the atoms taken, by elimination: their code (n, n_atoms), and what is new in the last atom, (n, 1)."""
    graph = context.graph
    chosen = taken[0] if len(taken) == 1 else graph.op("Concat", *taken, axis=1)
    inner = graph.op(
        "MatMul", graph.op("MatMul", chosen, graph.constant(gram)), graph.op("Transpose", chosen, perm=[0, 2, 1])
    )
    column = graph.op("Unsqueeze", shares, graph.constant(np.array([2], np.int64)))
    state = graph.op("Concat", inner, graph.op("MatMul", chosen, column), axis=2)
    apart = ""
    for index in range(len(taken)):
        row = _part(state, index, 1, context)
        pivot = _part(row, index, 2, context)
        apart = pivot if index else ""
        row = graph.op("Div", row, pivot)
        mask = np.ones((1, len(taken), 1))
        mask[0, index] = 0.0
        factor = graph.op("Mul", _part(state, index, 2, context), graph.constant(mask))
        state = graph.op("Where", graph.constant(mask > 0), graph.op("Sub", state, graph.op("Mul", factor, row)), row)
    solved = _part(state, len(taken), 2, context)
    axes = graph.constant(np.array([1], np.int64))
    code = graph.op("ReduceSum", graph.op("Mul", chosen, solved), axes, keepdims=0)
    return code, graph.op("Squeeze", apart, axes) if apart else ""


def _part(tensor: str, index: int, axis: int, context: Context) -> str:
    return context.graph.op("Gather", tensor, context.graph.constant(np.array([index])), axis=axis)
