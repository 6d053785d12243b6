"""One model a target, side by side or in a chain: ``sklearn.multioutput``."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.labels import told
from shiplap.adapters.frameworks.sklearn.members import plain, second

__all__ = ["chain", "multi_output"]


def multi_output(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``MultiOutputClassifier`` and ``MultiOutputRegressor``: the answers for each target side by side."""
    columns = []
    for index, member in enumerate(estimator.estimators_):
        name = f"target {index}"
        if method == "predict":
            columns.append(_answer(member, block, method, name, context))
        else:
            columns.append(context.response(member, block, (method,), name)[0])
    return columns[0] if len(columns) == 1 else context.graph.op("Concat", *columns, axis=1)


def chain(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``ClassifierChain`` and ``RegressorChain``: each model reads what those before it said."""
    handed_on = getattr(estimator, "chain_method_", "predict")
    inner = plain(block)
    columns: list[str] = []
    for index, member in enumerate(estimator.estimators_):
        name = f"link {index}"
        columns.append(_answer(member, inner, method, name, context))
        if index + 1 < len(estimator.estimators_):
            said = columns[-1] if handed_on == method else _answer(member, inner, handed_on, name, context)
            inner = _longer(inner, member, handed_on, said, context)
    order = np.argsort(np.asarray(estimator.order_)).tolist()
    placed = [columns[place] for place in order]
    return placed[0] if len(placed) == 1 else context.graph.op("Concat", *placed, axis=1)


def _answer(member: Any, block: Block, method: str, name: str, context: Context) -> str:
    """Return one number a row: a prediction, a score, or the probability of the second class."""
    if method == "predict_log_proba":
        tensor, _ = context.response(member, block, ("predict_proba",), name)
        return context.graph.op("Log", second(context, tensor, tiny=True))
    tensor, _ = context.response(member, block, (method,), name)
    if method == "predict" and is_classifier(member):
        return told(context, tensor, member.classes_)
    return second(context, tensor) if method == "predict_proba" else tensor


def _longer(block: Block, member: Any, method: str, column: str, context: Context) -> Block:
    """Return the block with one column more: what `member`, which reads the block, says."""

    def evaluate(frame: Any) -> Any:
        rows = block.evaluate(frame)
        said = np.asarray(getattr(member, method)(rows))
        return np.column_stack([rows, said[:, 1] if said.ndim == 2 else said])

    return Block((*block.pieces, *context.computed(column, 1)), evaluate)
