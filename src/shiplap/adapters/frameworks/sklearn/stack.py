"""``StackingClassifier`` and ``StackingRegressor``: the answers of the members are the columns of a last one."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.labels import told
from shiplap.adapters.frameworks.sklearn.members import second

__all__ = ["stacked", "stacked_transform"]


def stacked(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a stack: its last estimator reads what the others answer, and the rows themselves where they pass through.

    A classifier's last estimator is fitted on the positions of the classes, which are the columns here.
    """
    pieces = stacked_transform(estimator, block, context)
    inner = Block(pieces, lambda frame: np.asarray(estimator.transform(block.evaluate(frame))))
    return context.response(estimator.final_estimator_, inner, (method,), "final_estimator")[0]


def stacked_transform(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``transform``: the answers side by side, without the first of two probabilities."""
    names = [name for name, member in estimator.estimators if not isinstance(member, str)]
    pieces: list[Piece] = []
    for name, member, method, width in zip(
        names, estimator.estimators_, estimator.stack_method_, estimator._n_feature_outs, strict=True
    ):
        tensor, _ = context.response(member, block, (method,), name)
        pieces.extend(context.computed(_columns(estimator, member, method, tensor, context), width))
    return (*pieces, *block.pieces) if estimator.passthrough else tuple(pieces)


def _columns(estimator: Any, member: Any, method: str, tensor: str, context: Context) -> str:
    classes = getattr(member, "classes_", ())
    if method == "predict" and is_classifier(member) and not isinstance(classes, list):
        return told(context, tensor, classes)
    if method != "predict_proba":
        return tensor
    if isinstance(classes, list):
        firsts = set(np.cumsum([0, *(len(labels) for labels in classes)]).tolist())
        kept = [place for place in range(sum(len(labels) for labels in classes)) if place not in firsts]
        return context.graph.columns(tensor, kept)
    return second(context, tensor) if len(estimator.classes_) == 2 else tensor
