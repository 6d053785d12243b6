"""``SimpleImputer`` and ``MissingIndicator``: numbers are filled in the graph, categories in the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.core.encoding import Category

__all__ = ["indicators", "missing", "missing_indicator", "simple_imputer"]

_DOUBLE = 11
_TEXTS = {"category", "text"}


def simple_imputer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``SimpleImputer`` with any strategy and with ``add_indicator``.

    Columns without any observed value are left out, as the estimator does unless ``keep_empty_features``.
    """
    statistics = estimator.statistics_
    kept = [
        index
        for index, value in enumerate(statistics)
        if estimator.keep_empty_features or not (isinstance(value, float) and np.isnan(value))
    ]
    pieces = _indicated(estimator, block, context)
    if any(isinstance(statistics[index], str) for index in kept):
        return (*_texts(estimator, block, context, kept), *pieces)
    cells = context.cells([block.pieces[index] for index in kept])
    if not cells:
        return pieces
    graph, tensor = context.graph, context.matrix(cells)
    # They are cast to the precision of the fit when they fill.
    values = np.array([statistics[index] for index in kept]).astype(estimator._fill_dtype).astype(np.float64)
    filled = graph.op("Where", missing(tensor, estimator.missing_values, context), graph.constant(values), tensor)
    return (*context.computed(filled, len(cells), origins=[cell.origin for cell in cells]), *pieces)


def missing_indicator(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``MissingIndicator``: 1 where a value is missing, of all columns or of those that missed one in `fit`."""
    return indicators(block, [int(index) for index in estimator.features_], estimator.missing_values, context)


def _indicated(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    if not estimator.add_indicator:
        return ()
    features = [int(index) for index in estimator.indicator_.features_]
    return indicators(block, features, estimator.missing_values, context)


def indicators(block: Block, features: Sequence[int], marker: Any, context: Context) -> tuple[Cell, ...]:
    """Return a column for each of `features`, 1 where it misses a value; texts are asked in the encoder."""
    cells: list[Cell] = []
    for index in features:
        piece = block.pieces[index]
        if isinstance(piece, Raw) and piece.fill is None and context.source(piece).kind in _TEXTS:
            _gap(marker, context)
            cells.extend(_text_indicator(piece, context))
            continue
        gone = context.graph.op("Cast", missing(context.matrix((piece,)), marker, context), to=_DOUBLE)
        cells.extend(context.computed(gone, 1, integral=True))
    return tuple(cells)


def _text_indicator(piece: Raw, context: Context) -> tuple[Cell, ...]:
    """Ask the encoder; to the original an empty text is a value, unless its rows come from a table."""
    column = context.source(piece)
    known = not context.canonical
    return context.category(
        Category(
            column=column.name,
            missing=column.missing,
            categories=("",) if known else (),
            values=((0.0,),) if known else (),
            if_missing=(1.0,),
            if_unseen=(0.0,),
        )
    )


def missing(tensor: str, marker: Any, context: Context) -> str:
    """Return where a matrix holds the number, or the absence of one, that an imputer takes for missing."""
    graph = context.graph
    if marker is None or _is_pandas_na(marker) or (isinstance(marker, float) and np.isnan(marker)):
        return graph.op("IsNaN", tensor)
    if isinstance(marker, str):
        raise context.refuse(f"missing_values={marker!r} among numbers", hint="use numpy.nan")
    return graph.op("Equal", tensor, graph.constant(np.array([float(marker)])))


def _gap(marker: Any, context: Context) -> None:
    """Make sure that what an imputer takes for missing in a column of texts is missing to the encoder."""
    if not (marker is None or _is_pandas_na(marker) or (isinstance(marker, float) and np.isnan(marker))):
        raise context.refuse(f"missing_values={marker!r} is not a missing value to the encoder", hint="use numpy.nan")


def _texts(estimator: Any, block: Block, context: Context, kept: list[int]) -> tuple[Piece, ...]:
    _gap(estimator.missing_values, context)
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
