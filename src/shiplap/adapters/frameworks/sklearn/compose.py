"""Steps that hold steps: ``Pipeline``, ``ColumnTransformer``, ``FeatureUnion``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context, Piece
from shiplap.adapters.frameworks.sklearn.text import narrowed

__all__ = ["column_transformer", "feature_union", "predict_pipeline", "transform_pipeline"]


def transform_pipeline(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower a ``Pipeline`` that transforms."""
    return _through(estimator.steps, block, context).pieces


def predict_pipeline(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a ``Pipeline`` that predicts."""
    last, wanted = narrowed(estimator.steps)
    context.wanted = wanted
    inner = _through(estimator.steps[:-1], block, context)
    context.wanted = None
    if wanted is not None:
        everything = inner.evaluate
        inner = Block(inner.pieces, lambda frame: everything(frame)[:, wanted])
    return context.response(last, inner, (method,), estimator.steps[-1][0])[0]


def _through(steps: list[tuple[str, Any]], block: Block, context: Context) -> Block:
    for name, step in steps:
        if step is not None and not (isinstance(step, str) and step == "passthrough"):
            block = context.transformed(step, block, name)
    return block


def column_transformer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower a ``ColumnTransformer``; columns go by name where it was fitted on names."""
    pieces: list[Piece] = []
    weights = estimator.transformer_weights or {}
    for name, step, spec in estimator.transformers_:
        chosen = [int(index) for index in estimator._transformer_to_input_indices[name]]
        if not chosen or (isinstance(step, str) and step == "drop"):
            continue
        positions = _positions(estimator, chosen, block, context)
        part = Block(
            block.take(positions),
            _selection(block, positions, flat=isinstance(spec, str | int | np.integer)),
            tuple(block.names[position] for position in positions) if block.names else (),
        )
        if not isinstance(step, str):
            part = context.transformed(step, part, name)
        weight = weights.get(name)
        pieces.extend(part.pieces if weight is None else _weighted(part.pieces, float(weight), context))
    return tuple(pieces)


def _positions(estimator: Any, chosen: list[int], block: Block, context: Context) -> list[int]:
    """Find the columns, which stand as they did in `fit`, where they stand now."""
    fitted = getattr(estimator, "feature_names_in_", None)
    if fitted is None or not block.names:
        return chosen
    missing = [fitted[index] for index in chosen if fitted[index] not in block.names]
    if missing:
        raise context.refuse(f"the data has no column '{missing[0]}'", hint="give rows with the columns of `fit`")
    return [block.names.index(fitted[index]) for index in chosen]


def _selection(block: Block, positions: list[int], *, flat: bool) -> Callable[[Any], Any]:
    """Return what gives a step its columns: one alone is one-dimensional, which vectorizers of texts need."""
    chosen: Any = positions[0] if flat else positions

    def select(frame: Any) -> Any:
        values = block.evaluate(frame)
        return values.iloc[:, chosen] if hasattr(values, "iloc") else values[:, chosen]

    return select


def feature_union(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower a ``FeatureUnion``: every part reads the same columns; weights multiply."""
    weights = estimator.transformer_weights or {}
    pieces: list[Piece] = []
    for name, step in estimator.transformer_list:
        if isinstance(step, str) and step == "drop":
            continue
        part = block.pieces
        if not isinstance(step, str):
            part = context.transformed(step, block, name).pieces
        weight = weights.get(name)
        pieces.extend(part if weight is None else _weighted(part, float(weight), context))
    return tuple(pieces)


def _weighted(pieces: tuple[Piece, ...], weight: float, context: Context) -> tuple[Piece, ...]:
    tensor = context.graph.op("Mul", context.matrix(pieces), context.graph.constant(np.array([weight])))
    return context.computed(tensor, len(pieces))
