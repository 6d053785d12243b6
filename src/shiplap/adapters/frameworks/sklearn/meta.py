"""Estimators that hand the rows on to one other: searches, frozen ones, selectors that predict, self-training."""

from __future__ import annotations

from typing import Any

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.members import on_columns, plain

__all__ = ["frozen", "frozen_transform", "on_selected", "searched", "searched_transform", "self_trained"]


def frozen(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower what a ``FrozenEstimator`` holds."""
    return _answered(estimator.estimator, block, context, method)


def frozen_transform(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower the transformer that a ``FrozenEstimator`` holds."""
    return context.transformed(estimator.estimator, block, type(estimator.estimator).__name__).pieces


def searched(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower the best estimator that a search found, refitted on all rows."""
    return _answered(_best(estimator, context), block, context, method)


def searched_transform(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower the best transformer that a search found."""
    best = _best(estimator, context)
    return context.transformed(best, block, type(best).__name__).pieces


def _best(estimator: Any, context: Context) -> Any:
    best = getattr(estimator, "best_estimator_", None)
    if best is None:
        raise context.refuse("the search kept no estimator", hint="search with refit=True")
    return best


def self_trained(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower the classifier that ``SelfTrainingClassifier`` fitted last."""
    return _answered(estimator.estimator_, plain(block), context, method)


def on_selected(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``RFE`` and ``RFECV`` that predict: their estimator reads the columns that were kept."""
    kept = estimator.get_support(indices=True)
    return _answered(estimator.estimator_, on_columns(block, kept), context, method)


def _answered(inner: Any, block: Block, context: Context, method: str) -> str:
    return context.response(inner, block, (method,), type(inner).__name__)[0]
