"""Made-up rows: no value of a customer in them, so they may travel with the ship."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.core.certificate import Sent
from shiplap.core.encoding import Category
from shiplap.core.schema import Column
from shiplap.proof.images import image_files, image_texts
from shiplap.proof.subject import Subject
from shiplap.proof.tensors import made_up_tensors
from shiplap.proof.texts import made_up_texts, text_operations

__all__ = ["made_up_rows", "sendable"]

_SPAN_DAYS = 3_650
_UNSEEN = "never seen"
_MADE_UP_TEXTS = 300


def made_up_rows(
    subject: Subject, n_rows: int, generator: np.random.Generator, *, plain: bool = False
) -> list[dict[str, Any]]:
    """Draw rows column by column: thresholds and their neighbours, the vocabulary, dates, missing and unseen values.

    Parameters
    ----------
    subject : Subject
        What is to be proven.
    n_rows : int
        How many rows.
    generator : numpy.random.Generator
        Source of chance.
    plain : bool
        Without missing and unseen values, for an original that refuses them.

    Returns
    -------
    list of dict
        One dictionary a row: float, str, ``datetime``, bool, or None. Private columns hold made-up values only.
    """
    used = [column for column in subject.columns if column.name in subject.lowered.encoding.columns]
    drawn = {column.name: _draw(subject, column, n_rows, generator, plain=plain) for column in used}
    return [{name: values[index] for name, values in drawn.items()} for index in range(n_rows)]


def _draw(subject: Subject, column: Column, n_rows: int, generator: np.random.Generator, *, plain: bool) -> list[Any]:
    pool = _pool(subject, column, generator)
    if plain:
        pool = _ordinary(pool, subject.frame[column.name])
    picks = generator.integers(0, len(pool), n_rows)
    missing = generator.random(n_rows) < (0.1 if not plain and _may_miss(subject, column) else 0.0)
    return [None if gap else pool[pick] for gap, pick in zip(missing, picks, strict=True)]


def _ordinary(pool: list[Any], values: pd.Series[Any]) -> list[Any]:
    """Leave out what an original may refuse: unseen texts, and what is no index where the data holds indices."""
    known = [value for value in pool if not (isinstance(value, str) and value == _UNSEEN)]
    if values.dtype.kind in "iu" and all(isinstance(value, float) for value in known):
        known = [float(np.clip(round(value), values.min(), values.max())) for value in known]
    return known or pool


def _may_miss(subject: Subject, column: Column) -> bool:
    return subject.canonical or bool(subject.frame[column.name].isna().any())


def _pool(subject: Subject, column: Column, generator: np.random.Generator) -> list[Any]:
    name = column.name
    vocabulary = [
        value
        for operation in subject.lowered.encoding.operations
        if isinstance(operation, Category) and operation.column == name
        for value in operation.categories
        if value != ""
    ]
    if column.kind == "boolean":
        return [True, False]
    if column.kind == "image":  # decoders of JPEG differ in the last digit from version to version: these rows travel
        return [file for name, file in image_files(generator).items() if "jpeg" not in name]
    if operations := text_operations(subject, name):
        known = [] if name in subject.private else vocabulary
        return [_UNSEEN, *known, *made_up_texts(operations, _MADE_UP_TEXTS, generator)]
    if vocabulary:
        unseen = [_UNSEEN] if isinstance(vocabulary[0], str) else []
        return [*unseen, *([] if name in subject.private else vocabulary)] or [None]
    if column.kind == "tensor":
        return made_up_tensors(subject.frame[name], column, generator)
    if column.kind == "date":
        return _moments(subject.frame[name], generator)
    return [float(value) for value in _numbers(subject, name)]


def _numbers(subject: Subject, name: str) -> NDArray[np.float64]:
    """Return the model's own thresholds and their neighbours, and a grid over the usual range of the column."""
    values = subject.lowered.thresholds.get(name, np.empty(0))
    near = [values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf)]
    column = pd.to_numeric(subject.frame[name], errors="coerce")
    middle, spread = float(column.mean()), float(column.std())
    if not (math.isfinite(middle) and math.isfinite(spread)):
        middle, spread = 0.0, 1.0
    grid = np.array([float(f"{middle + step * spread:.3g}") for step in np.linspace(-2, 2, 17)])
    return np.concatenate([*near, grid])


def _moments(values: pd.Series[Any], generator: np.random.Generator) -> list[Any]:
    """Return whole seconds of the years around the data, and the borders of days, months and years among them."""
    present = pd.to_datetime(values.dropna())
    year = int(present.min().year) if len(present) else 2000
    start = pd.Timestamp(year=max(year, 1971), month=1, day=1, tz=present.dt.tz)
    seconds = generator.integers(0, _SPAN_DAYS * 86_400, 200)
    drawn = [(start + pd.Timedelta(seconds=int(second))).to_pydatetime() for second in seconds]
    borders = [start, start - pd.Timedelta(seconds=1), start + pd.DateOffset(months=2) - pd.Timedelta(seconds=1)]
    return [*drawn, *(moment.to_pydatetime() for moment in borders)]


def sendable(value: Any) -> Sent:
    """Return a value as it is written into a certificate: dates as ISO 8601 text, infinities as text, missing as None.

    Examples
    --------
    >>> sendable(float("-inf")), sendable(float("nan")), sendable(2.5), sendable(pd.Timestamp("2013-01-01"))
    ('-inf', None, 2.5, '2013-01-01T00:00:00')
    """
    if isinstance(value, bytes):
        return str(image_texts([value])[0])
    if isinstance(value, np.ndarray):
        return [sendable(part) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return None
    if isinstance(value, (int, float, np.number)):
        number = float(value)
        return number if math.isfinite(number) else str(number)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)
