"""`Feature`: what is counted of a ship's rows, and where it stands in what the graph is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.brief import Label
from shiplap.core.encoding import Boolean, Category, Date, Number, Operation
from shiplap.methods.sketches import MISSING, MOST_CODES, UNSEEN
from shiplap.scoring import Scorer
from shiplap.scoring.readers import reader_of

__all__ = ["Categories", "Feature", "Features", "features_of"]

Matrix = NDArray[np.float64]
Integers = NDArray[np.int64]
Row = Mapping[str, object]

MOST_NUMBERS = 512
"""Numbers of a row that are looked at; what comes after is not counted."""
MOST_UNCLEAR = 256
"""Rows that are looked at in one go, where encoded rows do not tell categories apart: that is slow."""
_WIDEST = 64
_UNCLEAR = -3
_FACTORS = np.random.default_rng(0).integers(1 << 62, 1 << 63, _WIDEST) | 1


class Feature(NamedTuple):
    """One thing that is counted.

    Parameters
    ----------
    name : str
        A column; ``column:part`` for a part of a date.
    column : str
        The column.
    places : slice
        Where its numbers stand among those that are looked at.
    categories : Categories, optional
        Tells its categories apart; None for numbers.
    """

    name: str
    column: str
    places: slice
    categories: Categories | None = None


class Categories:
    """Tells from encoded rows which category was meant, and from the rows themselves where that is not clear.

    A model may be given the same numbers for a missing and an unseen value, or for several categories.

    Parameters
    ----------
    operation : Category
        How the column is encoded.
    """

    def __init__(self, operation: Category) -> None:
        self.column = operation.column
        self.labels: tuple[Label, ...] = operation.categories[:MOST_CODES]
        self._reader = reader_of(
            msgspec.structs.replace(operation, values=(), if_missing=(float(MISSING),), if_unseen=(float(UNSEEN),))
        )
        places = enumerate(operation.values or [(float(code),) for code in range(len(operation.categories))])
        rows = {MISSING: operation.if_missing, UNSEEN: operation.if_unseen, **dict(places)}
        self.clear = operation.width <= _WIDEST
        known: dict[int, int] = {}
        for code, row in rows.items() if self.clear else ():
            mark = int(_marks(np.array([row], np.float64))[0])  # None becomes NaN
            known[mark] = _UNCLEAR if mark in known else code
        self._marks = np.array(sorted(known), np.int64)
        self._codes = np.array([known[mark] for mark in sorted(known)], np.int64)

    def codes(self, encoded: Matrix, rows: Sequence[Row] | None) -> Integers:
        """Return the code of each row, shape (n_rows,).

        Parameters
        ----------
        encoded : ndarray of float64, shape (n_rows, width)
            What the column became.
        rows : sequence of mapping, optional
            The rows as they came, of which `MOST_UNCLEAR` are looked at, and the others take after them. Without them,
            what is not clear counts as missing.
        """
        found = self._told(encoded)
        unclear = np.flatnonzero(found == _UNCLEAR)
        if not len(unclear):
            return found
        if rows is None:
            found[unclear] = MISSING
            return found
        chance = np.random.default_rng()
        looked_at = unclear if len(unclear) <= MOST_UNCLEAR else chance.choice(unclear, MOST_UNCLEAR, replace=False)
        values = [rows[place].get(self.column) for place in looked_at.tolist()]
        codes = self._reader.many(values)[:, 0].astype(np.int64)
        found[unclear] = chance.choice(codes, len(unclear))
        found[looked_at] = codes
        return found

    @property
    def needs_rows(self) -> bool:
        """Whether the encoded rows alone may not tell."""
        return not self.clear or bool((self._codes == _UNCLEAR).any())

    def _told(self, encoded: Matrix) -> Integers:
        if not self.clear:
            return np.full(len(encoded), _UNCLEAR)
        marks = _marks(encoded)
        at = np.minimum(np.searchsorted(self._marks, marks), len(self._marks) - 1)
        return np.where(self._marks[at] == marks, self._codes[at], _UNCLEAR)


class Features(NamedTuple):
    """What is counted of a ship's rows.

    Parameters
    ----------
    counted : tuple of Feature
        One by one.
    columns : tuple of int
        The columns of an encoded matrix that are looked at, in order.
    whole : bool
        Whether these are all of them.
    """

    counted: tuple[Feature, ...]
    columns: tuple[int, ...]
    whole: bool

    @property
    def needs_rows(self) -> bool:
        """Whether encoded rows alone may not tell everything."""
        return any(each.categories is not None and each.categories.needs_rows for each in self.counted)


def features_of(scorer: Scorer) -> Features:
    """Return what is counted of a ship's rows: numbers, booleans, dates and categories, as far as they are not many.

    Texts, images and tensors are not counted, nor what comes after the first `MOST_NUMBERS` numbers of a row.
    """
    counted: dict[str, Feature] = {}
    columns: list[int] = []
    at = 0
    for operation in scorer.encoder.encoding.operations:
        place = at
        for name, width, categories in _parts(operation):
            if name not in counted and len(columns) + width <= MOST_NUMBERS:
                places = slice(len(columns), len(columns) + width)
                counted[name] = Feature(name, operation.column, places, categories)
                columns += range(place, place + width)
            place += width
        at += operation.width
    return Features(tuple(counted.values()), tuple(columns), len(columns) == scorer.encoder.width)


def _parts(operation: Operation) -> Iterable[tuple[str, int, Categories | None]]:
    """Return name, width and categories of what is counted of a column."""
    column = operation.column
    if isinstance(operation, Number | Boolean):
        return [(column, 1, None)]
    if isinstance(operation, Date):
        return [(f"{column}:{part}", 1, None) for part in operation.parts]
    if isinstance(operation, Category):
        categories = Categories(operation)
        return [(column, operation.width if categories.clear else 0, categories)]
    return []


def _marks(encoded: Matrix) -> Integers:
    """Return a number for each row of numbers, equal for equal ones."""
    same = np.where(np.isnan(encoded), np.nan, encoded + 0.0)  # there are many NaN, and two zeros
    products: Integers = same.view(np.int64) * _FACTORS[: encoded.shape[1]]
    marks: Integers = products.sum(axis=1)
    return marks
