"""Numbers, value by value."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from shiplap.core.encoding import Number
from shiplap.scoring.readers import reader_of


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0), (2**53 + 1, 2.0**53), (10**400, math.inf), (-(10**400), -math.inf), (True, 1.0),
        (np.bool_(False), 0.0),
        (np.float32(0.1), 0.10000000149011612), (np.int64(-3), -3.0), (np.longdouble(1.5), 1.5), (Decimal("0.1"), 0.1),
        (Decimal("1e400"), math.inf), (Fraction(1, 4), 0.25), (" 41\t", 41.0), ("+.5e1", 5.0), ("7.", 7.0),
        ("1e400", math.inf), ("-INFINITY", -math.inf), ("-0", -0.0), ("0.1", 0.1),
    ],
)  # fmt: skip
def test_numbers(value: object, number: float) -> None:
    [found] = reader_of(Number(column="x")).one(value)
    assert found == number
    assert math.copysign(1, found) == math.copysign(1, number)


@pytest.mark.parametrize(
    "value",
    [None, math.nan, "nan", " -NaN ", "", " \t", "?", " ? ", "n.a.", -9, -9.0, "-9",
    " -9.0", Decimal("sNaN"), pd.NA, pd.NaT,
     np.float32("nan"), np.datetime64("NaT")],
)  # fmt: skip
def test_missing(value: object) -> None:
    assert math.isnan(reader_of(Number(column="x", missing=("?", " n.a. ", "-9"))).one(value)[0])
