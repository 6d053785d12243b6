"""``StackingClassifier`` and ``StackingRegressor``: the answers of the members are the columns of a last one."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.labels import told
from shiplap.adapters.frameworks.sklearn.members import second
from shiplap.adapters.frameworks.sklearn.threshold import decider

__all__ = ["stacked", "stacked_transform"]

_SINGLE_ARRAY = ("ClassifierChain", "StackingClassifier")


def stacked(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a stack: its last estimator reads what the others answer, and the rows themselves where they pass through.

    A classifier's last estimator is fitted on the positions of the classes, which are the columns here. Of several
    labels at once ``predict_proba`` gives the probability that each is absent.
    """
    pieces = stacked_transform(estimator, block, context)
    inner = Block(pieces, lambda frame: np.asarray(estimator.transform(block.evaluate(frame))))
    tensor, _ = context.response(estimator.final_estimator_, inner, (method,), "final_estimator")
    classes = getattr(estimator, "classes_", ())
    if method == "predict_proba" and isinstance(classes, list):
        return context.graph.columns(tensor, _firsts(classes))
    return tensor


def _firsts(classes: list[Any]) -> list[int]:
    """Return where the columns of each target begin."""
    places: list[int] = np.cumsum([0, *(len(labels) for labels in classes[:-1])]).tolist()
    return places


def stacked_transform(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``transform``: the answers side by side, without the first of two probabilities."""
    names = [name for name, member in estimator.estimators if not isinstance(member, str)]
    pieces: list[Piece] = []
    widths = iter(estimator._n_feature_outs)
    for name, member, method in zip(names, estimator.estimators_, estimator.stack_method_, strict=True):
        tensor, _ = context.response(member, block, (method,), name)
        parts = len(member.classes_) if method == "predict_proba" and _is_listed(member) else 1
        width = sum(next(widths) for _ in range(parts))
        pieces.extend(context.computed(_columns(estimator, member, method, tensor, context), width))
    return (*pieces, *block.pieces) if estimator.passthrough else tuple(pieces)


def _is_listed(member: Any) -> bool:
    """Say whether ``predict_proba`` gives a list of one array a target."""
    last = decider(member)
    return isinstance(getattr(last, "classes_", ()), list) and type(last).__name__ not in _SINGLE_ARRAY


def _columns(estimator: Any, member: Any, method: str, tensor: str, context: Context) -> str:
    classes = getattr(member, "classes_", ())
    if method == "predict" and is_classifier(member) and not isinstance(classes, list):
        return told(context, tensor, classes)
    if method != "predict_proba":
        return tensor
    if _is_listed(member):
        firsts = set(_firsts(list(classes)))
        kept = [place for place in range(sum(len(labels) for labels in classes)) if place not in firsts]
        return context.graph.columns(tensor, kept)
    return second(context, tensor) if len(estimator.classes_) == 2 else tensor
