"""How single values are read: the tables of ``docs/ship-format.md``."""

from __future__ import annotations

import math
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.scoring.values import UnreadableError, as_number, moment_of_text, number_of_text, seconds_of

NUMBER = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE)
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2})?")


@given(st.text(alphabet=" \t\n\x1c\x850123456789+-.eE_infINFatyx٣\u00a0", max_size=9))
def test_the_grammar_of_numbers_is_the_documented_one(text: str) -> None:
    expected = NUMBER.fullmatch(text.strip(" \t\n\r\v\f"))
    found = number_of_text(text)
    assert (found is not None) == bool(expected)
    if found is not None:
        assert found == float(text) or math.isnan(found)


@pytest.mark.parametrize("value", ["abc", "1,5", "1 000", "0x10", "--1", [], {}, (1,), b"1", 1j, datetime(2013, 1, 1)])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError, match="a number"):
        as_number(value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2013-01-02", datetime(2013, 1, 2)),
        ("2013/1/2", datetime(2013, 1, 2)),
        ("2013-01-02T03:04", datetime(2013, 1, 2, 3, 4)),
        ("2013-01-02 3:04:05", datetime(2013, 1, 2, 3, 4, 5)),
        ("2013-01-02t03:04:05.1", datetime(2013, 1, 2, 3, 4, 5, 100_000)),
        ("2013-01-02 03:04:05,123456789", datetime(2013, 1, 2, 3, 4, 5, 123_456)),
        ("2013-01-02T03:04:05Z", datetime(2013, 1, 2, 3, 4, 5)),
        ("2013-01-02 03:04:05 UTC", datetime(2013, 1, 2, 3, 4, 5)),
        ("2013-01-02T03:04:05+05", datetime(2013, 1, 1, 22, 4, 5)),
        ("2013-01-02T03:04:05-0530", datetime(2013, 1, 2, 8, 34, 5)),
        ("2013-01-02T03:04:05.5 -05:30", datetime(2013, 1, 2, 8, 34, 5, 500_000)),
    ],
)
def test_moments_of_text(text: str, moment: datetime) -> None:
    assert moment_of_text(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "2013", "20130102", "2013-W01-1", "2013-13-01", "2013-02-30", "0000-01-01", "2013-01/02",
     "2013-01-02T24:00:00",
     "2013-01-02x03:04:05", "2013-01-02T03", "٢٠١٣-01-02", "2013-01-02T03:04:05+99", "0001-01-01T00:00:00+05",
     "9999-12-31T23:00:00-05", "2013-01-02T03:04:60", "05:00:00", "1 Jan 2013"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError, match="a date"):
        moment_of_text(text)


@given(st.one_of(st.text(alphabet="0123456789-: TZWx+.", min_size=8, max_size=20), st.from_regex(ISO, fullmatch=True)))
def test_the_fast_way_to_read_a_moment_is_no_other_way(text: str) -> None:
    def read(form: str) -> datetime | None:
        try:
            return moment_of_text(form)
        except UnreadableError:
            return None

    slow = text + " UTC" if not re.search(r"[Zz]|[+-][0-9:]*$", text[10:]) else text
    assert read(text) == read(slow)


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("2/1/2013", "%d/%m/%Y", datetime(2013, 1, 2)),
        ("2 Jan 13 5:06 PM", "%d %b %y %I:%M %p", datetime(2013, 1, 2, 17, 6)),
        ("2013-01-02 03 +0100", "%Y-%m-%d %H %z", datetime(2013, 1, 2, 2)),
        ("2013-01-02T03:04:05", "%d/%m/%Y", datetime(2013, 1, 2, 3, 4, 5)),
        ("2013-02-01", "%Y-%d-%m", datetime(2013, 1, 2)),
    ],
)
def test_a_format_is_obeyed(text: str, form: str, moment: datetime) -> None:
    assert moment_of_text(text, form) == moment


@pytest.mark.parametrize("text", ["2013-01-25", "31/12/13", "x"])
def test_a_format_is_not_guessed_around(text: str) -> None:
    with pytest.raises(UnreadableError, match="a date of the form %Y-%d-%m"):
        moment_of_text(text, "%Y-%d-%m")


def test_seconds_keep_their_fraction() -> None:
    assert seconds_of(datetime(1969, 12, 31, 23, 59, 59, 500_000)) == -0.5
