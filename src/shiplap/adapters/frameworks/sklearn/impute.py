"""``SimpleImputer``: numbers are filled in the graph, categories in the encoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw

__all__ = ["simple_imputer"]


def simple_imputer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``SimpleImputer`` with any strategy and with ``add_indicator``.

    Columns without any observed value are left out, as the estimator does unless ``keep_empty_features``.
    """
    marker = estimator.missing_values
    if not (marker is None or (isinstance(marker, float) and np.isnan(marker)) or _is_pandas_na(marker)):
        raise context.refuse(f"missing_values={marker!r} is not a missing value to the encoder", hint="use numpy.nan")
    statistics = estimator.statistics_
    kept = [
        index
        for index, value in enumerate(statistics)
        if estimator.keep_empty_features or not (isinstance(value, float) and np.isnan(value))
    ]
    if any(isinstance(statistics[index], str) for index in kept):
        return _texts(estimator, block, context, kept)
    cells = context.cells(block.pieces)
    missing = context.graph.op("IsNaN", context.matrix(cells))
    filled = _filled(cells, [float(statistics[index]) for index in kept], kept, context)
    return (*filled, *_indicators(estimator, missing, context))


def _filled(cells: tuple[Cell, ...], values: list[float], kept: list[int], context: Context) -> tuple[Cell, ...]:
    chosen = tuple(cells[index] for index in kept)
    if not chosen:
        return ()
    tensor = context.matrix(chosen)
    graph = context.graph
    output = graph.op("Where", graph.op("IsNaN", tensor), graph.constant(np.array(values, np.float64)), tensor)
    return context.computed(output, len(chosen), origins=[cell.origin for cell in chosen])


def _indicators(estimator: Any, missing: str, context: Context) -> tuple[Cell, ...]:
    if not estimator.add_indicator or not len(estimator.indicator_.features_):
        return ()
    features = [int(index) for index in estimator.indicator_.features_]
    tensor = context.graph.op("Cast", context.graph.columns(missing, features), to=_DOUBLE)
    return context.computed(tensor, len(features), integral=True)


def _texts(estimator: Any, block: Block, context: Context, kept: list[int]) -> tuple[Piece, ...]:
    if estimator.add_indicator:
        raise context.refuse("add_indicator on columns of text", hint="impute text columns without an indicator")
    pieces: list[Piece] = []
    for index in kept:
        piece = block.pieces[index]
        if not isinstance(piece, Raw):
            raise context.refuse("a text fills a column of numbers", hint="impute before encoding")
        value = estimator.statistics_[index]
        pieces.append(piece if piece.fill is not None else Raw(piece.name, str(value)))
    return tuple(pieces)


def _is_pandas_na(value: Any) -> bool:
    return type(value).__name__ == "NAType"


_DOUBLE = 11
