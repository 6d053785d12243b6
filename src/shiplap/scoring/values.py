"""How single values are read: what is missing, what is a number, what is a moment. ``docs/ship-format.md`` is the law.

Every path of the encoder, one row or many, ends in these functions wherever it meets a value that is not already a
plain float: so there is one meaning.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np

__all__ = ["NAN", "UnreadableError", "as_number", "is_missing", "number_of", "number_of_text", "shown", "stripped"]

NAN = float("nan")
SPACES = " \t\n\r\v\f"
_EPOCH = datetime(1970, 1, 1)
_ISO = re.compile(
    r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})"
    r"(?:(?:[Tt]| +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?)?"
    r" *(?:([Zz]|UTC)|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)


class UnreadableError(Exception):
    """A value that an operation cannot take; `expected` says what it can."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


def stripped(text: str) -> str:
    """Return `text` without ASCII white space around it."""
    return text.strip(SPACES)


def is_missing(value: object) -> bool:
    """Tell whether a value that is no text means "missing": null, NaN, not-a-time.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing(np.datetime64("NaT")), is_missing(0)
    (True, True, True, False)
    """
    if value is None:
        return True
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ in {"NAType", "NaTType"} and type(value).__module__.startswith("pandas.")


def number_of_text(text: str) -> float | None:
    """Read a text as a number, or return None where it is none.

    ASCII digits with an optional sign, point and exponent, or ``nan``, ``inf``, ``infinity`` in any case, with white
    space around it. No underscores, no thousands separators, no hexadecimal digits.

    Examples
    --------
    >>> number_of_text(" 1.5e3 "), number_of_text("1_000"), number_of_text("-Infinity")
    (1500.0, None, -inf)
    """
    bare = text.strip(SPACES)
    if not bare or not bare.isascii() or "_" in bare or bare[0] <= " " or bare[-1] <= " ":
        return None
    try:
        return float(bare)
    except ValueError:
        return None


def number_of(value: object) -> float | None:
    """Return a value that is a number or a boolean as a double, or None where it is neither.

    Examples
    --------
    >>> number_of(True), number_of(2**53 + 1), number_of(Decimal("0.1")), number_of("1")
    (1.0, 9007199254740992.0, 0.1, None)
    """
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int | np.integer | Fraction) and not isinstance(value, np.timedelta64):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    if isinstance(value, np.floating | np.bool_):
        return float(value)
    if isinstance(value, Decimal):
        return NAN if value.is_nan() else float(value)
    return None


def as_number(value: object) -> float:
    """Read a value where a number is expected; missing gives NaN.

    Raises
    ------
    UnreadableError
        It is no number, no text that is one, and not missing.
    """
    number = number_of_text(value) if isinstance(value, str) else number_of(value)
    if number is None:
        if is_missing(value) or (isinstance(value, str) and not value.strip(SPACES)):
            return NAN
        raise UnreadableError("a number")
    return number


def as_moment(value: object) -> datetime | None:
    """Read a typed value where a date is expected: naive as it stands, with a zone turned to UTC; None if missing.

    Raises
    ------
    UnreadableError
        It is no moment between the years 1 and 9999.
    """
    if is_missing(value):
        return None
    if isinstance(value, np.datetime64):
        value = value.astype("M8[us]").item()
    if isinstance(value, datetime):
        return _naive(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    raise UnreadableError("a date")


def moment_of_text(text: str, form: str = "") -> datetime:
    """Read a text as a moment: ISO 8601, or `form` where one is given.

    Raises
    ------
    UnreadableError
        It is none.

    Examples
    --------
    >>> moment_of_text("2013-01-01T05:00:00+02:00"), moment_of_text("1/2/2013", "%d/%m/%Y")
    (datetime.datetime(2013, 1, 1, 3, 0), datetime.datetime(2013, 2, 1, 0, 0))
    """
    if form:
        try:
            return _naive(datetime.strptime(text, form))
        except ValueError:
            if "T" in form or text[10:11] != "T":
                raise UnreadableError(f"a date of the form {form}") from None
    if len(text) == 19 and text[4] == "-" == text[7] and text[10] in " T" and text[13] == ":" == text[16]:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise UnreadableError("a date (ISO 8601)") from None
    return _iso(text)


def seconds_of(moment: datetime) -> float:
    """Return seconds since 1970-01-01 00:00 as written: whole microseconds as a double, divided by 1e6."""
    span = moment - _EPOCH
    return ((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) / 1e6


def shown(value: object) -> str:
    """Describe a value for a message, shortened."""
    if isinstance(value, str):
        return f"the text {value[:40]!r}" + ("..." if len(value) > 40 else "")
    kind = type(value).__name__
    if isinstance(value, bool | int | float | np.generic | Decimal | date):
        return f"{str(value)[:40]} ({kind})"
    return f"a {kind}"


def _naive(moment: datetime) -> datetime:
    if moment.utcoffset() is not None:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            raise UnreadableError("a date between the years 1 and 9999") from None
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond)
    return datetime(*parts)


def _iso(text: str) -> datetime:
    found = _ISO.fullmatch(text)
    if not found:
        raise UnreadableError("a date (ISO 8601)")
    year, _, month, day, hour, minute, second, fraction, zulu, sign, off_hours, off_minutes = found.groups()
    micros = int(f"{fraction or ''}000000"[:6])
    zone: timezone | None = UTC if zulu else None
    try:
        if sign:
            shift = timedelta(hours=int(off_hours), minutes=int(off_minutes or 0))
            zone = timezone(-shift if sign == "-" else shift)
        day_part = (int(year), int(month), int(day))
        return _naive(datetime(*day_part, int(hour or 0), int(minute or 0), int(second or 0), micros, zone))
    except ValueError:
        raise UnreadableError("a date (ISO 8601)") from None
