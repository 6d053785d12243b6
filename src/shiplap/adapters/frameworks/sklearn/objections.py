"""What a model says of rows that it does not take: which step of it refuses them, and which columns are strange."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, Pipeline

from shiplap.core.errors import RefusedError

__all__ = ["OBJECTIONS", "objection"]

OBJECTIONS = (ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What estimators raise for rows that they do not take."""
_MOST_COLUMNS, _MOST_LETTERS = 3, 200


@dataclass(frozen=True)
class _Place:
    """A step that refuses rows, and its own words for it."""

    path: tuple[str, ...]
    estimator: Any
    rows: Any
    error: Exception

    @property
    def where(self) -> str:
        """The path of the step, which ends with its class."""
        name = type(self.estimator).__name__
        return " > ".join(self.path if name in self.path[-1:] else (*self.path, name))


def objection(model: Any, rows: Any, error: Exception) -> RefusedError:
    """Return the error that says which step refuses the rows, why, and what its columns hold.

    Parameters
    ----------
    model : estimator
        What was asked.
    rows : DataFrame or array
        What it was asked about.
    error : Exception
        What it raised.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> model = Ridge().fit(pd.DataFrame({"age": [1.0, 2.0]}), [1.0, 2.0])
    >>> print(objection(model, pd.DataFrame({"age": ["old"]}), ValueError("could not convert 'old'")))
    Ridge itself refuses the rows: could not convert 'old'; column 'age' holds texts (give rows like those ...)
    """
    place = _deepest(_Place((), model, rows, error))
    if isinstance(place.error, NotFittedError):
        return RefusedError(
            f"{place.where}: {type(place.estimator).__name__} is not fitted",
            hint="call fit of the whole model before packing",
        )
    said = _first_sentence(str(place.error))
    held = "; ".join([said, *_strange(place)])
    precise = "fit it on numbers of double precision" if "Buffer dtype" in said else ""
    return RefusedError(
        f"{place.where} itself refuses the rows: {held}",
        hint=precise or "give rows like those it was fitted on: the same columns, each with the same type of value",
    )


def _deepest(place: _Place) -> _Place:
    """Return the innermost step that refuses its rows."""
    for name, step, rows in _steps(place):
        try:
            (step.transform if hasattr(step, "transform") else step.predict)(rows)
        except OBJECTIONS as error:
            return _deepest(_Place((*place.path, name), step, rows, error))
    return place


def _steps(place: _Place) -> Iterator[tuple[str, Any, Any]]:
    """Yield the steps within a step with what each reads; after one that refuses its rows nothing more is asked."""
    model, rows = place.estimator, place.rows
    if isinstance(model, Pipeline):
        for name, step in model.steps:
            if step is None or isinstance(step, str):
                continue
            yield name, step, rows
            rows = step.transform(rows) if hasattr(step, "transform") else rows
    elif isinstance(model, ColumnTransformer) and isinstance(rows, pd.DataFrame):
        for name, step, columns in getattr(model, "transformers_", ()):
            if not isinstance(step, str):
                yield name, step, _taken(rows, columns)
    elif isinstance(model, FeatureUnion):
        yield from ((name, step, rows) for name, step in model.transformer_list if not isinstance(step, str))


def _taken(rows: pd.DataFrame, columns: Any) -> Any:
    names = [columns] if np.isscalar(columns) else columns
    named = isinstance(names, slice) or all(isinstance(name, str) for name in names)
    return rows.loc[:, columns] if named and not isinstance(columns, slice) else rows.iloc[:, columns]


def _first_sentence(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "it does not say why")
    return " ".join(re.split(r"\.\s", line)[0].split()).rstrip(".:")[:_MOST_LETTERS]


def _strange(place: _Place) -> list[str]:
    """Say what the columns hold that the step may not take."""
    if not isinstance(place.rows, pd.DataFrame):
        return []
    if (found := re.search(r"in column (\d+)", str(place.error))) and int(found[1]) < place.rows.shape[1]:
        return [f"that is column '{place.rows.columns[int(found[1])]}'"]
    encodes = hasattr(place.estimator, "categories_")
    held = ((name, _held(place.rows[name], encodes=encodes)) for name in place.rows.columns)
    return [f"column '{name}' holds {what}" for name, what in held if what][:_MOST_COLUMNS]


def _held(column: pd.Series[Any], *, encodes: bool) -> str:
    """Say what a column holds, if a step that computes with numbers would not take it."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        if column.isna().any():
            return "missing values"
        if not np.isfinite(column.to_numpy(dtype=np.float64)).all():
            return "infinite numbers"
        return str(column.dtype) if encodes else ""
    present = column.dropna()
    if len(present) and all(isinstance(value, str) for value in present):
        return "texts"
    return str(column.dtype) if len(present) else "missing values"
