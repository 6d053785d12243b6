"""Categories and booleans, value by value."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from shiplap.core.encoding import Boolean, Category
from shiplap.scoring.readers import reader_of
from shiplap.scoring.values import UnreadableError

MISSING, UNSEEN = -1.0, -2.0


def read(value: object, *categories: str | float, missing: tuple[str, ...] = ()) -> float:
    operation = Category(column="x", categories=categories, missing=missing, if_missing=(MISSING,), if_unseen=(UNSEEN,))
    [number] = reader_of(operation).one(value)
    return number


@pytest.mark.parametrize(
    ("value", "position"),
    [
        ("a", 0), ("A", UNSEEN), (" a", UNSEEN), ("é", 1), ("", MISSING), (" ", UNSEEN), ("?", MISSING),
        (None, MISSING),
        (math.nan, MISSING), (Decimal("NaN"), MISSING), (np.datetime64("NaT"), MISSING), ("nan", UNSEEN),
        (3, 2), (3.0, 2), ("3", 2), ("3.0", UNSEEN), (np.int8(3), 2), (np.float32(3), 2), (Decimal("3.00"), 2),
        (Fraction(3), 2), (1.5, 3), (Decimal("1.5"), 3), (7, 4), ("7", UNSEEN), (8, UNSEEN), ("08", 5), (-0.0, 6),
        (2**53 + 1, 7), (2.0**53, UNSEEN), (math.inf, UNSEEN), (True, UNSEEN), (False, 6), (np.bool_(False), 6),
    ],
)  # fmt: skip
def test_a_vocabulary_of_texts(value: object, position: float) -> None:
    texts = ("a", "é", "3", "1.5", "7.0", "08", "0", str(2**53 + 1))
    assert read(value, *texts, missing=("?",)) == position


@pytest.mark.parametrize(
    ("texts", "value", "position"),
    [
        (("3.0", "3"), 3, 1),
        (("3.00", "3.0"), 3, 1),
        (("1", "True"), True, 1),
        (("true", "True"), True, 0),
        (("0", "False"), False, 1),
        (("0", "False"), 0, 0),
        (("1", "0"), True, 0),
        (("", "a"), "", 0),
        (("?", "a"), "?", 0),
        (("1e3",), 1000, 0),
    ],
)
def test_which_spelling_counts(texts: tuple[str, ...], value: object, position: float) -> None:
    assert read(value, *texts, missing=("?",)) == position


@pytest.mark.parametrize(
    ("value", "position"),
    [
        (1, 0), (1.0, 0), (True, 0), ("1", 0), (" 1.0 ", 0), ("1e0", 0), (-2.5, 1), (0, 2), (-0.0, 2), (False, 2),
        (2, UNSEEN), ("2", UNSEEN), ("word", UNSEEN), (math.inf, UNSEEN), ("", MISSING), ("  ", MISSING),
        ("nan", MISSING),
        (None, MISSING), (math.nan, MISSING), ("?", MISSING), (" ? ", MISSING), ("9", MISSING), (9, MISSING),
        (9.0, MISSING),
    ],
)  # fmt: skip
def test_a_vocabulary_of_numbers(value: object, position: float) -> None:
    assert read(value, 1.0, -2.5, 0.0, missing=("?", "9")) == position


@pytest.mark.parametrize("categories", [("a",), (1.0,)])
@pytest.mark.parametrize("value", [[], {}, (1, 2), b"a", 1j, np.timedelta64(1, "D"), np.datetime64("2013"), object()])
def test_what_is_in_no_vocabulary(categories: tuple[str | float, ...], value: object) -> None:
    with pytest.raises(UnreadableError, match="a number"):
        read(value, *categories)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (True, 1), (np.bool_(False), 0), (1, 1), (0.0, 0), (np.uint8(1), 1), ("1", 1), ("0.0", 0), (" TRUE ", 1),
        ("False", 0),
        ("Y", 1), (" N ", 0), ("", None), ("?", None), (None, None), (math.nan, None), ("nan", None),
    ],
)  # fmt: skip
def test_yes_and_no(value: object, number: float | None) -> None:
    [found] = reader_of(Boolean(column="x", true=("Y",), false=("N",), missing=("?",))).one(value)
    assert math.isnan(found) if number is None else found == number


@pytest.mark.parametrize(
    ("value", "number"), [(1, 0), ("1", 0), (2, 1), ("2.0", 1), (True, 1), (False, 0), ("true", 1), (0, 0)]
)
def test_digits_can_mean_yes_and_no(value: object, number: float) -> None:
    assert reader_of(Boolean(column="x", true=("2",), false=("1",))).one(value) == (number,)


@pytest.mark.parametrize("value", ["y", "yes", 2, -1, 0.5, math.inf, [], b"1", np.datetime64("2013")])
def test_what_is_neither(value: object) -> None:
    reader = reader_of(Boolean(column="x", true=("Y",), false=("N",)))
    with pytest.raises(UnreadableError, match=r"^yes or no \(true, false, 1, 0, 'Y', 'N'\)$"):
        reader.one(value)
