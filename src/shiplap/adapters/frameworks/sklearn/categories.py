"""Encoders of categories: the fitted encoder itself is asked what it makes of each value, once.

A function of one category is a finite table, so the table is read off the estimator: whatever its options for rare,
dropped, missing and unseen values, the answer is its own.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece
from shiplap.core.encoding import Category

__all__ = ["one_hot_encoder", "ordinal_encoder", "target_encoder"]

_DOUBLE = 11
_UNSEEN = "\x00never seen\x00"


@dataclass(frozen=True)
class _Table:
    """What an encoder makes of one column: a row of numbers for each category, for missing and for unseen."""

    categories: tuple[str | float, ...]
    rows: NDArray[np.float64]
    missing: NDArray[np.float64]
    unseen: NDArray[np.float64]


def ordinal_encoder(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``OrdinalEncoder``: codes, written by the encoder."""
    return _written(_tables(estimator, block, context), block, context)


def target_encoder(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``TargetEncoder``: the encodings, written by the encoder; one number a class when there are many."""
    return _written(_tables(estimator, block, context), block, context)


def one_hot_encoder(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``OneHotEncoder``: the encoder writes one code a column, the graph compares it with each position."""
    codes: list[Cell] = []
    positions: list[int] = []
    compared: list[float] = []
    for index, table in enumerate(_tables(estimator, block, context)):
        width = table.rows.shape[1]
        if width == 0:
            continue
        hot = np.vstack([table.rows, table.missing, table.unseen])
        if not (np.isin(hot, (0.0, 1.0)) | np.isnan(hot)).all() or np.nansum(hot, axis=1).max() > 1:
            raise context.refuse("a category does not become one 1 among 0s", hint="use the encoder's own defaults")
        coded = [_code(row) for row in hot]
        numbers = _Table(table.categories, np.array(coded[:-2])[:, None], np.array(coded[-2:-1]), np.array(coded[-1:]))
        cell = _cell(numbers, block.pieces[index], context)[0]
        positions += [len(codes)] * width
        compared += [float(place) for place in range(width)]
        codes.append(cell)
    if not codes:
        return ()
    graph = context.graph
    spread = graph.columns(context.matrix(codes), positions)
    tensor = graph.op("Cast", graph.op("Equal", spread, graph.constant(np.array(compared))), to=_DOUBLE)
    return context.computed(tensor, len(compared), integral=True)


def _code(row: NDArray[np.float64]) -> float:
    """Return the place of the 1, and -1 where there is none (nothing is equal to it)."""
    return float(np.argmax(row)) if np.nansum(row) else -1.0


def _written(tables: list[_Table], block: Block, context: Context) -> tuple[Piece, ...]:
    return tuple(
        cell for table, piece in zip(tables, block.pieces, strict=True) for cell in _cell(table, piece, context)
    )


def _cell(table: _Table, piece: Piece, context: Context) -> tuple[Cell, ...]:
    """Write one column's table into the encoder, or look it up in the graph where the column is already a number."""
    if isinstance(piece, Cell):
        return _looked_up(table, piece, context)
    column = context.source(piece)
    if column.kind == "boolean":
        return _looked_up(table, context.number(piece), context)
    if piece.fill is not None:
        known = dict(zip(table.categories, table.rows, strict=True))
        table = replace(table, missing=known.get(piece.fill, table.unseen))
    table = _with_empty(table, context)
    plain = table.rows.shape[1] == 1 and np.array_equal(table.rows[:, 0], np.arange(len(table.rows)))
    return context.category(
        Category(
            column=column.name,
            missing=column.missing,
            categories=table.categories,
            values=() if plain else tuple(_plain(row) for row in table.rows),
            if_missing=_plain(table.missing),
            if_unseen=_plain(table.unseen),
        )
    )


def _with_empty(table: _Table, context: Context) -> _Table:
    """Keep an empty text apart from a missing value, where the estimator does and the rows come as they are.

    To the encoder an empty text is missing unless it is a category: so it becomes one, with the fate of the unseen.
    """
    texts = any(isinstance(category, str) for category in table.categories)
    same = np.array_equal(table.missing, table.unseen, equal_nan=True)
    if context.canonical or not texts or same or "" in table.categories:
        return table
    return _Table((*table.categories, ""), np.vstack([table.rows, table.unseen]), table.missing, table.unseen)


def _looked_up(table: _Table, cell: Cell, context: Context) -> tuple[Cell, ...]:
    if any(isinstance(category, str) for category in table.categories):
        raise context.refuse("categories are text but the column is a number here", hint="encode before computing")
    graph = context.graph
    tensor = context.matrix((cell,))
    result = graph.constant(table.unseen[None, :])
    for category, row in zip(table.categories, table.rows, strict=True):
        equal = graph.op("Equal", tensor, graph.constant(np.array([category], np.float64)))
        result = graph.op("Where", equal, graph.constant(row[None, :]), result)
    result = graph.op("Where", graph.op("IsNaN", tensor), graph.constant(table.missing[None, :]), result)
    return context.computed(result, table.rows.shape[1])


def _plain(row: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in row)


def _tables(estimator: Any, block: Block, context: Context) -> list[_Table]:
    """Ask the encoder about every category of every column, about missing and about unseen."""
    known = [_known(np.asarray(categories), context) for categories in estimator.categories_]
    longest = max((len(values) for values in known), default=0)
    frame = pd.DataFrame(
        {
            _name(estimator, index): _column(values, longest, estimator.categories_[index])
            for index, values in enumerate(known)
        }
    )
    rows = _transform(estimator, frame)
    edges = np.cumsum([0, *_widths(estimator, rows.shape[1])])
    tables = []
    for index, values in enumerate(known):
        part = slice(int(edges[index]), int(edges[index + 1]))
        missing, unseen = _edges(estimator, frame, index, part, context)
        tables.append(_Table(values, rows[: len(values), part], missing, unseen))
    return tables


def _name(estimator: Any, index: int) -> Any:
    names = getattr(estimator, "feature_names_in_", None)
    return index if names is None else names[index]


def _known(categories: NDArray[Any], context: Context) -> tuple[str | float, ...]:
    present = [value for value in categories.tolist() if not pd.isna(value)]
    if all(isinstance(value, str) for value in present):
        return tuple(present)
    if all(isinstance(value, (int, float, bool)) for value in present):
        numbers = tuple(float(value) for value in present)
        if len(set(numbers)) < len(numbers):
            raise context.refuse("whole numbers beyond 2**53 are categories", hint="make them text before fitting")
        return numbers
    raise context.refuse("a column's categories mix texts and other things", hint="make them all text before fitting")


def _column(values: tuple[str | float, ...], length: int, categories: Any) -> Any:
    padded = [*values, *[values[0] if values else None] * (length - len(values))]
    kind = np.asarray(categories).dtype
    return pd.Series(padded, dtype=object if kind.kind in "OU" else kind)


def _edges(
    estimator: Any, frame: pd.DataFrame, index: int, part: slice, context: Context
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a missing and an unseen value become; NaN where the encoder itself refuses them."""
    known = np.asarray(estimator.categories_[index]).tolist()
    gaps = [None if value is None else np.nan for value in known if pd.isna(value)] or [np.nan]
    text = any(isinstance(value, str) for value in known)
    unseen: Any = _UNSEEN if text else max((float(value) for value in known if not pd.isna(value)), default=0.0) + 1.0
    missing, *others, new = (_answer(estimator, frame, index, part, value) for value in (*gaps, unseen))
    if any(not np.array_equal(missing, other, equal_nan=True) for other in others):
        raise context.refuse(
            f"it tells None from NaN in column '{frame.columns[index]}', and clients send one kind of missing value",
            hint="make one of them the other before fitting: X.where(X.notna(), None)",
        )
    return missing, new


def _answer(estimator: Any, frame: pd.DataFrame, index: int, part: slice, value: Any) -> NDArray[np.float64]:
    objects = np.asarray(estimator.categories_[index]).dtype.kind in "OU"
    probe = frame.iloc[:1].astype({frame.columns[index]: object if objects else np.float64})
    probe.iloc[0, index] = value
    try:
        return _transform(estimator, probe)[0, part]
    except ValueError:
        return np.full(part.stop - part.start, np.nan)


def _transform(estimator: Any, frame: pd.DataFrame) -> NDArray[np.float64]:
    data: Any = frame
    if not hasattr(estimator, "feature_names_in_") and frame.shape[1]:
        data = frame.set_axis(range(frame.shape[1]), axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        answer: Any = estimator.transform(data)
    dense = answer.toarray() if hasattr(answer, "toarray") else answer
    return np.asarray(dense, dtype=np.float64)


def _widths(estimator: Any, total: int) -> list[int]:
    outs = getattr(estimator, "_n_features_outs", None)
    if outs is not None:
        return [int(width) for width in outs]
    return [total // len(estimator.categories_)] * len(estimator.categories_)
