"""Dates, value by value."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from shiplap.core.encoding import Date
from shiplap.scoring.readers import reader_of
from shiplap.scoring.values import UnreadableError

PARTS = ("year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second", "epoch_s")
MOMENT = (2013.0, 12.0, 31.0, 1.0, 365.0, 23.0, 5.0, 9.0, 1_388_531_109.25)
HERE = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    "value",
    [
        datetime(2013, 12, 31, 23, 5, 9, 250_000),
        datetime(2014, 1, 1, 1, 5, 9, 250_000, tzinfo=HERE),
        datetime(2013, 12, 31, 23, 5, 9, 250_000, tzinfo=UTC),
        pd.Timestamp("2013-12-31 23:05:09.250000999"),
        pd.Timestamp("2013-12-31 18:05:09.25", tz="America/New_York"),
        np.datetime64("2013-12-31T23:05:09.250000999"),
        "2013-12-31T23:05:09.25",
        " 2013-12-31 23:05:09.2500009Z ",
        "2014-01-01T01:05:09.25+02:00",
    ],
)
def test_one_moment_in_many_forms(value: object) -> None:
    assert reader_of(Date(column="x", parts=PARTS)).one(value) == MOMENT


def test_a_date_is_its_midnight() -> None:
    reader = reader_of(Date(column="x", parts=("hour", "epoch_s")))
    assert (
        reader.one(date(1970, 1, 2))
        == reader.one("1970-01-02")
        == reader.one(np.datetime64("1970-01-02"))
        == (0, 86_400)
    )


def test_nanoseconds_before_1970_are_cut_toward_the_past() -> None:
    reader = reader_of(Date(column="x", parts=("second", "epoch_s")))
    held = np.array(["1969-12-31T23:59:59.999999999"], dtype="M8[ns]")
    expected = (59.0, -1e-6)
    assert reader.one(held[0]) == reader.one(pd.Timestamp(held[0])) == expected
    found = reader.array(held)
    assert found is not None
    assert found.tolist() == [list(expected)]


@pytest.mark.parametrize("value", [None, "", "  ", "?", " ? ", math.nan, pd.NaT, pd.NA, np.datetime64("NaT")])
def test_missing_is_missing_in_every_part(value: object) -> None:
    assert np.isnan(reader_of(Date(column="x", parts=PARTS, missing=("?",))).one(value)).all()


@pytest.mark.parametrize(
    "value", [0, 2013, 1.5, True, "soon", [], time(3), timedelta(1), np.timedelta64(1, "D"), b"2013-01-01"]
)
def test_what_is_no_date(value: object) -> None:
    with pytest.raises(UnreadableError, match=r"a date \(ISO 8601\)"):
        reader_of(Date(column="x", parts=("day",))).one(value)


@pytest.mark.parametrize("value", ["20131231", 20131231, 20131231.0, np.int64(20131231), datetime(2013, 12, 31)])
def test_digits_are_read_by_their_format(value: object) -> None:
    assert reader_of(Date(column="x", parts=("month", "day"), format="%Y%m%d")).one(value) == (12.0, 31.0)


@pytest.mark.parametrize("value", [20131331, 20131231.5, True, math.inf, "2013-12-31", 10**30])
def test_digits_that_are_no_date(value: object) -> None:
    with pytest.raises(UnreadableError, match="a date of the form %Y%m%d"):
        reader_of(Date(column="x", parts=("day",), format="%Y%m%d")).one(value)


def test_a_marker_of_digits_is_missing_as_a_number_too() -> None:
    reader = reader_of(Date(column="x", parts=("day",), format="%Y%m%d", missing=("0",)))
    assert np.isnan([reader.one(0)[0], reader.one(0.0)[0], reader.one("0")[0]]).all()
