"""Rows built to break a model: on every threshold and one ulp beside it, missing, unseen, extreme, oddly typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.core.encoding import Category
from shiplap.core.schema import Column
from shiplap.proof.images import image_files, image_texts
from shiplap.proof.numbers import built_numbers, records
from shiplap.proof.subject import Subject
from shiplap.proof.tensors import built_tensors
from shiplap.proof.texts import HARD_TEXTS, made_up_texts, text_operations, words_of

__all__ = ["THRESHOLDS", "Case", "built_rows", "replaced"]

THRESHOLDS = 6_000
"""Thresholds that are tried at most, spread evenly over each column's; each gives three rows."""

_TEXTS = ("\x00never seen\x00", "Ünïcödé 漢字 🚢", "x" * 10_000, "NaN", "None", "0", " ")
_DATES = (
    "1970-01-01 00:00:00",
    "1999-12-31 23:59:59",
    "2000-02-29 12:00:00",
    "2013-01-01 00:00:00",
    "2016-02-29 00:00:01",
    "2024-12-31 23:59:59",
    "2100-03-01 06:30:15",
)
_MOVES: tuple[tuple[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]], ...] = (
    ("on a threshold", lambda values: values),
    ("one ulp below", lambda values: np.nextafter(values, -np.inf)),
    ("one ulp above", lambda values: np.nextafter(values, np.inf)),
)


@dataclass(frozen=True)
class Case:
    """Rows of one kind.

    Parameters
    ----------
    kind : str
        What kind of row.
    frame : DataFrame
        The rows as the original reads them.
    rows : anything a scorer takes
        The same rows as a client sends them to the ship; `frame` itself where that is no difference.
    """

    kind: str
    frame: pd.DataFrame = field(repr=False)
    rows: Any = field(repr=False)

    def part(self, rows: slice) -> Case:
        """Return some of the rows."""
        frame = self.frame.iloc[rows]
        if self.rows is self.frame:
            return Case(self.kind, frame, frame)
        return Case(self.kind, frame, self.rows[rows] if isinstance(self.rows, list) else self.rows.iloc[rows])


def built_rows(subject: Subject, generator: np.random.Generator) -> Iterator[Case]:
    """Yield cases; one that the original refuses is for the caller to skip.

    Parameters
    ----------
    subject : Subject
        What is to be proven.
    generator : numpy.random.Generator
        Chooses the rows that are altered.

    Yields
    ------
    Case
    """
    base = subject.frame.iloc[generator.integers(0, len(subject.frame), 256)].reset_index(drop=True)
    used = [column for column in subject.columns if column.name in subject.lowered.encoding.columns]
    yield from _thresholds(subject, generator)
    yield from _paths(subject, generator)
    here = base.iloc[:24].reset_index(drop=True)
    plain = [column.name for column in used if _is_plain(subject, column, base)]
    if plain:
        yield from (Case(*built) for built in built_numbers(here, plain, subject.lowered.largest))
    for column in used:
        if column.kind == "tensor":
            yield from _tensors(here, column)
            continue
        if column.kind == "image":
            yield from _images(here, column.name, generator)
            continue
        yield from _missing(subject, here, column.name, unmarked=column.name not in plain)
        yield from _tokens(subject, base, column.name, generator)
        if column.kind == "date":
            yield _set("date borders", here, column.name, [pd.Timestamp(text) for text in _DATES])
        elif column.kind in {"category", "text"}:
            yield from _categories(subject, base, column.name)
    yield from _typed(subject, base)


def replaced(frame: pd.DataFrame, columns: dict[str, list[Any]]) -> pd.DataFrame:
    """Return rows with other values in some columns, in dtypes that hold them and that the original knows."""
    return frame.assign(**{name: _column(frame[name], values) for name, values in columns.items()})


def _column(there: pd.Series[Any], values: list[Any]) -> pd.Series[Any]:
    kind = there.dtype
    series: pd.Series[Any] = pd.Series(list(values), index=there.index, dtype=object)
    if isinstance(kind, pd.CategoricalDtype):
        return series.astype("category")
    if kind.kind in "iuf":
        return series.astype("float64")
    if kind.kind == "M" or isinstance(kind, pd.StringDtype):
        return series.astype(kind)
    return series.astype("bool") if kind.kind == "b" and not series.isna().any() else series


def _set(kind: str, base: pd.DataFrame, column: str, values: list[Any]) -> Case:
    rows = base.iloc[np.arange(len(values)) % len(base)].reset_index(drop=True)
    frame = replaced(rows, {column: values})
    return Case(kind, frame, frame)


def _coded(subject: Subject, column: str) -> bool:
    return any(
        isinstance(operation, Category) and operation.column == column
        for operation in subject.lowered.encoding.operations
    )


def _thresholds(subject: Subject, generator: np.random.Generator) -> Iterator[Case]:
    """Put single columns, and then all columns at once, on thresholds and one ulp to either side of them."""
    chosen = _spread(subject.lowered.thresholds)
    total = sum(len(values) for values in chosen.values())
    if not total:
        return
    picks = generator.integers(0, len(subject.frame), total)
    base = _floats(subject.frame.iloc[picks].reset_index(drop=True), chosen)
    for kind, move in _MOVES:
        single = base.copy()
        start = 0
        for column, values in chosen.items():
            moved = single[column].to_numpy(dtype=np.float64, copy=True)
            moved[start : start + len(values)] = move(values)
            single[column] = moved
            start += len(values)
        yield Case(kind, single, single)
        every = base.iloc[: max(256, total // 3)].copy()
        for column, values in chosen.items():
            every[column] = move(generator.choice(values, len(every)))
        yield Case(f"{kind}, all columns", every, every)


def _paths(subject: Subject, generator: np.random.Generator) -> Iterator[Case]:
    """Lead a row to each node of the trees, and compare it there."""
    paths = subject.lowered.paths
    if not paths:
        return
    used = dict.fromkeys(name for path in paths for name in (path.column, *path.bounds))
    picks = generator.integers(0, len(subject.frame), len(paths))
    base = _floats(subject.frame.iloc[picks].reset_index(drop=True), used)
    values = {name: base[name].to_numpy(dtype=np.float64, copy=True) for name in used}
    for row, path in enumerate(paths):
        for name, (low, high) in path.bounds.items():
            if not low < values[name][row] <= high:
                values[name][row] = _between(low, high)
    for kind, move in _MOVES:
        splits = move(np.array([path.split for path in paths]))
        led = {name: column.copy() for name, column in values.items()}
        for row, (path, split) in enumerate(zip(paths, splits, strict=True)):
            led[path.column][row] = split
        frame = base.assign(**led)
        yield Case(f"{kind}, led to its node", frame, frame)


def _between(low: float, high: float) -> float:
    """Return a number above `low` and at most `high`."""
    if not np.isfinite(low):
        return high
    middle = low + abs(low) + 1.0 if high == np.inf else low + (high - low) / 2
    return middle if middle > low else high


def _spread(thresholds: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Take as many thresholds as are tried, from each column in proportion, evenly spread."""
    total = sum(len(values) for values in thresholds.values())
    share = min(1.0, THRESHOLDS / max(total, 1))
    spread = {}
    for column, values in thresholds.items():
        count = max(1, int(len(values) * share))
        spread[column] = values[np.unique(np.linspace(0, len(values) - 1, count).astype(int))]
    return spread


def _floats(frame: pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(columns, "float64"))


def _is_plain(subject: Subject, column: Column, base: pd.DataFrame) -> bool:
    """Tell whether a column holds numbers that are read as numbers, not as codes."""
    return column.kind == "number" and base[column.name].dtype.kind in "iuf" and not _coded(subject, column.name)


def _missing(subject: Subject, base: pd.DataFrame, column: str, *, unmarked: bool) -> Iterator[Case]:
    """Leave a value out: as the frame has it, as None in a dictionary, and as each text that means missing."""
    known = subject.column(column)
    if base[column].dtype.kind == "b" or not (unmarked or known.missing):
        return
    gap = subject.gap(column) if base[column].dtype == object else np.nan
    rows = base.iloc[:4].reset_index(drop=True)
    frame = replaced(rows, {column: [gap] * len(rows)})
    if unmarked:
        yield Case("missing", frame, frame)
    for marker in (*((None,) if unmarked else ()), *known.missing):
        kind = "None" if marker is None else "missing marker"
        yield Case(kind, frame, [{**row, column: marker} for row in records(frame)])


def _tensors(base: pd.DataFrame, column: Column) -> Iterator[Case]:
    for kind, read, sent in built_tensors(base[column.name], column):
        rows = base.iloc[np.arange(len(read)) % len(base)].reset_index(drop=True)
        frame = rows.assign(**{column.name: pd.Series(read, dtype=object)})
        told = [{**row, column.name: value} for row, value in zip(records(frame), sent, strict=True)]
        yield Case(kind, frame, frame if read is sent else told)


def _images(base: pd.DataFrame, column: str, generator: np.random.Generator) -> Iterator[Case]:
    """Send images of every kind, as files and as text."""
    files = list(image_files(generator).values())
    rows = base.iloc[np.arange(len(files)) % len(base)].reset_index(drop=True)
    frame = rows.assign(**{column: pd.Series(files, dtype=object)})
    yield Case("odd images", frame, frame)
    told = zip(records(frame), image_texts(files), strict=True)
    yield Case("images as text", frame, [{**row, column: text} for row, text in told])


def _categories(subject: Subject, base: pd.DataFrame, column: str) -> Iterator[Case]:
    known = _vocabulary(subject, column)
    if known:
        yield _set("every category", base, column, list(known[:1_000]))
    markers = set(subject.column(column).missing)
    texts = [text for text in _TEXTS if text not in markers and text.strip() not in markers]
    if subject.canonical:
        texts = [text for text in texts if text.strip()]
    if all(isinstance(value, str) for value in known):
        yield _set("unseen category", base, column, list(texts))
        rows = base.iloc[:2].reset_index(drop=True)
        frame = replaced(rows, {column: [None if subject.canonical else ""] * 2})
        yield Case("empty text", frame, [{**row, column: ""} for row in records(frame)])


def _tokens(subject: Subject, base: pd.DataFrame, column: str, generator: np.random.Generator) -> Iterator[Case]:
    """Send texts that are hard to cut into tokens, every word alone, and words in texts that nobody wrote."""
    operations = text_operations(subject, column)
    if not operations:
        return
    cases = (
        ("hard texts", HARD_TEXTS),
        ("single words", words_of(operations, 1_000)),
        ("made-up texts", made_up_texts(operations, 200, generator)),
    )
    markers = set(subject.column(column).missing)
    for kind, texts in cases:
        kept = [text for text in texts if text not in markers and (text.strip() or not subject.canonical)]
        if kept:
            yield _set(kind, base, column, list(kept))


def _vocabulary(subject: Subject, column: str) -> tuple[Any, ...]:
    found: dict[Any, None] = {}
    for operation in subject.lowered.encoding.operations:
        if isinstance(operation, Category) and operation.column == column:
            found.update(dict.fromkeys(operation.categories))
    return tuple(value for value in found if value != "")


def _typed(subject: Subject, base: pd.DataFrame) -> Iterator[Case]:
    """Send the same rows in the dtypes that clients use: float32, integers, objects, numbers as text."""
    used = set(subject.lowered.encoding.columns)
    plain = [column.name for column in subject.columns if column.name in used and _is_plain(subject, column, base)]
    if plain:
        narrow = base.assign(**{name: base[name].astype("float32").astype("float64") for name in plain})
        yield Case("float32 columns", narrow, narrow.astype(dict.fromkeys(plain, "float32")))
        whole = base.assign(**{name: base[name].fillna(0).clip(-(2**31), 2**31).round() for name in plain})
        yield Case("integer columns", whole, whole.astype(dict.fromkeys(plain, "int64")))
        yield Case("numbers as text", base, base.assign(**{name: _texts(base[name]) for name in plain}))
    yield Case("object columns", base, base.astype(object))
    yield Case("dictionaries", base, records(base))
    yield Case("no rows", base.iloc[:0], base.iloc[:0])


def _texts(values: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series([None if pd.isna(value) else repr(float(value)) for value in values], values.index, dtype=object)
