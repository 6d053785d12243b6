"""What texts mean: which are missing, which say yes or no, which are moments."""

from __future__ import annotations

from datetime import datetime

__all__ = ["AMBIGUOUS", "BOOLEANS", "ISO", "MARKERS", "MARKERS_OF_TEXT", "ZONE", "formats_of"]

MARKERS = (
    "", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil", "nat",
    "?", "-", "--", ".", "missing", "#value!", "#div/0!", "#null!",
)  # fmt: skip
"""Texts (trimmed, in lower case) that mean "missing" among numbers, dates, yes and no."""

MARKERS_OF_TEXT = ("", "na", "n/a", "#n/a", "<na>", "nan", "null", "?", "nat")
"""Texts that mean "missing" among words too, where "none" and "-" are often an answer."""

BOOLEANS = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"))
"""Pairs of words for yes and no, in lower case."""

ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?"
"""ISO 8601 moments, as a regular expression."""

ZONE = r"\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"
"""An ISO 8601 moment that says its offset from UTC."""

_DAYS = (
    "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d",
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_MONTHS = ("%Y-%m", "%b-%Y", "%b %Y", "%B %Y", "%m/%Y", "%b-%y")

AMBIGUOUS = {
    first + time: second + time
    for first, second in (("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y"), ("%d/%m/%y", "%m/%d/%y"))
    for time in _TIMES
}
"""Day-first formats and the month-first ones that look the same."""


def formats_of(sample: str) -> list[str]:
    """Return the ``strptime`` formats that a text could have, day first before month first.

    Examples
    --------
    >>> formats_of("31/12/2013"), formats_of("2/3/13 04:05"), formats_of("Braund, Mr. Owen")
    (['%d/%m/%Y'], ['%d/%m/%y %H:%M', '%m/%d/%y %H:%M'], [])
    """
    return [form for form in (*(day + time for day in _DAYS for time in _TIMES), *_MONTHS) if _fits(sample, form)]


def _fits(sample: str, form: str) -> bool:
    try:
        datetime.strptime(sample, form)
    except ValueError:
        return False
    return True
