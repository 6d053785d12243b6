"""Categories and booleans: values that are looked up in a closed table."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Boolean, Category
from shiplap.scoring.values import NAN, UnreadableError, is_missing, number_of, number_of_text, stripped

__all__ = ["LookupReader", "boolean_reader", "category_reader"]

_WORD, _NUMBER = "a text or a number", "a number"
_SPELLING = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class LookupReader:
    """Reads by looking up.

    Parameters
    ----------
    column : str
        The column it reads.
    width : int
        How many numbers it writes.
    table : Table
        What each value becomes: a float where `width` is 1, else the bytes of so many doubles.
    expected : str
        What a value should be, for messages.
    """

    def __init__(self, column: str, width: int, table: Table, expected: str) -> None:
        self.column = column
        self._expected = expected
        self.width = width
        self.table = table
        self._unpack = struct.Struct(f"={width}d").unpack

    def one(self, value: object) -> tuple[float, ...]:
        """Return the numbers of one value; raises ``UnreadableError``."""
        try:
            found = self.table[value]
        except TypeError:  # a list or an object cannot be looked up
            raise UnreadableError(self._expected) from None
        return (found,) if self.width == 1 else self._unpack(found)

    def many(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return the numbers of Python values, shape (n_rows, width); raises ``UnreadableError`` or ``TypeError``."""
        found = map(self.table.__getitem__, values)
        if self.width == 1:
            return np.fromiter(found, np.float64, len(values)).reshape(-1, 1)
        return np.frombuffer(b"".join(found)).reshape(len(values), self.width)

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return the numbers of a numeric or boolean array, shape (n_rows, width); None for any other."""
        if values.dtype.kind not in "fiub":
            return None
        distinct, places = np.unique(values, return_inverse=True)
        return self.many(distinct.tolist())[places]


class Table(dict[Any, Any]):
    """What values become. One that is not in it is worked out each time and never kept: memory stays as it is.

    Parameters
    ----------
    known : dict
        What the usual values become.
    work_out : callable
        What any other value becomes; raises ``UnreadableError``.
    """

    def __init__(self, known: dict[Any, Any], work_out: Callable[[object], Any]) -> None:
        super().__init__(known)
        self._work_out = work_out

    def __missing__(self, value: object) -> Any:
        return self._work_out(value)


def category_reader(operation: Category) -> LookupReader:
    """Return the reader of a category.

    Examples
    --------
    >>> reader = category_reader(Category(column="size", categories=("S", "3"), if_unseen=(-1.0,)))
    >>> [reader.one(value)[0] for value in ("S", 3, 3.0, "XL", None)]
    [0.0, 1.0, 1.0, -1.0, nan]
    """
    rows = operation.values or tuple((float(index),) for index in range(len(operation.categories)))
    kept = [_kept(row) for row in rows]
    missing, unseen = _kept(operation.if_missing), _kept(operation.if_unseen)
    known = dict(zip(operation.categories, kept, strict=True))
    absent: dict[Any, Any] = {
        None: missing,
        **{text: missing for text in ("", *operation.missing) if text not in known},
    }
    if all(isinstance(category, str) for category in operation.categories):
        return LookupReader(operation.column, operation.width, _text_table(known, absent, unseen), _WORD)
    return LookupReader(operation.column, operation.width, _number_table(known, absent, unseen), _NUMBER)


def boolean_reader(operation: Boolean) -> LookupReader:
    """Return the reader of a boolean.

    Examples
    --------
    >>> reader = boolean_reader(Boolean(column="paid", true=("Y",), false=("N",)))
    >>> [reader.one(value)[0] for value in ("Y", "N", " true ", 0, 1.0, "")]
    [1.0, 0.0, 1.0, 0.0, 1.0, nan]
    """
    texts = {"": NAN, **{stripped(text): NAN for text in operation.missing}}
    texts |= {stripped(text): 1.0 for text in operation.true} | {stripped(text): 0.0 for text in operation.false}
    numbers = {1: 1.0, 0: 0.0} | _spelled(texts)

    def work_out(value: object) -> float:
        if isinstance(value, bool | np.bool_):
            return float(value)
        if isinstance(value, str):
            bare = stripped(value)
            if bare in texts:
                return texts[bare]
            if bare.casefold() in {"true", "false"}:
                return float(bare.casefold() == "true")
            value = number_of_text(value)
        elif is_missing(value):
            return NAN
        number = _exact(value)
        if isinstance(number, float) and isnan(number):
            return NAN
        if number not in numbers:
            raise UnreadableError(expected)
        return numbers[number]

    listed = ", ".join(map(repr, (*operation.true[:2], *operation.false[:2])))
    expected = f"yes or no (true, false, 1, 0{listed and f', {listed}'})"
    known: dict[Any, Any] = {**texts, None: NAN}
    if (numbers[1], numbers[0]) == (1.0, 0.0):
        known |= {True: 1.0, False: 0.0}
    return LookupReader(operation.column, 1, Table(known, work_out), expected)


def _text_table(known: dict[Any, Any], absent: dict[Any, Any], unseen: Any) -> Table:
    numbers = _spelled(known)

    def work_out(value: object) -> Any:
        if isinstance(value, str):
            return unseen
        if isinstance(value, bool | np.bool_):
            for text in ("true", "True") if value else ("false", "False"):
                if text in known:
                    return known[text]
        elif is_missing(value):
            return absent[None]
        number = _exact(value)
        if number is None:
            raise UnreadableError(_WORD)
        return numbers.get(number, unseen)

    # True and 1 are one key of a dictionary: 0 and 1 are worked out, everything else is found at once.
    return Table(
        {**absent, **known, **{number: row for number, row in numbers.items() if number not in {0, 1}}}, work_out
    )


def _number_table(known: dict[Any, Any], absent: dict[Any, Any], unseen: Any) -> Table:
    markers = {stripped(text) for text in absent if text is not None}

    def work_out(value: object) -> Any:
        if isinstance(value, str):
            number = number_of_text(value)
            if number in known:
                return known[number]
            gone = stripped(value) in markers or (number is not None and is_missing(number))
            return absent[None] if gone else unseen
        if is_missing(value):
            return absent[None]
        exact = _exact(value)
        if exact is None:
            raise UnreadableError(_NUMBER)
        return known[exact] if exact in known else marked.get(exact, unseen)

    marked = {**_spelled(dict.fromkeys(markers, absent[None]))}
    return Table({**known, None: absent[None]}, work_out)


def _spelled(texts: dict[Any, Any]) -> dict[int | float, Any]:
    """Return what a number becomes where a text spells it: ``3`` and ``3.0`` both spell 3, ``03`` does not."""
    numbers: dict[int | float, Any] = {}
    for text in sorted(texts, key=len, reverse=True):
        if _SPELLING.fullmatch(text):
            numbers[int(text) if text.lstrip("-").isdigit() else float(text)] = texts[text]
    return numbers


def _exact(value: object) -> int | float | None:
    """Return a number as it is, an integer of any size included; None where it is none."""
    if isinstance(value, int | np.integer) and not isinstance(value, np.timedelta64):
        return int(value)
    if isinstance(value, Decimal | Fraction) and not is_missing(value) and value == value // 1:
        return int(value)
    return number_of(value)


def _kept(numbers: Iterable[float | None]) -> Any:
    plain = [NAN if number is None else float(number) for number in numbers]
    return plain[0] if len(plain) == 1 else struct.pack(f"={len(plain)}d", *plain)
